import MusterAudit
import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A history whose beginning was cut, beside the same one whole.
@Suite struct CutHistoryTests {
  private let whole: RecordedHistory
  private let cut: RecordedHistory
  private let horizon: Horizon
  /// Signed before the cut: of commits that are gone, and of some that stay.
  private let checkpoints: [Checkpoint]

  init() throws {
    whole = try RecordedHistory(seed: 81, commits: 9000)
    cut = try RecordedHistory(seed: 81, commits: 9000)
    let log = try cut.history().log
    let key = try SigningKey(name: "x", seed: [UInt8](repeating: 1, count: 32))
    let notary = try Notary(
      clusterID: RecordedHistory.identity.clusterID, timeline: 1, key: key, AuditFiles(cut.disk), copy: nil)
    checkpoints = try [700, cut.last - 100].map { try Checkpoint(try notary.sign(log, through: $0)) }
    var bounds = RetentionBounds()
    bounds.logBytes = 1
    let planned = try #require(try cut.history().plannedCut(bounds, AuditFiles(cut.disk)))
    var horizon = planned.horizon
    horizon.cutAt = cut.last
    self.horizon = horizon
    #expect(try !Cutting.cut(cut.disk, RecordedHistory.identity, to: horizon).isEmpty)
    #expect(horizon.firstRevision > 1000 && horizon.revision + 500 < cut.last)
  }

  private func isCut(_ body: () throws -> Void) -> Bool {
    do { try body() } catch HistoryError.cut { return true } catch {}
    return false
  }

  @Test func whatStaysIsAsItWasAndWhatIsGoneIsSaidToBe() throws {
    let history = try cut.history()
    var random = SeededGenerator(seed: 5)
    for _ in 0..<60 {
      let revision = 1 + Revision(random.below(Int(cut.last)))
      guard revision >= horizon.revision else {
        #expect(isCut { _ = try history.state(at: revision) })
        #expect(isCut { _ = try history.commit(revision) })
        #expect(isCut { _ = try history.resolve(.time(1), clock: 0) })
        continue
      }
      let state = try history.state(at: revision)
      #expect(state.digest == whole.states[Int(revision)].digest)
      #expect(try history.commit(revision) == whole.commits[Int(revision) - 1])
    }
    try history.verifyDeep { _ in }
    for piece in try history.deepPieces(4) { try history.verify(piece) { _ in } }
  }

  @Test func theLogBeginsAtTheHorizon() throws {
    let history = try cut.history()
    var request = LogRequest()
    request.isOldestFirst = true
    let cursor = try LogCursor(request, history, names: cut.states[Int(cut.last)], clock: 0)
    var next = horizon.revision
    while !cursor.isDone {
      for commit in try cursor.nextCommits(500) {
        #expect(commit.revision == next)
        next += 1
      }
    }
    #expect(next == cut.last + 1)
    request.from = .revision(horizon.revision - 1)
    #expect(isCut { _ = try LogCursor(request, history, names: cut.states[Int(cut.last)], clock: 0) })
  }

  /// The same as from the whole history, but for what was decided before the horizon, which nobody can say any more.
  @Test func blameSaysWhatWasCut() throws {
    let history = try cut.history()
    let full = try whole.history()
    let state = whole.states[Int(whole.last)]
    var known = 0
    var gone = 0
    for node in 1...UInt32(state.nodes.count) where !state.nodes[node].isRemoved {
      let name = try #require(EntityName("node/\(state.nodes[node].name)"))
      let expected = try full.blame(name, in: state)
      let found = try history.blame(name, in: state)
      #expect(found.fields.map(\.name) == expected.fields.map(\.name))
      for (field, truth) in zip(found.fields, expected.fields) {
        let since = truth.since <= horizon.revision ? 0 : truth.since
        #expect(field.since == since && field.value == truth.value, "\(field.name) of \(state.nodes[node].name)")
        if since == 0 { gone += 1 } else { known += 1 }
      }
    }
    #expect(known > 0 && gone > 0)
  }

  /// The tree goes on as if nothing had been cut, from the tiles and without them.
  @Test func theTreeGoesOn() throws {
    let history = try cut.history()
    var naive = CompactRange()
    for commit in whole.commits { naive.append(leaf: MerkleHash.leaf(commit.encoded())) }
    #expect(try StoredTree(history.log, AuditFiles(cut.disk), size: cut.last).root(cut.last) == naive.root)
    #expect(try StoredTree(history.log, nil, size: cut.last).root(cut.last) == naive.root)
    let bare = cut.disk.copy()
    let folder = "audit/tile/0"
    for name in try bare.list(folder) { try? bare.remove("\(folder)/\(name)") }
    let key = try SigningKey(name: "x", seed: [UInt8](repeating: 1, count: 32))
    for disk in [cut.disk, bare] {
      let notary = try Notary(
        clusterID: RecordedHistory.identity.clusterID, timeline: 1, key: key, AuditFiles(disk), copy: nil)
      let note = try notary.sign(try cut.history().log, through: cut.last)
      #expect(try Checkpoint(note).root == naive.root)
    }
  }

  /// Who holds a checkpoint of what was cut still finds out that the tree was exchanged.
  @Test func checkpointsOfWhatWasCutStillHold() throws {
    let history = try cut.history()
    for checkpoint in checkpoints {
      try history.verify(checkpoint, AuditFiles(cut.disk))
      let forged = Checkpoint(
        origin: checkpoint.origin, size: checkpoint.size, root: MerkleHash.leaf([1, 2, 3]), parent: nil)
      #expect(throws: HistoryError.self) { try history.verify(forged, AuditFiles(cut.disk)) }
    }
    #expect(isCut { try history.verify(checkpoints[0]) })
  }

  // MARK: Proofs of exports

  /// Cuts as a server does, by a commit.
  ///
  /// - Parameter isNamed: the commit has the root of the names at the horizon.
  private func cutByCommit(isNamed: Bool) throws -> RecordedHistory {
    let recorded = try RecordedHistory(seed: 81, commits: 9000)
    var policy = RetentionPolicy()
    policy.logSeconds = Limits.retentionSecondsMin
    _ = try recorded.execute(.setRetention(SetRetention(policy)))
    var bounds = RetentionBounds()
    bounds.logBytes = 1
    let planned = try #require(try recorded.history().plannedCut(bounds, AuditFiles(recorded.disk)))
    var event = planned.event
    if !isNamed { event.names = [] }
    let commit = try #require(try recorded.execute(.cutHistory(CutHistory(event)), by: .controller))
    var horizon = planned.horizon
    horizon.cutAt = commit.revision
    horizon.cutTime = commit.time
    #expect(try !Cutting.cut(recorded.disk, RecordedHistory.identity, to: horizon).isEmpty)
    return recorded
  }

  private func parts(_ recorded: RecordedHistory, _ shown: [Revision]) throws -> [ProofPart] {
    var ranges = RevisionRanges()
    for revision in shown { ranges.append(revision...revision) }
    var request = ProveExportRequest()
    request.size = recorded.last
    request.runs = ranges.runs
    let prover = try ExportProver(request, try recorded.history(), AuditFiles(recorded.disk))
    var parts: [ProofPart] = []
    while !prover.isDone { parts += try prover.next(3) }
    return parts
  }

  /// The commits that parts prove, shown with the names that the parts bring along.
  private func proven(_ parts: [ProofPart], _ recorded: RecordedHistory) throws -> [Revision: CommitReport] {
    var tree = CompactRange()
    for commit in recorded.commits { tree.append(leaf: MerkleHash.leaf(commit.encoded())) }
    var proven = ProvenCommits()
    var found: [Revision: CommitReport] = [:]
    for part in parts { try proven.take(part) { commit, names in found[commit.revision] = names.report(commit) } }
    guard proven.size == recorded.last, proven.root == tree.root, proven.areNamesProved else {
      throw AuditError.wrong("another root comes out")
    }
    return found
  }

  @Test func anExportBehindTheCutIsProvedWithTheNamesFromBeforeIt() throws {
    let recorded = try cutByCommit(isNamed: true)
    let log = try recorded.history().log
    let shown = Array(log.oldestRevision...recorded.last)
    let names = try #require(recorded.states.last)
    for shown in [shown, shown.filter { $0 % 97 == 0 }, Array(shown.suffix(20))] {
      let parts = try parts(recorded, shown)
      #expect(parts.contains { $0.isOfNames && !$0.commits.isEmpty })
      let found = try proven(parts, recorded)
      for revision in shown {
        let expected = names.report(recorded.commits[Int(revision) - 1])
        if expected.requestID.hasPrefix("#") { continue }
        #expect(found[revision] == expected)
      }
    }
  }

  @Test func aNameThatIsAlteredIsFound() throws {
    let recorded = try cutByCommit(isNamed: true)
    let good = try parts(recorded, [recorded.last - 40, recorded.last - 3])
    let ofNames = good.indices.filter { good[$0].isOfNames }
    #expect(ofNames.count > 1 && ofNames == Array(0..<ofNames.count))
    var random = SeededGenerator(seed: 12)
    for _ in 0..<300 {
      var parts = good
      let place = random.below(ofNames.count)
      switch random.below(5) {
      case 0 where !parts[place].commits.isEmpty:
        parts[place].commits[random.below(parts[place].commits.count)] ^= 1 << UInt8(random.below(8))
      case 1 where !parts[place].hashes.isEmpty:
        parts[place].hashes[random.below(parts[place].hashes.count)] ^= 1 << UInt8(random.below(8))
      case 2: parts[place].count = random.next()
      case 3: parts.append(parts.remove(at: place))
      default: parts.remove(at: place)
      }
      #expect(throws: (any Error).self) { try proven(parts, recorded) }
    }
    // The commit that says which names there were is one of those that are proved.
    let cutAt = try #require(try recorded.history().log.horizon?.cutAt)
    let rest = try proven(good, recorded)
    #expect(rest[cutAt]?.events.contains { $0.type == "HistoryCut" } == true)
  }

  @Test func aCutWithoutNamesProvesNothingThatNeedsThem() throws {
    let recorded = try cutByCommit(isNamed: false)
    #expect(isCut { _ = try parts(recorded, [recorded.last - 3]) })
  }

  // MARK: Restored from before the cut

  /// The commit that cut is not taken over; the heir says itself what it does not have.
  @Test func aRestoreToBeforeTheCutSaysWhatWasCut() throws {
    let recorded = try cutByCommit(isNamed: true)
    let source = try recorded.history()
    let horizon = try #require(source.log.horizon)
    let cutAt = horizon.cutAt
    for revision in [horizon.revision + 3, cutAt - 1, cutAt, recorded.last] {
      let disk = CrashDisk()
      let occasion = Restoration.Occasion(
        clusterID: String(repeating: "a", count: 32), principal: "ann", wallTime: 1, reason: "a drill")
      let result = try Restoration.run(source, from: recorded.disk, at: revision, into: disk, occasion)
      let identity = try DirectoryIdentity.read(disk)
      let log = try LogReader(disk, identity: identity, confirmed: 0)
      let restored = History(log, SnapshotStore(disk, identity), through: log.lastRevision)
      let row = try restored.state(at: restored.last).retention
      #expect(row.horizon == horizon.revision && row.horizonTime == horizon.time)
      #expect(row.cutAt == (revision < cutAt ? revision + 1 : cutAt))
      #expect(log.horizon?.cutAt == row.cutAt && log.horizon?.cutTime == row.cutTime)
      #expect(result.lastRevision == revision + 1)
      let said = try restored.commit(row.cutAt).events.compactMap { event in
        if case .historyCut(let cut) = event { cut } else { nil }
      }
      let original = try source.commit(cutAt).events.compactMap { event in
        if case .historyCut(let cut) = event { cut } else { nil }
      }
      #expect(said == original && said.count == 1)
      #expect(isCut { _ = try restored.state(at: horizon.revision - 1) })
      try restored.verifyDeep { _ in }
      // What was said of names serves the proofs of exports.
      var request = ProveExportRequest()
      request.size = restored.last
      var ranges = RevisionRanges()
      ranges.append(revision...revision)
      request.runs = ranges.runs
      let prover = try ExportProver(request, restored, AuditFiles(disk))
      while !prover.isDone { _ = try prover.next(8) }
      // And it can be restored again, from before and behind its own beginning.
      let again = CrashDisk()
      _ = try Restoration.run(restored, from: disk, at: restored.last, into: again, occasion)
      #expect(try Horizon.read(again, try DirectoryIdentity.read(again))?.cutAt == row.cutAt)
    }
  }
}
