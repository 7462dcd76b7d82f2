internal import MusterBytes

/// Another copy of the same journal: a backup, a directory, or files that a server sent. What cannot be read of it is
/// as if it were not there.
package final class RepairDonor {
  struct Block {
    var bytes: [UInt8]
    var lastRevision: UInt64
    /// The chain value before it, as its own segment proves it.
    var chainBefore: SHA256Value
  }

  let storage: any Storage
  package let identity: LogIdentity
  private let names: [SegmentName]
  private var held: (name: SegmentName, blocks: [UInt64: Block])?

  package init(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) {
    self.storage = storage
    self.identity = identity
    names = SegmentName.all(in: try reading { () throws(StorageError) in try storage.list(Layout.log) })
  }

  /// The block that begins with a revision and follows a chain value.
  func block(from revision: UInt64, following chain: SHA256Value) -> Block? {
    guard let name = names.last(where: { $0.first <= revision }) else { return nil }
    if held?.name != name { held = (name, blocks(of: name)) }
    guard let block = held?.blocks[revision], block.chainBefore == chain else { return nil }
    return block
  }

  /// The blocks of a segment whose chain holds from its beginning to its end.
  private func blocks(of name: SegmentName) -> [UInt64: Block] {
    var found: [UInt64: Block] = [:]
    guard let log = try? LogReader(storage, identity: identity, only: name) else { return [:] }
    var chain = log.segments[0].chainBefore
    for unit in log.segments[0].units {
      let isRead = try? log.forEachBlock(in: unit) { view in
        if let stored = view.header.previousChain, stored != chain { return false }
        var whole = ByteWriter(capacity: view.commits.count + BlockHeader.bytesMax)
        view.encode(following: chain, into: &whole)
        found[view.header.firstRevision] = Block(
          bytes: whole.array(), lastRevision: view.header.lastRevision, chainBefore: chain)
        chain = view.chain(after: chain)
        return true
      }
      guard isRead == true else { return [:] }
    }
    guard log.segments[0].chainAfter ?? chain == chain else { return [:] }
    return found
  }

  /// A snapshot's bytes, if it has that one whole.
  func snapshot(_ name: SnapshotName) -> [UInt8]? {
    guard (try? SnapshotStore(storage, identity).verify(name)) != nil, let size = try? storage.size(name.path) else {
      return nil
    }
    return try? storage.read(name.path, at: 0, count: size)
  }

  func horizon() -> Horizon? { try? Horizon.read(storage, identity) }
}
