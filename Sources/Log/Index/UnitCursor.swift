/// Walks the units of a range that may hold what is looked for, one segment's index at a time: the first units are
/// there before the indexes of the others were read.
package struct UnitCursor {
  private let log: LogReader
  private let selection: LogSelection
  private let from: UInt64
  private let through: UInt64
  private let isReversed: Bool
  /// What is still to be walked, the next at the end.
  private var segments: [SegmentContent]
  private var units: [LogUnit] = []

  /// - Parameter isReversed: the newest come first.
  package init(
    _ log: LogReader, from: UInt64, through: UInt64, matching selection: LogSelection, isReversed: Bool = false
  ) {
    self.log = log
    self.selection = selection
    self.from = from
    self.through = through
    self.isReversed = isReversed
    segments = log.segments.filter { $0.name.first <= through && $0.lastRevision >= from }
    if !isReversed { segments.reverse() }
  }

  /// True when nothing is left.
  package var isDone: Bool { units.isEmpty && segments.isEmpty }

  /// The next unit, or nil when the next segment has none, or there is no segment left.
  package mutating func next() throws(LogError) -> LogUnit? {
    if units.isEmpty, let segment = segments.popLast() {
      units = try log.units(
        in: segment, from: from, through: through, matching: selection,
        rebuilding: log.remembersKeys && !segment.name.isSealed)
      if !isReversed { units.reverse() }
    }
    return units.popLast()
  }
}
