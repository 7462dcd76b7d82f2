package import MusterCluster

/// Numbers with units as people write them.
package enum Quantity {
  private static let units: [(suffix: String, factor: UInt64)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50), ("KB", 1000),
    ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("PB", 1_000_000_000_000_000),
  ]

  /// `100`, `1GiB`, `250MB`.
  package static func parse(_ text: String) -> UInt64? {
    for unit in units where text.hasSuffix(unit.suffix) {
      guard let number = UInt64(text.dropLast(unit.suffix.count)) else { return nil }
      let (product, overflow) = number.multipliedReportingOverflow(by: unit.factor)
      return overflow ? nil : product
    }
    return UInt64(text)
  }

  /// `disk=100GiB,cpu=8`.
  package static func parseAmounts(_ text: String) -> [Amount]? {
    var amounts: [Amount] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, let value = parse(String(sides[1])) else { return nil }
      amounts.append(Amount(String(sides[0]), value))
    }
    return amounts
  }

  /// `k=v`.
  package static func parseLabel(_ text: String) -> Label? {
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    return sides.count == 2 && !sides[0].isEmpty ? Label(String(sides[0]), String(sides[1])) : nil
  }

  /// `1.5 GiB`, for people.
  package static func format(_ bytes: UInt64) -> String {
    let names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var place = 0
    var tenths = bytes.multipliedReportingOverflow(by: 10).overflow ? bytes : bytes * 10
    while tenths >= 10_240, place + 1 < names.count {
      tenths /= 1024
      place += 1
    }
    return place == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(names[place])"
  }

  /// Microseconds of `10s`, `5m`, `1h30m`, `2d`; nil when it is no duration.
  package static func parseDuration(_ text: String) -> UInt64? {
    var total: UInt64 = 0
    var digits = ""
    var hasUnit = false
    for character in text {
      if character.isASCII, character.isNumber {
        digits.append(character)
        continue
      }
      guard let number = UInt64(digits), let factor = seconds[character] else { return nil }
      let (part, overflow) = number.multipliedReportingOverflow(by: factor * 1_000_000)
      let (sum, overflows) = total.addingReportingOverflow(part)
      guard !overflow, !overflows else { return nil }
      total = sum
      digits = ""
      hasUnit = true
    }
    return hasUnit && digits.isEmpty ? total : nil
  }

  private static let seconds: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
}

extension Moment {
  /// A revision in digits, an RFC 3339 time, or `10m ago`; nil when it is none of them.
  package init?(text: String) {
    if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
      guard let revision = UInt64(text) else { return nil }
      self = .revision(revision)
    } else if text.hasSuffix(" ago") {
      guard let span = Quantity.parseDuration(String(text.dropLast(4))) else { return nil }
      self = .ago(span)
    } else if let time = Timestamp.parse(text) {
      self = .time(time)
    } else {
      return nil
    }
  }
}
