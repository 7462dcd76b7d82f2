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
}
