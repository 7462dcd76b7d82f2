import MusterRendering

/// How long operations took, and what came of them.
struct Measurement {
  private(set) var microseconds: [UInt32] = []
  var errors: UInt64 = 0
  var firstError: String?
  /// Operations that one sample stands for.
  var perSample: UInt64 = 1

  mutating func record(_ duration: UInt64) { microseconds.append(UInt32(clamping: duration)) }

  mutating func fail(_ problem: String) {
    errors += 1
    if firstError == nil { firstError = problem }
  }

  mutating func merge(_ other: Measurement) {
    microseconds += other.microseconds
    errors += other.errors
    firstError = firstError ?? other.firstError
  }

  /// All durations together.
  var total: UInt64 { microseconds.reduce(0) { $0 + UInt64($1) } }

  var operations: UInt64 { UInt64(microseconds.count) * perSample }

  private static func percentile(_ sorted: [UInt32], _ share: Double) -> UInt64 {
    sorted.isEmpty ? 0 : UInt64(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
  }

  /// The document of `muster bench`. What events cost on disk is known only where the files are.
  func members(
    _ operation: String, clients: Int, elapsed: UInt64, bytesPerEvent: JSON = .null, _ more: [JSON.Member] = []
  ) -> [JSON.Member] {
    let sorted = microseconds.sorted()
    let rate = elapsed == 0 ? 0 : UInt64(Double(operations) * 1_000_000 / Double(elapsed))
    return [
      .init("schema", .text("muster.bench/1")), .init("operation", .text(operation)),
      .init("clients", .number(UInt64(clients))), .init("seconds", .seconds(elapsed)),
      .init("operations", .number(operations)), .init("perSecond", .number(rate)),
      .init("p50", .number(Measurement.percentile(sorted, 0.5))),
      .init("p90", .number(Measurement.percentile(sorted, 0.9))),
      .init("p99", .number(Measurement.percentile(sorted, 0.99))),
      .init("p999", .number(Measurement.percentile(sorted, 0.999))),
      .init("max", .number(UInt64(sorted.last ?? 0))), .init("errors", .number(errors)),
      .init("firstError", firstError.map { .text($0) } ?? .null), .init("bytesPerEvent", bytesPerEvent),
    ] + more
  }
}
