import MusterAudit
import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct ExportProofTests {
  private let recorded: RecordedHistory
  private let history: History
  private let checkpoint: Checkpoint

  init() throws {
    recorded = try RecordedHistory(seed: 81, commits: 1200)
    history = try recorded.history()
    var range = CompactRange()
    for commit in recorded.commits { range.append(leaf: MerkleHash.leaf(commit.encoded())) }
    checkpoint = Checkpoint(origin: "muster/c/1", size: range.size, root: range.root)
  }

  private func parts(_ shown: RevisionRanges) throws -> [ProofPart] {
    var request = ProveExportRequest()
    request.size = checkpoint.size
    request.root = checkpoint.root.array
    request.runs = shown.runs
    let prover = try ExportProver(request, history, AuditFiles(recorded.disk))
    var parts: [ProofPart] = []
    while !prover.isDone { parts += try prover.next(3) }
    return parts
  }

  /// The commits that parts prove, as they are shown with the names that the parts bring along.
  private func proven(_ parts: [ProofPart]) throws -> [Revision: CommitReport] {
    var proven = ProvenCommits()
    var found: [Revision: CommitReport] = [:]
    for part in parts { try proven.take(part) { commit, names in found[commit.revision] = names.report(commit) } }
    guard proven.size == checkpoint.size, proven.root == checkpoint.root else {
      throw AuditError.wrong("another root comes out")
    }
    return found
  }

  private func ranges(_ revisions: [Revision]) -> RevisionRanges {
    var ranges = RevisionRanges()
    for revision in revisions.sorted() { ranges.append(revision...revision) }
    return ranges
  }

  @Test func aWholeExportIsProvedByItsCommitsAlone() throws {
    let parts = try parts(ranges(Array(1...recorded.last)))
    #expect(parts.allSatisfy { $0.hashes.isEmpty })
    let found = try proven(parts)
    let names = recorded.states[recorded.commits.count]
    for commit in recorded.commits {
      let report = names.report(commit)
      // A client that was forgotten since is called by its number where the state is asked.
      if report.requestID.hasPrefix("#") { continue }
      #expect(found[commit.revision] == report)
    }
  }

  @Test func anySelectionIsProvedAndShownWithItsNames() throws {
    var random = SeededGenerator(seed: 9)
    let names = recorded.states[recorded.commits.count]
    for _ in 0..<15 {
      let chosen = (0..<(1 + random.below(40))).map { _ in Revision(1 + random.below(recorded.commits.count)) }
      let found = try proven(try parts(ranges(chosen)))
      for revision in chosen {
        let expected = names.report(recorded.commits[Int(revision) - 1])
        if expected.requestID.hasPrefix("#") { continue }
        #expect(found[revision] == expected)
      }
    }
  }

  @Test func aLateRangeNeedsFewCommitsBesides() throws {
    let shown = ranges(Array(1000...1010))
    let found = try proven(try parts(shown))
    #expect(found.count < 200, "names come from the commits that gave them, not from all")
  }

  @Test func aPartThatIsAlteredLeadsToAnotherRootOrNowhere() throws {
    let good = try parts(ranges([3, 400, 401, 900]))
    var random = SeededGenerator(seed: 10)
    for _ in 0..<400 {
      var parts = good
      let place = random.below(parts.count)
      switch random.below(4) {
      case 0 where !parts[place].commits.isEmpty:
        parts[place].commits[random.below(parts[place].commits.count)] ^= 1 << UInt8(random.below(8))
      case 1 where !parts[place].hashes.isEmpty:
        parts[place].hashes[random.below(parts[place].hashes.count)] ^= 1 << UInt8(random.below(8))
      case 2: parts[place].count = random.next()
      default: parts.remove(at: place)
      }
      #expect(throws: (any Error).self) { try proven(parts) }
    }
  }

  @Test func tilesThatAreDamagedDoNotSpoilAProof() throws {
    let files = AuditFiles(recorded.disk)
    try TreeWriter(files, history.log, after: nil).follow(history.log, through: recorded.last)
    recorded.disk.flip(AuditFiles.path(Tile(level: 0, index: 1)), bit: 999)
    _ = try proven(try parts(ranges([2, 1100])))
  }

  @Test(arguments: [[1], [0, 0], [0, 5, 1], [.max, 1], [0, .max], [0, 9999]] as [[UInt64]])
  func runsThatMakeNoSenseAreRefused(runs: [UInt64]) throws {
    var request = ProveExportRequest()
    request.size = checkpoint.size
    request.root = checkpoint.root.array
    request.runs = runs
    #expect(throws: HistoryError.self) { try ExportProver(request, history, AuditFiles(recorded.disk)) }
  }

  @Test func rangesAreTheirRunsAndCanBeCoarser() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<200 {
      let some = ranges((0..<(1 + random.below(50))).map { _ in Revision(1 + random.below(300)) })
      #expect(RevisionRanges(runs: some.runs) == some)
      let coarse = some.coarsened(to: 5)
      #expect(coarse.ranges.count <= 5)
      #expect(coarse.union(some) == coarse)
      for range in some.ranges { #expect(coarse.contains(range)) }
    }
  }
}
