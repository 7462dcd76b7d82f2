/// Counts of durations, in microseconds, in buckets that double: at most 16, 32, 64 … 1,048,576, and more.
package struct LatencyHistogram: Sendable {
  package static let bounds: [UInt64] = (4...20).map { 1 << $0 }
  package private(set) var counts = [UInt64](repeating: 0, count: LatencyHistogram.bounds.count + 1)
  package private(set) var sum: UInt64 = 0

  package init() {}

  package mutating func record(_ microseconds: UInt64) {
    let place = LatencyHistogram.bounds.firstIndex { microseconds <= $0 } ?? LatencyHistogram.bounds.count
    counts[place] += 1
    sum &+= microseconds
  }
}
