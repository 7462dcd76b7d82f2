/// A run of blocks that is read and expanded at once: one frame of a live segment, one pack of a sealed one.
package struct LogUnit: Sendable {
  package var segment: SegmentName
  package var offset: Int
  package var storedBytes: Int
  package var firstRevision: UInt64
  package var commitCount: UInt32
  package var blockCount: UInt32
  /// Of a pack; 0 for a frame of a live segment, where only the block itself says it.
  package var eventCount: UInt64 = 0
  /// Log time of the last commit.
  package var time: UInt64

  /// Where it is: no other unit is there.
  var place: LogUnitPlace { LogUnitPlace(segment: segment, offset: offset) }

  package var lastRevision: UInt64 { firstRevision &+ UInt64(commitCount) &- 1 }
}

struct LogUnitPlace: Hashable {
  var segment: SegmentName
  var offset: Int
}

extension LogUnit {
  /// A block of a live segment.
  init(_ segment: SegmentName, _ entry: LiveScan.Entry) {
    self.init(
      segment: segment, offset: entry.offset, storedBytes: Int(entry.header.storedBytes),
      firstRevision: entry.header.firstRevision, commitCount: entry.header.commitCount, blockCount: 1,
      time: entry.header.time)
  }
}
