internal import MusterBytes

/// A journal as a backup sees it: what there is up to a revision, and the bytes of each file.
///
/// Segments that are not packed yet are shown packed, up to the last block that is durable.
package final class BackupSource {
  private let storage: any Storage
  private let log: LogReader
  private let snapshots: SnapshotStore
  /// Nothing newer is shown.
  private let last: UInt64
  /// The segment that was packed last: its pieces are asked for one after the other.
  private var packed: (file: BackupFile, bytes: [UInt8])?

  package init(_ log: LogReader, _ snapshots: SnapshotStore, through last: UInt64) {
    storage = log.storage
    self.log = log
    self.snapshots = snapshots
    self.last = min(last, log.lastRevision)
  }

  package func listing() throws -> BackupListing {
    var listing = BackupListing(BackupManifest(beginning: log.identity))
    listing.manifest.horizon = log.horizon
    for segment in log.segments where segment.name.first <= last {
      if let file = try file(segment) { listing.files.append(file) }
    }
    guard let newest = listing.files.last else { return listing }
    listing.manifest.lastRevision = newest.lastRevision
    listing.manifest.chain = newest.chain
    listing.manifest.time = log.units(from: newest.lastRevision, through: newest.lastRevision).last?.time ?? 0
    for name in try snapshots.list() where name.revision <= newest.lastRevision {
      listing.files.append(try BackupSource.file(name, snapshots))
    }
    return listing
  }

  static func file(_ name: SnapshotName, _ snapshots: SnapshotStore) throws(LogError) -> BackupFile {
    let manifest = try snapshots.manifest(name)
    var file = BackupFile()
    file.name = name.path
    file.bytes = UInt64(try snapshots.size(name))
    file.firstRevision = name.revision
    file.lastRevision = name.revision
    file.chain = manifest.chain
    return file
  }

  /// A segment up to the last revision that is shown; nil when it holds none of it.
  private func file(_ segment: SegmentContent) throws -> BackupFile? {
    var file = BackupFile()
    file.name = Layout.sealed(segment.name.first)
    file.firstRevision = segment.name.first
    file.lastRevision = segment.units.last { $0.lastRevision <= last }?.lastRevision ?? 0
    guard file.lastRevision > 0 else { return nil }
    if let chain = segment.chainAfter, file.lastRevision == segment.lastRevision {
      file.bytes = UInt64(segment.fileBytes)
      file.chain = chain.withUnsafeBytes { Array($0) }
    } else {
      file.chain = try chain(atEndOf: file.lastRevision).withUnsafeBytes { Array($0) }
    }
    return file
  }

  /// The chain value of the block that ends with a revision, in a segment whose blocks say what they follow.
  private func chain(atEndOf revision: UInt64) throws -> SHA256Value {
    var found = SHA256Value.zero
    try log.forEachBlock(from: revision, through: revision) { block in
      guard block.header.lastRevision == revision, let previous = block.header.previousChain else { return true }
      found = block.chain(after: previous)
      return true
    }
    return found
  }

  /// A piece of a file, shorter only at its end.
  ///
  /// - Throws: `.gone` when there is no such file any more.
  package func read(_ file: BackupFile, at offset: Int, count: Int) throws -> [UInt8] {
    guard let segment = file.segment, !isPacked(file) else {
      guard try storage.size(file.name) != nil else { throw LogError.gone(file: file.name) }
      return try storage.read(file.name, at: offset, count: count)
    }
    let bytes = try pack(file, segment)
    guard offset < bytes.count else { return [] }
    return Array(bytes[offset..<min(offset + count, bytes.count)])
  }

  private func isPacked(_ file: BackupFile) -> Bool {
    log.segments.contains { $0.name == file.segment && $0.lastRevision == file.lastRevision }
  }

  private func pack(_ file: BackupFile, _ name: SegmentName) throws -> [UInt8] {
    if let packed, packed.file == file { return packed.bytes }
    guard let segment = log.segments.first(where: { $0.name.first == name.first }), let live = segment.bytes,
      var scan = segment.live
    else { throw LogError.gone(file: file.name) }
    scan.blocks.removeAll { $0.header.lastRevision > file.lastRevision }
    let bytes = try SegmentPacker.pack(live, scan)
    packed = (file, bytes)
    return bytes
  }
}
