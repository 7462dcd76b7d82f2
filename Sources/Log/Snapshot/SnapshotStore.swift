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
    try SnapshotFile(storage, identity, name).manifest
  }

  /// The names that make up the newest snapshot at or before a revision, the base first; empty when there is none.
  package func group(atOrBefore revision: UInt64) throws(LogError) -> [SnapshotName] {
    let all = try list()
    guard let last = all.last(where: { $0.revision <= revision }) else { return [] }
    var group = [last]
    while let name = group.first, !name.isBase {
      let parent = try manifest(name).parent
      guard let next = all.first(where: { $0.revision == parent }), next.revision < name.revision else {
        throw .corrupt(
          Fault(file: name.path, offset: 0, revision: name.revision, problem: "the snapshot it changes is missing"))
      }
      group.insert(next, at: 0)
    }
    return group
  }

  /// Calls `body` with every page of the newest snapshot at or before `revision`, in ascending order, each in its
  /// newest form.
  ///
  /// - Returns: what the snapshot is of, or nil when there is none.
  package func load(
    atOrBefore revision: UInt64, _ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void
  ) throws -> SnapshotManifest? {
    let group = try group(atOrBefore: revision)
    guard let newest = group.last else { return nil }
    let pages = PageCollector()
    for name in group { try SnapshotFile(storage, identity, name).forEachPage(pages.note) }
    try pages.forEach(body)
    return try manifest(newest)
  }

  /// Checks every checksum of a snapshot.
  package func verify(_ name: SnapshotName) throws -> SnapshotManifest {
    let file = try SnapshotFile(storage, identity, name)
    try file.forEachPage { _, _ in }
    return file.manifest
  }

  package func remove(_ name: SnapshotName) throws(LogError) {
    try reading { () throws(StorageError) in
      try storage.remove(name.path)
      try storage.syncDirectory(Layout.snapshots)
    }
  }
}

/// The newest form of each page of a group.
private final class PageCollector {
  private var bytes = ByteWriter(capacity: 1 << 20)
  private var places: [PageAddress: Range<Int>] = [:]

  func note(_ address: PageAddress, _ page: UnsafeRawBufferPointer) {
    let start = bytes.count
    bytes.raw(page)
    places[address] = start..<bytes.count
  }

  func forEach(_ body: (PageAddress, UnsafeRawBufferPointer) throws -> Void) throws {
    for (address, range) in places.sorted(by: { $0.key < $1.key }) {
      try body(address, UnsafeRawBufferPointer(rebasing: bytes.bytes[range]))
    }
  }
}
