/// A configuration key that Muster itself reads: a whole number in the scope of the cluster. Other keys below `system/`
/// are refused, for nobody would read them.
package struct SystemSetting: Sendable {
  package let key: String
  package let range: ClosedRange<Int64>

  private init(_ key: String, _ range: ClosedRange<Int64>) {
    self.key = key
    self.range = range
  }

  package static let prefix = "system/"

  static func owns(_ key: String) -> Bool { key.utf8.starts(with: prefix.utf8) }

  /// All there are, in the order of their names.
  package static let all: [SystemSetting] =
    ["balance", "recovery"].flatMap { purpose in
      ["", "-bytes", "-bytes-per-node", "-bytes-per-zone", "-per-node", "-per-zone"].map { limit in
        SystemSetting("system/moves/\(purpose)\(limit)", 0...(limit.hasPrefix("-bytes") ? .max : 1_000_000))
      }
    } + [
      SystemSetting("system/repair-delay-seconds", 0...86_400),
      SystemSetting("system/scrub-bytes-per-second", 0...(1 << 40)),
      SystemSetting("system/scrub-pause-seconds", 0...31_536_000),
    ]

  /// - Throws: a refusal when the key is one of ours to be and is not, or the value is none that it may have.
  static func check(_ key: String, _ scope: Scope, _ value: ConfigValue) throws(Refusal) {
    guard owns(key) else { return }
    guard let setting = all.first(where: { $0.key == key }) else {
      throw Refusal(
        .invalid, "there is no system setting \"\(key)\": there are \(nearest(to: key).joined(separator: ", "))")
    }
    guard scope == .cluster else {
      throw Refusal(.invalid, "\(key) is a setting of the whole cluster: set it in the scope cluster")
    }
    let (low, high) = (setting.range.lowerBound, setting.range.upperBound)
    guard let number = number(value) else {
      throw Refusal(.invalid, "\(key) is a whole number from \(low) to \(high), not \(words(value))")
    }
    guard setting.range.contains(number) else {
      throw Refusal(.invalid, "\(key) is from \(low) to \(high), not \(number)")
    }
  }

  /// What a person types without a schema is a text.
  private static func number(_ value: ConfigValue) -> Int64? {
    switch value {
    case .integer(let number): number
    case .text(let text): Int64(text)
    case .boolean, .bytes, .sealed: nil
    }
  }

  private static func words(_ value: ConfigValue) -> String {
    guard case .text(let text) = value, Names.isPrintable(text, bytes: 80) else { return "a value of another kind" }
    return "\"\(text)\""
  }

  /// The names of all settings, those first that are most like a key.
  private static func nearest(to key: String) -> [String] {
    all.map { ($0.key, distance($0.key, key)) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
  }

  /// How many letters must be put in, left out or changed.
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var before = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        let changed = before + (letter == other ? 0 : 1)
        before = row[j + 1]
        row[j + 1] = min(changed, before + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
