package import MusterBytes

/// A data directory that is being made from another cluster's files.
///
/// Order, and why: first a mark says that the directory is not whole; then come the files; the identity makes it a
/// journal; then the mark goes. A run that was cut short anywhere leaves a directory that no server takes, and that the
/// next run begins anew.
package final class RestoreTarget {
  private let storage: any Storage
  package let identity: LogIdentity

  /// - Throws: `.occupied` unless the directory is empty or an earlier run was cut short in it.
  package init(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) {
    precondition(identity.isValid && !identity.ancestors.isEmpty, "a restored cluster names what it comes from")
    self.storage = storage
    self.identity = identity
    try clear()
    try reading { () throws(StorageError) in
      try storage.replace(Layout.restoring, in: Layout.root, with: Array("not whole yet\n".utf8))
      try storage.makeDirectory(Layout.log)
      try storage.makeDirectory(Layout.snapshots)
      try storage.syncDirectory(Layout.root)
    }
  }

  /// Removes what an earlier run left.
  private func clear() throws(LogError) {
    let names = try reading { () throws(StorageError) in try storage.list(Layout.root) }
    guard names.allSatisfy({ RestoreTarget.isOurs($0) }) else { throw .occupied }
    let left = try reading { () throws(StorageError) in
      try storage.list(Layout.log).map { "\(Layout.log)/\($0)" }
        + storage.list(Layout.snapshots).map { "\(Layout.snapshots)/\($0)" }
        + names.filter { $0 == Layout.horizon }
    }
    guard left.isEmpty || names.contains(Layout.restoring) else { throw .occupied }
    guard !left.isEmpty else { return }
    try reading { () throws(StorageError) in
      for path in left { try storage.remove(path) }
      // Not every directory is written to from now on: what came back after a crash would be taken for the cluster's.
      for folder in [Layout.log, Layout.snapshots, Layout.root] { try storage.syncDirectory(folder) }
    }
  }

  private static func isOurs(_ name: String) -> Bool {
    [
      Layout.lock, Layout.log, Layout.snapshots, Layout.restoring, Layout.restoring + ".new", Layout.horizon,
      Layout.horizon + ".new", Layout.identity + ".new",
    ].contains(name)
  }

  /// Writes a file as it is.
  package func put(_ path: String, _ bytes: [UInt8]) throws(LogError) {
    let folder = path.contains("/") ? String(path.prefix { $0 != "/" }) : Layout.root
    try reading { () throws(StorageError) in try storage.replace(path, in: folder, with: bytes) }
  }

  /// Writes a packed segment.
  ///
  /// - Parameters:
  ///   - keys: what its commits shall be found by.
  ///   - blocks: is handed a function that takes each block.
  /// - Returns: the chain value of its last block.
  package func putSegment(
    first: UInt64, chainBefore: SHA256Value, run: UInt64, through: UInt64, keys: CommitKeys,
    _ blocks: ((BlockView) throws -> Void) throws -> Void
  ) throws -> SHA256Value {
    let packer = SegmentPacker(
      identity, first: first, chainBefore: chainBefore, run: run, durableThrough: through,
      keys: keys)
    try blocks { view in
      guard packer.add(view) else {
        throw LogError.corrupt(
          Fault(
            file: Layout.sealed(first), offset: 0, revision: view.header.firstRevision,
            problem: "a block does not follow the one before"))
      }
    }
    try put(Layout.sealed(first), packer.finish())
    return packer.chain
  }

  /// The directory is whole.
  package func finish() throws(LogError) {
    try DirectoryIdentity.write(storage, identity)
    try reading { () throws(StorageError) in
      try storage.remove(Layout.restoring)
      try storage.syncDirectory(Layout.root)
    }
  }
}
