internal import MusterBytes

/// Writes one snapshot: pages in units of some 64 KiB that are compressed together, the manifest behind them.
///
/// The file gets its name only when it is whole and synced, so a snapshot that can be found is whole.
package final class SnapshotWriter {
  /// A snapshot has at most so many deltas before the next base.
  package static let deltasMax: UInt32 = 2
  private static let unitBytes = 64 * 1024
  /// Behind so many units the others are larger, so that no state is too large for a manifest.
  private static let smallUnits = 8192

  private let storage: any Storage
  private let identity: LogIdentity
  private var manifest: SnapshotManifest
  private let path: String
  private var unit = ByteWriter(capacity: 2 * unitBytes)
  private var unitPages: UInt32 = 0
  private var output = ByteWriter(capacity: 2 * unitBytes)
  private var offset = 0
  private var last: PageAddress?

  package init(_ storage: any Storage, _ identity: LogIdentity, _ manifest: SnapshotManifest) throws(LogError) {
    self.storage = storage
    self.identity = identity
    self.manifest = manifest
    path = Layout.snapshot(manifest.revision, isBase: manifest.isBase)
    try reading { () throws(StorageError) in try storage.create(path + ".new", zeros: 0) }
  }

  /// Adds a page. Pages come in ascending order.
  package func add(_ address: PageAddress, _ bytes: UnsafeRawBufferPointer) throws(LogError) {
    precondition(last.map { $0 < address } ?? true, "pages are added in ascending order")
    precondition(bytes.count <= Frame.rawBytesMax - 64, "a page fits a frame")
    if unitPages > 0 && unit.count + bytes.count > unitBytes { try closeUnit() }
    if unitPages == 0 { begin(address) }
    list(address)
    last = address
    unit.varint(UInt64(address.table))
    unit.varint(UInt64(address.page))
    unit.varint(UInt64(bytes.count))
    unit.raw(bytes)
    unitPages += 1
    manifest.pageCount += 1
  }

  /// A list that grows too long is given up: then each unit says what is in it.
  private func list(_ address: PageAddress) {
    guard !manifest.isBase, manifest.pageGaps.count == manifest.pageCount else { return }
    if manifest.pageCount == SnapshotManifest.listMax { return manifest.pageGaps = [] }
    manifest.pageGaps.append(address.number - (last?.number ?? 0))
  }

  private var unitBytes: Int {
    manifest.units.count < SnapshotWriter.smallUnits ? SnapshotWriter.unitBytes : 8 * SnapshotWriter.unitBytes
  }

  private func begin(_ address: PageAddress) {
    precondition(manifest.units.count < SnapshotManifest.unitsMax, "a snapshot has room for every unit")
    var begun = SnapshotUnit()
    begun.offset = UInt64(offset)
    begun.table = address.table
    begun.page = address.page
    manifest.units.append(begun)
  }

  private func closeUnit() throws(LogError) {
    guard unitPages > 0 else { return }
    manifest.units[manifest.units.count - 1].pages = unitPages
    var header = header(.pages)
    header.parts = unitPages
    Frame.append(unit.bytes, header, codec: .zstandard, to: &output)
    unit.removeAll()
    unitPages = 0
    try flush()
  }

  /// Writes the manifest and gives the file its name.
  ///
  /// - Returns: the bytes written.
  package func finish() throws(LogError) -> Int {
    try closeUnit()
    var head = header(.manifest)
    head.version = 2
    manifest.encoded().withUnsafeBytes { _ = Frame.append($0, head, codec: .zstandard, to: &output) }
    SealedIndex.appendTrailer(offset, to: &output)
    try flush()
    try reading { () throws(StorageError) in
      if !Mutant.isOn(.unsyncedSnapshot) { try storage.sync(path + ".new") }
      try storage.rename(path + ".new", to: path)
      try storage.syncDirectory(Layout.snapshots)
    }
    return offset
  }

  private func header(_ kind: FrameKind) -> FrameHeader {
    var header = identity.frame(kind)
    header.firstRevision = manifest.revision
    header.anchor = manifest.revision
    header.time = manifest.time
    return header
  }

  private func flush() throws(LogError) {
    try reading { () throws(StorageError) in try storage.write(path + ".new", at: offset, output.bytes) }
    offset += output.count
    output.removeAll()
  }
}
