import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct RestorationTests {
  /// A journal on a disk, whoever's it is.
  private func open(_ disk: CrashDisk) throws -> History {
    let identity = try DirectoryIdentity.read(disk)
    let snapshots = SnapshotStore(disk, identity)
    let log = try LogReader(disk, identity: identity, confirmed: try snapshots.list().last?.revision ?? 0)
    return History(log, snapshots, through: log.lastRevision)
  }

  private func occasion(_ digit: String) -> Restoration.Occasion {
    Restoration.Occasion(
      clusterID: String(repeating: digit, count: 32), principal: "ann", wallTime: 1, reason: "a drill")
  }

  @discardableResult
  private func restore(
    _ source: CrashDisk, at revision: Revision, into target: CrashDisk, as digit: String = "a"
  ) throws -> Restoration.Result {
    try Restoration.run(try open(source), from: source, at: revision, into: target, occasion(digit))
  }

  private func commits(_ disk: CrashDisk, through last: Revision) throws -> [[UInt8]] {
    var all: [[UInt8]] = []
    try open(disk).log.forEachBlock(from: 1, through: last) { block in
      try block.forEachCommit { bytes, revision in
        if revision <= last { all.append(Array(bytes)) }
        return true
      }
    }
    return all
  }

  /// Chain values by the last revisions of their blocks.
  private func chains(_ disk: CrashDisk) throws -> [Revision: SHA256Value] {
    var found: [Revision: SHA256Value] = [:]
    _ = try open(disk).log.verifyChain { header, chain in found[header.lastRevision] = chain }
    return found
  }

  @Test(arguments: 0..<6)
  func everyCommitUpToThereIsTheSameAndTheNextSaysWhereItComesFrom(seed: Int) throws {
    let recorded = try RecordedHistory(seed: UInt64(seed), commits: 1500)
    var random = SeededGenerator(seed: UInt64(seed) + 100)
    let before = try chains(recorded.disk)
    let ends = [recorded.blockEnds[7], recorded.last, 1]
    for revision in ends + (0..<4).map({ _ in 1 + UInt64(random.below(Int(recorded.last))) }) {
      let disk = CrashDisk()
      let result = try restore(recorded.disk, at: revision, into: disk)
      #expect(result.restored == revision && result.lastRevision == revision + 1)
      let isTheSame = try commits(disk, through: revision) == commits(recorded.disk, through: revision)
      #expect(isTheSame)
      let restored = try open(disk)
      let cut = recorded.blockEnds.last { $0 <= revision } ?? 0
      for (end, chain) in try chains(disk) where end <= cut { #expect(before[end] == chain) }
      #expect(try restored.state(at: revision).digest == recorded.states[Int(revision)].digest)
      try restored.verifyDeep { _ in }
      let began = try restored.commit(revision + 1)
      let event = began.events.compactMap { event in
        if case .timelineBegan(let began) = event { began } else { nil }
      }.first
      #expect(event?.parentCluster == RecordedHistory.identity.clusterID)
      #expect(event?.parentTimeline == 1 && event?.revision == revision && event?.lastRevision == cut)
      #expect(event?.chain == (cut == 0 ? SHA256Value.zero : before[cut])?.withUnsafeBytes { Array($0) })
      #expect(restored.log.identity.timeline == 2)
      #expect(restored.log.identity.clusterID != RecordedHistory.identity.clusterID)
    }
  }

  @Test func aRestoredClusterIsRestoredAgainBeforeAndBehindItsOwnBeginning() throws {
    let recorded = try RecordedHistory(seed: 9, commits: 900)
    let middle = try #require(recorded.blockEnds.first { $0 > 400 }) - 1
    let first = CrashDisk()
    try restore(recorded.disk, at: middle, into: first, as: "b")
    let cut = try #require(try open(first).log.identity.ancestors.first).lastRevision
    #expect(cut < middle)
    for revision in [middle + 1, middle, cut + 1, cut, 200] {
      let second = CrashDisk()
      try restore(first, at: revision, into: second, as: "c")
      let history = try open(second)
      try history.verifyDeep { _ in }
      _ = try Verification.run(history.log, history.snapshots)
      #expect(history.log.identity.timeline == 3)
      // What the second one stood for is an ancestor only where a block of it was taken, or one was cut.
      let parents = history.log.identity.ancestors.map(\.timeline)
      #expect(parents == (revision > cut ? [1, 2] : [1]))
      let isTheSame = try commits(second, through: revision) == commits(first, through: revision)
      #expect(isTheSame)
    }
  }

  @Test func aRestoreThatIsCutShortIsNoJournalAndIsBegunAnew() throws {
    let recorded = try RecordedHistory(seed: 4, commits: 700)
    let whole = CrashDisk()
    try restore(recorded.disk, at: 650, into: whole)
    var random = SeededGenerator(seed: 8)
    for death in 1...whole.operationCount {
      let disk = CrashDisk()
      disk.diesAtOperation = death
      #expect(throws: (any Error).self) { try restore(recorded.disk, at: 650, into: disk) }
      disk.crash(&random)
      if let history = try? open(disk) {
        // All was there but the mark's going.
        try history.verifyDeep { _ in }
        #expect(history.last == 651)
        #expect(throws: LogError.occupied) { try restore(recorded.disk, at: 650, into: disk) }
      } else {
        try restore(recorded.disk, at: 650, into: disk)
        #expect(try open(disk).last == 651)
      }
    }
  }

  @Test func aMomentThatIsNotThereAndADirectoryThatIsTakenAreRefused() throws {
    let recorded = try RecordedHistory(seed: 4, commits: 300)
    #expect(throws: HistoryError.self) { try restore(recorded.disk, at: recorded.last + 1, into: CrashDisk()) }
    #expect(throws: HistoryError.self) { try restore(recorded.disk, at: 0, into: CrashDisk()) }
    #expect(throws: LogError.occupied) { try restore(recorded.disk, at: 10, into: recorded.disk) }
    let taken = CrashDisk()
    try taken.create("letters", zeros: 1)
    #expect(throws: LogError.occupied) { try restore(recorded.disk, at: 10, into: taken) }
    let full = CrashDisk()
    full.capacity = 3_000
    #expect(throws: (any Error).self) { try restore(recorded.disk, at: 250, into: full) }
    full.capacity = .max
    try restore(recorded.disk, at: 250, into: full)
    #expect(try open(full).last == 251)
  }

  @Test func rotInTheBackupIsNotTakenOver() throws {
    let recorded = try RecordedHistory(seed: 4, commits: 900)
    let name = try #require(try SegmentName.all(in: recorded.disk.list(Layout.log)).first)
    recorded.disk.flip(name.path, bit: (4096 + 130) * 8)
    #expect(throws: (any Error).self) { try restore(recorded.disk, at: 900, into: CrashDisk()) }
  }

  /// Frames of an ancestor are its heirs' only from the time before it was left.
  @Test func whatAnAncestorWroteAfterItWasLeftIsForeign() throws {
    let recorded = try RecordedHistory(seed: 4, commits: 1200)
    let disk = CrashDisk()
    let cut = recorded.blockEnds[recorded.blockEnds.count / 2]
    try restore(recorded.disk, at: cut, into: disk)
    let identity = try DirectoryIdentity.read(disk)
    var header = RecordedHistory.identity.frame(.block)
    header.commitCount = 1
    header.firstRevision = cut
    #expect(identity.owns(header))
    header.firstRevision = cut + 1
    #expect(!identity.owns(header))
    header.firstRevision = cut
    header.commitCount = 2
    #expect(!identity.owns(header))
  }
}
