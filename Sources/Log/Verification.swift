package import MusterBytes

/// What a check of every file found; it throws at the first fault.
package struct Verification: Sendable {
  package var blocks: UInt64 = 0
  /// Stored bytes that were read and checked.
  package var bytes: UInt64 = 0
  package var snapshots = 0
  package var pages: UInt64 = 0
  /// The chain value of the last block.
  package var chain = SHA256Value.zero

  /// Checks every checksum, header, padding and index, the chain from the first block to the last, and of every
  /// snapshot its pages, and that its digest and chain value are those of the log at its revision.
  package static func run(_ log: LogReader, _ snapshots: SnapshotStore) throws -> Verification {
    var result = Verification()
    var waiting: [SnapshotManifest] = []
    for name in try snapshots.list() where name.revision <= log.lastRevision {
      let manifest = try snapshots.verify(name)
      result.snapshots += 1
      result.pages += manifest.pageCount
      result.bytes += UInt64(try snapshots.size(name))
      // One that the snapshot at the horizon rests on may lie before the log that is kept: nothing there speaks of it.
      if manifest.revision >= log.firstRevision { waiting.append(manifest) }
    }
    waiting.reverse()
    let before = log.cost
    result.chain = try log.verifyChain { header, chain in
      while let next = waiting.last, next.revision <= header.lastRevision {
        try next.check(against: header, chain)
        waiting.removeLast()
      }
    }
    result.blocks = log.cost.blocks - before.blocks
    result.bytes += log.cost.bytes - before.bytes
    return result
  }
}

extension SnapshotManifest {
  /// That this snapshot is of the state after the block that ends with its revision.
  fileprivate func check(against header: BlockHeader, _ chain: SHA256Value) throws(LogError) {
    let name = SnapshotName(revision: revision, isBase: isBase)
    guard header.lastRevision == revision else { throw name.fault(0, "the snapshot is of no block's end") }
    guard header.digest == digest else { throw name.fault(0, "the log says another digest for its revision") }
    guard self.chain.isEmpty || chain.withUnsafeBytes({ self.chain.elementsEqual($0) }) else {
      throw name.fault(0, "the log has another chain value at its revision")
    }
  }
}
