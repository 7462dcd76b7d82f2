/// How the files of a data directory are called.
package enum Layout {
  package static let identity = "MUSTER"
  /// Only in a backup: how far it reaches.
  package static let backup = "BACKUP"
  package static let lock = "LOCK"
  package static let log = "log"
  package static let snapshots = "snapshots"
  package static let broken = "broken"
  /// The segment that is zeroed ahead of its use.
  package static let spare = "log/spare"
  package static let root = ""

  /// A segment that is written to, or was and is not packed yet.
  package static func live(_ first: UInt64) -> String { "log/\(padded(first)).live" }
  package static func sealed(_ first: UInt64) -> String { "log/\(padded(first)).sealed" }
  package static func snapshot(_ revision: UInt64, isBase: Bool) -> String {
    "snapshots/\(padded(revision)).\(isBase ? "base" : "delta")"
  }

  /// Twenty digits, so that names sort as numbers do.
  private static func padded(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.count) + digits
  }

  /// The number before the ending of a name, when it is one of ours.
  package static func number(_ name: String, ending: String) -> UInt64? {
    guard name.hasSuffix(ending), name.utf8.count == 20 + ending.utf8.count else { return nil }
    let digits = name.utf8.prefix(20)
    guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return UInt64(name.prefix(20)).flatMap { $0 > 0 ? $0 : nil }
  }
}

/// A segment as the listing of the directory shows it.
package struct SegmentName: Hashable, Sendable {
  package var first: UInt64
  package var isSealed: Bool

  package var path: String { isSealed ? Layout.sealed(first) : Layout.live(first) }

  /// The segments in the order of their revisions. Where both forms of one exist, packing was cut short after the
  /// sealed one was complete: it counts.
  package static func all(in names: [String]) -> [SegmentName] {
    var found: [SegmentName] = []
    for name in names {
      if let first = Layout.number(name, ending: ".sealed") {
        found.append(SegmentName(first: first, isSealed: true))
      } else if let first = Layout.number(name, ending: ".live"), !names.contains(Layout.sealedName(first)) {
        found.append(SegmentName(first: first, isSealed: false))
      }
    }
    return found.sorted { $0.first < $1.first }
  }
}

extension Layout {
  fileprivate static func sealedName(_ first: UInt64) -> String { String(sealed(first).dropFirst(4)) }
}
