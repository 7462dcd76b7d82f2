/// Metrics in the text format of Prometheus.
package struct MetricsText: Sendable {
  package private(set) var text = ""

  package init() {}

  package mutating func counter(_ name: String, _ help: String, _ value: UInt64) {
    begin(name, help, "counter")
    text += "\(name) \(value)\n"
  }

  package mutating func gauge(_ name: String, _ help: String, _ value: UInt64) {
    begin(name, help, "gauge")
    text += "\(name) \(value)\n"
  }

  /// One series for each value of a label.
  package mutating func labelled(
    _ name: String, _ help: String, type: String, label: String, _ values: [(String, UInt64)]
  ) {
    begin(name, help, type)
    for (value, number) in values { text += "\(name){\(label)=\"\(MetricsText.escaped(value))\"} \(number)\n" }
  }

  /// - Parameters:
  ///   - bounds: the upper bounds of the buckets, ascending.
  ///   - counts: how many fell into each, and how many above.
  package mutating func histogram(
    _ name: String, _ help: String, bounds: [String], counts: [UInt64], sum: String
  ) {
    precondition(counts.count == bounds.count + 1, "a histogram counts what is above its last bound too")
    begin(name, help, "histogram")
    var total: UInt64 = 0
    for (place, bound) in bounds.enumerated() {
      total += counts[place]
      text += "\(name)_bucket{le=\"\(bound)\"} \(total)\n"
    }
    total += counts[bounds.count]
    text += "\(name)_bucket{le=\"+Inf\"} \(total)\n\(name)_sum \(sum)\n\(name)_count \(total)\n"
  }

  private mutating func begin(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private static func escaped(_ value: String) -> String {
    value.map { $0 == "\"" ? "\\\"" : $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : String($0) }.joined()
  }

  /// Microseconds as seconds.
  package static func seconds(_ microseconds: UInt64) -> String {
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
  }
}
