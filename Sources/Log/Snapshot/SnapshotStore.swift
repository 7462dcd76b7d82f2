internal import MusterBytes

/// A snapshot as the directory shows it.
package struct SnapshotName: Equatable, Sendable {
  package var revision: UInt64
  package var isBase: Bool

  package var path: String { Layout.snapshot(revision, isBase: isBase) }
}

/// The snapshots of a data directory.
package final class SnapshotStore {
  private let storage: any Storage
  private let identity: LogIdentity
  private let expander = Expander()
  /// What this store read of pages; one reader at a time.
  package private(set) var cost = ReadCost()

  package init(_ storage: any Storage, _ identity: LogIdentity) {
    self.storage = storage
    self.identity = identity
  }

  /// All of them, by ascending revision.
  package func list() throws(LogError) -> [SnapshotName] {
    let names = try reading { () throws(StorageError) in try storage.list(Layout.snapshots) }
    return names.compactMap { name in
      if let revision = Layout.number(name, ending: ".base") { return SnapshotName(revision: revision, isBase: true) }
      if let revision = Layout.number(name, ending: ".delta") { return SnapshotName(revision: revision, isBase: false) }
      return nil
    }.sorted { $0.revision < $1.revision }
  }

  package func size(_ name: SnapshotName) throws(LogError) -> Int {
    try reading { () throws(StorageError) in try storage.size(name.path) } ?? 0
  }

  /// Reads and checks a manifest.
  package func manifest(_ name: SnapshotName) throws(LogError) -> SnapshotManifest {
    try SnapshotFile(storage, identity, name, expander).manifest
  }

  /// The base that the newest snapshot at or before a revision rests on; nil when there is none.
  package func base(ofSnapshotAt revision: UInt64) throws(LogError) -> UInt64? {
    try group(atOrBefore: revision).first?.name.revision
  }

  /// The files that make up the newest snapshot at or before a revision, the base first; empty when there is none.
  private func group(atOrBefore revision: UInt64) throws(LogError) -> [SnapshotFile] {
    let all = try list()
    guard let last = all.last(where: { $0.revision <= revision }) else { return [] }
    var group = [try SnapshotFile(storage, identity, last, expander)]
    while let file = group.first, !file.manifest.isBase {
      let parent = file.manifest.parent
      guard let next = all.first(where: { $0.revision == parent }), next.revision < file.name.revision else {
        if try reading({ () throws(StorageError) in try storage.size(file.name.path) }) == nil {
          throw .vanished(file: file.name.path)
        }
        throw file.name.fault(0, "the snapshot it changes, of revision \(parent), is missing")
      }
      group.insert(try SnapshotFile(storage, identity, next, expander), at: 0)
    }
    return group
  }

  /// Calls `body` with every page of the newest snapshot at or before `revision`, in ascending order, each in its
  /// newest form. Holds one unit of pages of each file of the group at a time.
  ///
  /// - Parameter skipping: tables that are of no interest: what holds nothing else is not read.
  /// - Returns: what the snapshot is of, or nil when there is none.
  package func load(
    atOrBefore revision: UInt64, skipping: (UInt32) -> Bool = { _ in false },
    _ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void
  ) throws -> SnapshotManifest? {
    let group = try group(atOrBefore: revision)
    try walk(group, skipping: skipping, body)
    return group.last?.manifest
  }

  /// Calls `body` with every page of these files in its newest form.
  private func walk(
    _ files: [SnapshotFile], skipping: (UInt32) -> Bool, _ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let cursors = files.map { PageCursor($0) }
    defer { for cursor in cursors { cost = cost + cursor.cost } }
    for cursor in cursors { try cursor.advance(skipping: skipping) }
    while let next = cursors.compactMap(\.address).min() {
      let holders = cursors.filter { $0.address == next }
      if let newest = holders.last { try body(next, newest.bytes) }
      for cursor in holders { try cursor.advance(skipping: skipping) }
    }
  }

  /// Calls `body` with the pages that must be put over those of one snapshot to get another of the same group, in
  /// ascending order, each in its newest form.
  ///
  /// - Returns: what the later snapshot is of; nil, with nothing read, when they are not of one group.
  package func loadChanges(
    from older: UInt64, to newer: UInt64, _ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void
  ) throws -> SnapshotManifest? {
    let group = try group(atOrBefore: newer)
    guard let place = group.firstIndex(where: { $0.name.revision == older }), let last = group.last,
      last.name.revision == newer
    else { return nil }
    try walk(Array(group[(place + 1)...]), skipping: { _ in false }, body)
    return last.manifest
  }

  /// The revision of the newest snapshot at or before another; 0 when there is none.
  package func newest(atOrBefore revision: UInt64) throws(LogError) -> UInt64 {
    try list().last { $0.revision <= revision }?.revision ?? 0
  }

  /// The newest snapshot at or before a revision, for questions about single pages; nil when there is none.
  package func pages(atOrBefore revision: UInt64) throws(LogError) -> SnapshotPages? {
    let files = try group(atOrBefore: revision)
    return files.isEmpty ? nil : SnapshotPages(files) { self.cost = self.cost + $0 }
  }

  /// Checks every checksum of a snapshot, and at the depth of the chain the order of its pages.
  package func verify(
    _ name: SnapshotName, _ depth: Verification.Depth = .chain
  ) throws(LogError) -> SnapshotManifest {
    let file = try SnapshotFile(storage, identity, name, expander)
    switch depth {
    case .chain: try PageCursor(file).verify()
    case .checksums: try file.verifyFrames()
    }
    return file.manifest
  }

  package func remove(_ name: SnapshotName) throws(LogError) {
    try reading { () throws(StorageError) in
      try storage.remove(name.path)
      try storage.syncDirectory(Layout.snapshots)
    }
  }
}
