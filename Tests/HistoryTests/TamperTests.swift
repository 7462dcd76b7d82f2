import MusterAudit
import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// A small log, and what a person keeps who wants to know whether it is changed: one checkpoint.
private struct KeptLog {
  static let identity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)
  private static let segmentBytes = 16 * 1024
  private static let commitsInABlock = 20

  let commits: [[UInt8]]
  let disk: CrashDisk

  init(_ commits: [[UInt8]]) throws {
    self.commits = commits
    disk = CrashDisk()
    try DirectoryIdentity.create(disk, KeptLog.identity, segmentBytes: KeptLog.segmentBytes)
    let plan = try RecoveryPlan.make(try LogReader(disk, identity: KeptLog.identity, confirmed: 0))
    let writer = LogWriter(disk, identity: KeptLog.identity, plan: plan, run: 1, segmentBytes: KeptLog.segmentBytes)
    var builder = BlockBuilder(after: plan.chain)
    var next = 0
    while next < commits.count {
      let end = min(next + KeptLog.commitsInABlock, commits.count)
      for commit in commits[next..<end] { builder.append(commit) }
      if !writer.isSpareReady {
        try LogWriter.prepareSpare(disk, bytes: KeptLog.segmentBytes, pause: {})
        writer.isSpareReady = true
      }
      try writer.append(
        builder.seal(origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: UInt64(next + 1), time: 1))
      next = end
    }
    try writer.confirm(isFinal: true)
  }

  var checkpoint: Checkpoint {
    var range = CompactRange()
    for commit in commits { range.append(leaf: MerkleHash.leaf(commit)) }
    return Checkpoint(
      origin: Checkpoint.origin(clusterID: KeptLog.identity.clusterID, timeline: 1), size: range.size, root: range.root)
  }

  static func commits(_ count: Int, seed: UInt64) -> [[UInt8]] {
    var generator = HistoryGenerator(seed: seed, nodes: 6, shards: 20)
    return (0..<count).map { _ in generator.next().encoded() }
  }

  /// What `muster verify --checkpoint` does.
  static func verify(_ disk: CrashDisk, _ checkpoint: Checkpoint) throws {
    let identity = try DirectoryIdentity.read(disk)
    let log = try LogReader(disk, identity: identity, confirmed: 0)
    _ = try log.verifyChain()
    try History(log, SnapshotStore(disk, identity), through: log.lastRevision).verify(checkpoint)
  }

  /// Every commit that can be read, or nil.
  static func read(_ disk: CrashDisk) -> [[UInt8]]? {
    guard let identity = try? DirectoryIdentity.read(disk),
      let log = try? LogReader(disk, identity: identity, confirmed: 0)
    else { return nil }
    var found: [[UInt8]] = []
    try? log.forEachBlock(from: 1, through: log.lastRevision) { block in
      try block.forEachCommit { bytes, _ in
        found.append(Array(bytes))
        return true
      }
    }
    return found
  }
}

@Suite struct TamperTests {
  /// Somebody with an editor: five thousand edits to the files.
  @Test func everyEditOfTheFilesIsCaught() throws {
    let kept = try KeptLog(KeptLog.commits(40, seed: 3))
    let checkpoint = kept.checkpoint
    try KeptLog.verify(kept.disk, checkpoint)
    var random = SeededGenerator(seed: 1)
    var (caught, harmless) = (0, 0)
    while caught < 5000 {
      let disk = kept.disk.copy()
      try edit(disk, &random)
      guard (try? KeptLog.verify(disk, checkpoint)) != nil else {
        caught += 1
        continue
      }
      // What is not caught touched nothing that was signed: the same commits are read.
      harmless += 1
      #expect(KeptLog.read(disk)?.prefix(kept.commits.count).elementsEqual(kept.commits) == true)
      try #require(
        harmless < 1000, "edits that touch nothing are few: the last confirmation, bytes swapped for the same")
    }
  }

  /// Edits one file as bytes: flips, deletes, inserts, swaps, truncates, or puts an older form of it back.
  private func edit(_ disk: CrashDisk, _ random: inout SeededGenerator) throws {
    let names = try disk.list(Layout.log).filter { $0 != "spare" }
    let path = "\(Layout.log)/\(names[random.below(names.count)])"
    let size = try disk.size(path) ?? 0
    var bytes = try disk.read(path, at: 0, count: size)
    let used = max(1, (bytes.lastIndex { $0 != 0 } ?? 0) + 1)
    let (a, b) = (random.below(used), random.below(used))
    let length = 1 + random.below(64)
    switch random.below(6) {
    case 0: bytes[a] ^= 1 << UInt8(random.below(8))
    case 1: bytes.removeSubrange(a..<min(a + length, used))
    case 2: bytes.insert(contentsOf: (0..<length).map { _ in UInt8(random.below(256)) }, at: a)
    case 3: for place in 0..<min(length, used - max(a, b)) { bytes.swapAt(a + place, b + place) }
    case 4: bytes.removeSubrange(a...)
    default: for place in (a / 4096 * 4096)..<bytes.count { bytes[place] = 0 }
    }
    try disk.create(path, zeros: 0)
    try disk.write(path, at: 0, bytes)
    try disk.sync(path)
  }

  /// Somebody who knows the formats: five thousand edits to the commits, with every checksum, chain value and index made
  /// anew. Only the tree tells.
  @Test func everyEditIsCaughtAlsoWhenChecksumsAndChainAreMadeAnew() throws {
    let commits = KeptLog.commits(40, seed: 4)
    let checkpoint = try KeptLog(commits).checkpoint
    var random = SeededGenerator(seed: 2)
    var tried = 0
    while tried < 5000 {
      let forged = forge(commits, &random)
      guard forged != commits else { continue }
      tried += 1
      let log = try KeptLog(forged)
      // The forgery is a good one: the log itself has nothing to object to.
      #expect(KeptLog.read(log.disk) == forged)
      #expect(throws: HistoryError.self, "forgery \(tried)") { try KeptLog.verify(log.disk, checkpoint) }
    }
  }

  private func forge(_ commits: [[UInt8]], _ random: inout SeededGenerator) -> [[UInt8]] {
    var forged = commits
    let (a, b) = (random.below(commits.count), random.below(commits.count))
    switch random.below(6) {
    case 0:
      let place = random.below(forged[a].count)
      forged[a][place] ^= 1 << UInt8(random.below(8))
    case 1: forged.remove(at: a)
    case 2: forged.insert(commits[b], at: a)
    case 3: forged.swapAt(a, b)
    case 4: forged.removeLast(1 + random.below(commits.count - 1))
    default:
      // Rolled back, and gone another way from there.
      forged = Array(forged.prefix(a)) + KeptLog.commits(commits.count, seed: 99).dropFirst(a)
    }
    return forged
  }

  @Test func tilesOfThatTimeSayWhichCommitWasAltered() throws {
    var commits = KeptLog.commits(700, seed: 5)
    let kept = try KeptLog(commits)
    let files = AuditFiles(kept.disk)
    let log = try LogReader(kept.disk, identity: KeptLog.identity, confirmed: 0)
    try TreeWriter(files, log, after: nil).follow(log, through: 700)
    commits[300][4] ^= 1
    let forged = try KeptLog(commits)
    for tile in [Tile(level: 0, index: 0), Tile(level: 0, index: 1)] {
      try AuditFiles(forged.disk).makeFolders(for: tile)
      try AuditFiles(forged.disk).write(tile, try #require(try files.tile(tile)))
    }
    let changed = try LogReader(forged.disk, identity: KeptLog.identity, confirmed: 0)
    let history = History(changed, SnapshotStore(forged.disk, KeptLog.identity), through: 700)
    #expect {
      try history.verify(kept.checkpoint, AuditFiles(forged.disk))
    } throws: { error in
      if case HistoryError.divergence(301, _) = error { true } else { false }
    }
  }
}
