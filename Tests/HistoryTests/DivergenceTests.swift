import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import Testing

/// Files that are whole, checksums and all, and do not say what happened.
@Suite struct DivergenceTests {
  private let recorded: RecordedHistory

  init() throws { recorded = try RecordedHistory(seed: 71, commits: 1200) }

  private func expectDivergence(
    _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) {
    do {
      try body()
      Issue.record("it was not noticed", sourceLocation: location)
    } catch let error as HistoryError {
      #expect(error.isCorruption, sourceLocation: location)
    } catch {
      Issue.record("\(error)", sourceLocation: location)
    }
  }

  /// Puts a base of `state` in place as if it were of `revision`.
  private func forgeSnapshot(of state: State, as revision: Revision, digest: SetDigest) throws {
    let truth = recorded.states[Int(revision)]
    let store = SnapshotStore(recorded.disk, RecordedHistory.identity)
    for name in try store.list() where name.revision >= revision { try store.remove(name) }
    var manifest = SnapshotManifest()
    manifest.revision = revision
    manifest.time = truth.time
    manifest.digestLow = digest.low
    manifest.digestHigh = digest.high
    let writer = try SnapshotWriter(recorded.disk, RecordedHistory.identity, manifest)
    try state.forEachPage(changedSince: nil) { table, page, bytes in
      try writer.add(PageAddress(table: table.rawValue, page: page), bytes)
    }
    _ = try writer.finish()
  }

  @Test func aSnapshotOfAnotherStateIsNoticedByWhoeverReadsThroughIt() throws {
    let revision = try #require(recorded.blockEnds.last { $0 < 1000 })
    let other = recorded.states[Int(revision) - 1]
    // Whether its manifest tells the truth about its rows, or about the state it claims to be.
    for digest in [other.digest, recorded.states[Int(revision)].digest] {
      try forgeSnapshot(of: other, as: revision, digest: digest)
      expectDivergence { _ = try recorded.history().state(at: revision) }
      // What comes after may put right what was wrong; then nobody is told anything false.
      if let after = try? recorded.history().state(at: revision + 1) {
        try expectSame(after, recorded.states[Int(revision) + 1])
      }
      expectDivergence { try recorded.history().verifyDeep { _ in } }
      expectDivergence { try verifyInPieces() }
      try expectSame(try recorded.history().state(at: revision - 1), recorded.states[Int(revision) - 1])
    }
  }

  @Test func aSnapshotBetweenBlocksIsNoticedByTheDeepCheck() throws {
    let inside = try #require((1..<1000).last { !recorded.blockEnds.contains($0) })
    let state = recorded.states[Int(inside)]
    try forgeSnapshot(of: state, as: inside, digest: state.digest)
    try expectSame(try recorded.history().state(at: inside + 1), recorded.states[Int(inside) + 1])
    expectDivergence { try recorded.history().verifyDeep { _ in } }
    expectDivergence { try verifyInPieces() }
  }

  /// As `verify --deep` does it: every snapshot begins a piece of its own.
  private func verifyInPieces() throws {
    let history = try recorded.history()
    let pieces = try history.deepPieces(.max)
    #expect(pieces.count > 3)
    for piece in pieces { try history.verify(piece) { _ in } }
  }

  @Test func aBlockWhoseDigestLiesIsNoticedAtEveryMomentInIt() throws {
    let disk = recorded.disk
    let log = try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
    let plan = try RecoveryPlan.make(log)
    try plan.execute(disk)
    let writer = LogWriter(disk, identity: RecordedHistory.identity, plan: plan, run: 2, segmentBytes: 512 * 1024)
    try LogWriter.prepareSpare(disk, bytes: 512 * 1024, pause: {})
    writer.isSpareReady = true
    var builder = BlockBuilder(after: plan.chain)
    var state = try #require(recorded.states.last)
    let first = state.revision + 1
    for place in 0..<3 as Range<UInt64> {
      let commit = state.cordonSomething(at: place)
      builder.append(try #require(commit).encoded())
    }
    try writer.append(
      builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: 2), firstRevision: first, time: state.time, eventCount: 3,
        digest: try #require(recorded.states.last).digest))
    let history = try recorded.history(through: state.revision)
    for revision in first...state.revision { expectDivergence { _ = try history.state(at: revision) } }
    try expectSame(try history.state(at: first - 1), try #require(recorded.states.last))
  }
}

extension State {
  /// Cordons or uncordons the first member, so that something is decided.
  fileprivate mutating func cordonSomething(at place: UInt64) -> Commit? {
    guard let row = (1..<nodes.nextID).map({ nodes[$0] }).first(where: { !$0.isRemoved }) else { return nil }
    let request = Request(.cordonNode(CordonNode(name: row.name, isOn: !row.isCordoned)))
    let context = RequestContext(principal: "ops", kind: .person, assurance: .asserted, wallTime: time + place)
    guard case .committed(let commit) = execute(request, context, NoPlaces()) else { return nil }
    return commit
  }
}
