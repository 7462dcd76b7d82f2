package import MusterCluster

/// Revisions as ranges, in ascending order and apart from each other.
package struct RevisionRanges: Equatable, Sendable {
  package private(set) var ranges: [ClosedRange<Revision>] = []

  package init() {}

  /// From what is passed over and what is taken in turn; nil when that goes beyond what revisions can be.
  package init?(runs: [UInt64]) {
    guard runs.count % 2 == 0 else { return nil }
    var next: Revision = 1
    for place in stride(from: 0, to: runs.count, by: 2) {
      let (first, isTooFar) = next.addingReportingOverflow(runs[place])
      let (end, isTooLong) = first.addingReportingOverflow(runs[place + 1])
      guard !isTooFar, !isTooLong, end > first else { return nil }
      append(first...(end - 1))
      next = end
    }
  }

  package var runs: [UInt64] {
    var next: Revision = 1
    return ranges.flatMap { range in
      defer { next = range.upperBound + 1 }
      return [range.lowerBound - next, range.upperBound - range.lowerBound + 1]
    }
  }

  /// Adds revisions behind all others.
  package mutating func append(_ range: ClosedRange<Revision>) {
    if let last = ranges.last, last.upperBound + 1 >= range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
    } else {
      ranges.append(range)
    }
  }

  /// Both, as one.
  package func union(_ other: RevisionRanges) -> RevisionRanges {
    var union = RevisionRanges()
    for range in (ranges + other.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) { union.append(range) }
    return union
  }

  /// At most so many ranges, that have all these revisions and some between.
  package func coarsened(to count: Int) -> RevisionRanges {
    guard ranges.count > count, count > 0 else { return self }
    let gaps = zip(ranges, ranges.dropFirst()).map { $1.lowerBound - $0.upperBound }.sorted()
    let widest = gaps[ranges.count - count - 1]
    var coarse = RevisionRanges()
    for range in ranges {
      if let last = coarse.ranges.last, range.lowerBound - last.upperBound <= widest {
        coarse.append((last.upperBound + 1)...range.upperBound)
      } else {
        coarse.append(range)
      }
    }
    return coarse
  }

  /// True when every revision of a range is there.
  package func contains(_ range: ClosedRange<Revision>) -> Bool {
    let place = firstEnding(atOrAfter: range.lowerBound)
    return place < ranges.count && ranges[place].lowerBound <= range.lowerBound
      && ranges[place].upperBound >= range.upperBound
  }

  package func contains(_ revision: Revision) -> Bool { contains(revision...revision) }

  package func overlaps(_ range: ClosedRange<Revision>) -> Bool {
    let place = firstEnding(atOrAfter: range.lowerBound)
    return place < ranges.count && ranges[place].lowerBound <= range.upperBound
  }

  private func firstEnding(atOrAfter revision: Revision) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < revision { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
