package import MusterBytes

/// What a check of every file found; it throws at the first fault.
package struct Verification: Sendable {
  package var blocks: UInt64 = 0
  /// Stored bytes that were read and checked.
  package var bytes: UInt64 = 0
  package var snapshots = 0
  package var pages: UInt64 = 0
  /// The chain value of the last block; nil when only checksums were looked at.
  package var chain: SHA256Value?

  /// How much is looked at.
  package enum Depth: Sendable {
    /// The checksum of every header, frame, index, page and trailer: that what is stored is what was written.
    case checksums
    /// Besides, the blocks in them and the chain, the keys of indexes, the order of pages, and of every snapshot that
    /// its digest and chain value are those of the log at its revision.
    case chain
  }

  /// Checks every file, one after the other.
  package static func run(
    _ log: LogReader, _ snapshots: SnapshotStore, _ depth: Depth = .chain
  ) throws -> Verification {
    let work = try VerificationWork(log, snapshots, depth)
    return try work.join(try work.items.indices.map { try work.check($0, log, snapshots) })
  }
}

/// The check of a log and its snapshots, file by file: each can be checked by itself, on any thread, and what comes out is
/// put together in their order.
package struct VerificationWork: Sendable {
  package enum Item: Sendable {
    case snapshot(SnapshotName)
    /// By its place in the log.
    case segment(Int)
  }

  /// What one file came to.
  package struct Part: Sendable {
    fileprivate var blocks: UInt64 = 0
    fileprivate var bytes: UInt64 = 0
    fileprivate var manifest: SnapshotManifest?
    /// The blocks behind which there are snapshots.
    fileprivate var ends: [BlockEnd] = []
    fileprivate var chain: SHA256Value?
  }

  fileprivate struct BlockEnd: Sendable {
    var header: BlockHeader
    var chain: SHA256Value
  }

  /// Snapshots first: what is said of the log can then be compared with them.
  package let items: [Item]
  private let depth: Verification.Depth
  private let contents: LogContents
  /// The revisions of the snapshots, ascending.
  private let marks: [UInt64]

  package init(_ log: LogReader, _ snapshots: SnapshotStore, _ depth: Verification.Depth) throws(LogError) {
    let names = try snapshots.list().filter { $0.revision <= log.lastRevision }
    contents = log.contents
    marks = names.map(\.revision)
    items = names.map { .snapshot($0) } + log.segments.indices.map { .segment($0) }
    self.depth = depth
  }

  /// Checks one file; it throws at its first fault.
  ///
  /// - Parameters:
  ///   - log: a reader of this log, of the caller's own.
  ///   - snapshots: likewise.
  package func check(_ place: Int, _ log: LogReader, _ snapshots: SnapshotStore) throws -> Part {
    switch items[place] {
    case .snapshot(let name): try check(name, snapshots)
    case .segment(let place): try check(contents.segments[place], log)
    }
  }

  private func check(_ name: SnapshotName, _ snapshots: SnapshotStore) throws(LogError) -> Part {
    var part = Part()
    part.manifest = try snapshots.verify(name, depth)
    part.bytes = UInt64(try snapshots.size(name))
    return part
  }

  private func check(_ segment: SegmentContent, _ log: LogReader) throws -> Part {
    var part = Part()
    switch depth {
    case .checksums:
      // The frames of a live segment were looked at when it was opened.
      if segment.name.isSealed { try log.verifyFrames(of: segment) }
      part.blocks = segment.units.reduce(0) { $0 + UInt64($1.blockCount) }
      part.bytes = UInt64(segment.live?.end ?? segment.fileBytes)
    case .chain:
      let before = log.cost
      var waiting = marks.filter { $0 >= segment.name.first && $0 <= segment.lastRevision }[...]
      part.chain = try log.verifyChain(of: segment) { header, chain in
        guard let next = waiting.first, next <= header.lastRevision else { return }
        part.ends.append(BlockEnd(header: header, chain: chain))
        waiting = waiting.drop { $0 <= header.lastRevision }
      }
      part.blocks = log.cost.blocks - before.blocks
      part.bytes = log.cost.bytes - before.bytes
    }
    return part
  }

  /// Puts together what all files came to: the edges of segments, and the snapshots beside the log.
  package func join(_ parts: [Part]) throws(LogError) -> Verification {
    precondition(parts.count == items.count, "every file was checked")
    var result = Verification()
    for part in parts {
      result.blocks += part.blocks
      result.bytes += part.bytes
      guard let manifest = part.manifest else { continue }
      result.snapshots += 1
      result.pages += manifest.pageCount
    }
    if depth == .chain { result.chain = try joinChain(parts) }
    return result
  }

  private func joinChain(_ parts: [Part]) throws(LogError) -> SHA256Value {
    var chain = contents.beginning
    let segments = parts.suffix(contents.segments.count)
    for (segment, part) in zip(contents.segments, segments) {
      guard segment.chainBefore == chain else {
        throw segment.name.fault(0, "the segment does not follow the one before", segment.name.first)
      }
      chain = part.chain ?? chain
    }
    var ends = segments.lazy.flatMap(\.ends).makeIterator()
    var end = ends.next()
    for manifest in parts.lazy.compactMap(\.manifest) {
      // One that the snapshot at the horizon rests on may lie before the log that is kept: nothing there speaks of it.
      guard manifest.revision >= contents.firstRevision else { continue }
      while let at = end, at.header.lastRevision < manifest.revision { end = ends.next() }
      if let end { try manifest.check(against: end.header, end.chain) }
    }
    return chain
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
