import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// What a check of files finds, at each depth, whole and in pieces.
@Suite struct VerificationTests {
  private let recorded: RecordedHistory

  init() throws { recorded = try RecordedHistory(seed: 77, commits: 2500, nodes: 12, shards: 600) }

  private func verify(_ disk: CrashDisk, _ depth: Verification.Depth) throws -> Verification {
    let log = try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
    return try Verification.run(log, SnapshotStore(disk, RecordedHistory.identity), depth)
  }

  @Test func bothDepthsLookAtTheSameFiles() throws {
    let chain = try verify(recorded.disk, .chain)
    let sums = try verify(recorded.disk, .checksums)
    #expect(chain.blocks == UInt64(recorded.blockEnds.count) && sums.blocks == chain.blocks)
    #expect(sums.snapshots == chain.snapshots && sums.pages == chain.pages && sums.pages > 0)
    #expect(chain.chain != nil && sums.chain == nil)
    // Heads of frames are counted by the one that walks from frame to frame.
    #expect(sums.bytes > chain.bytes)
  }

  @Test func everyFlippedBitOfASealedFileIsNamedByTheChecksumsAlone() throws {
    let folders = [Layout.log, Layout.snapshots]
    let files = try folders.flatMap { folder in try recorded.disk.list(folder).map { "\(folder)/\($0)" } }
      .filter { !$0.hasSuffix(".live") && !$0.hasSuffix("spare") }
    #expect(files.count > 6)
    var random = SeededGenerator(seed: 4)
    for _ in 0..<150 {
      let file = files[random.below(files.count)]
      let disk = recorded.disk.copy()
      disk.flip(file, bit: random.below(try #require(try disk.size(file)) * 8))
      let fault = #expect(throws: LogError.self, "\(file)") { _ = try verify(disk, .checksums) }
      #expect(fault.map { "\($0)".contains(file) } == true, "\(file)")
    }
  }

  @Test func aFileThatIsCutShortOrLongerIsFound() throws {
    let name = try #require(try recorded.disk.list(Layout.snapshots).first)
    let path = "\(Layout.snapshots)/\(name)"
    let size = try #require(try recorded.disk.size(path))
    let bytes = try recorded.disk.read(path, at: 0, count: size)
    // The trailer stays whole: only the frames before it are not what they were.
    let forms: [[UInt8]] = [
      Array(bytes[128...]), Array(bytes[..<(size - 16)]) + [0, 0, 0] + Array(bytes[(size - 16)...]),
      Array(bytes[..<300]) + Array(bytes[(size - 16)...]),
    ]
    for form in forms {
      let disk = recorded.disk.copy()
      try disk.create(path, zeros: 0)
      try disk.write(path, at: 0, form)
      for depth in [Verification.Depth.checksums, .chain] {
        #expect(throws: LogError.self) { _ = try verify(disk, depth) }
      }
    }
  }

  @Test(arguments: [1, 2, 5, 1000]) func piecesOfTheReplayProveTheWholeOfIt(count: Int) throws {
    let history = try recorded.history()
    let pieces = try history.deepPieces(count)
    #expect(pieces.count <= count && (count < 5 || pieces.count > 2))
    var seen: [Revision] = []
    for piece in pieces { try history.verify(piece) { seen.append($0.lastRevision) } }
    #expect(seen == recorded.blockEnds)
  }

  @Test func aSnapshotWithOtherNumbersOfBytesInItsPagesIsComparedByItsRows() throws {
    // A version that wrote no names, and every page into each snapshot.
    let revision = try #require(recorded.blockEnds.last { $0 < 2000 })
    let state = recorded.states[Int(revision)]
    let store = SnapshotStore(recorded.disk, RecordedHistory.identity)
    for name in try store.list() where name.revision >= revision { try store.remove(name) }
    var manifest = SnapshotManifest()
    manifest.revision = revision
    manifest.time = state.time
    manifest.parent = try #require(try store.list().last?.revision)
    manifest.digestLow = state.digest.low
    manifest.digestHigh = state.digest.high
    let writer = try SnapshotWriter(recorded.disk, RecordedHistory.identity, manifest)
    try state.forEachPage(changedSince: nil) { try writer.add(PageAddress(table: $0.rawValue, page: $1), $2) }
    _ = try writer.finish()
    try recorded.history().verifyDeep { _ in }
  }
}
