import MusterAudit
import MusterBytes
import MusterHistory
import MusterLog
import MusterSimulatedDisk
import Testing

/// A second place that a rollback of the directory does not reach.
private final class MemoryNote: NoteCopy {
  let place = "elsewhere.note"
  var note: SignedNote?
  func read() -> SignedNote? { note }
  func write(_ note: SignedNote) { self.note = note }
}

@Suite struct NotaryTests {
  private let recorded: RecordedHistory
  private let copy = MemoryNote()

  init() throws { recorded = try RecordedHistory(seed: 71, commits: 1500) }

  private func notary(_ disk: CrashDisk, seed: UInt8 = 1) throws -> Notary {
    let key = try SigningKey(name: "x", seed: [UInt8](repeating: seed, count: 32))
    return try Notary(
      clusterID: RecordedHistory.identity.clusterID, timeline: 1, key: key, AuditFiles(disk), copy: copy)
  }

  private func log(_ disk: CrashDisk) throws -> LogReader {
    try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
  }

  private var naive: CompactRange {
    var range = CompactRange()
    for commit in recorded.commits { range.append(leaf: MerkleHash.leaf(commit.encoded())) }
    return range
  }

  @Test func theRootIsThatOfTheStoredCommits() throws {
    let notary = try notary(recorded.disk)
    let note = try notary.sign(try log(recorded.disk), through: recorded.last)
    try note.verify([notary.verifierKey])
    let checkpoint = try Checkpoint(note)
    #expect(checkpoint.root == naive.root)
    #expect(checkpoint.size == recorded.last)
    #expect(checkpoint.origin == "muster/\(RecordedHistory.identity.clusterID)/1")
    #expect(copy.note == note)
    #expect(try AuditFiles(recorded.disk).newestNote() == note)
    #expect(try recorded.disk.list("audit/tile/0").count == Int(recorded.last) / 256)
  }

  @Test func itGoesOnFromTheTilesAfterARestart() throws {
    let log = try log(recorded.disk)
    _ = try notary(recorded.disk).sign(log, through: 700)
    _ = try notary(recorded.disk).sign(log, through: 700)
    let note = try notary(recorded.disk).sign(log, through: recorded.last)
    #expect(try Checkpoint(note).root == naive.root)
    let tree = StoredTree(log, AuditFiles(recorded.disk), size: recorded.last)
    #expect(try tree.root(recorded.last) == naive.root)
    #expect(tree.tilesMade <= 2, "only the right edge is made from commits")
  }

  @Test func missingAndDamagedTilesAreMadeAnew() throws {
    let log = try log(recorded.disk)
    _ = try notary(recorded.disk).sign(log, through: 1200)
    let path = AuditFiles.path(Tile(level: 0, index: 1))
    try recorded.disk.remove(path)
    recorded.disk.flip(AuditFiles.path(Tile(level: 0, index: 2)), bit: 77)
    let note = try notary(recorded.disk).sign(log, through: recorded.last)
    #expect(try Checkpoint(note).root == naive.root)
    let tree = StoredTree(log, AuditFiles(recorded.disk), size: recorded.last)
    #expect(try tree.root(recorded.last) == naive.root)
    #expect(try recorded.disk.size(path) == 8192)
  }

  @Test func aDamagedTileBelowAFullOneIsNotBelieved() throws {
    // So large a tree that a full tile of the second level stands over those of the first.
    let leaves = (0..<70_000).map { MerkleHash.leaf([UInt8($0 & 255), UInt8($0 >> 8 & 255), UInt8($0 >> 16)]) }
    let disk = CrashDisk()
    let files = AuditFiles(disk)
    var frontier = TileFrontier()
    for leaf in leaves {
      try frontier.append(leaf: leaf) { (tile, hashes) throws(StorageError) in
        try files.makeFolders(for: tile)
        try files.write(tile, hashes)
      }
    }
    disk.flip(AuditFiles.path(Tile(level: 0, index: 3)), bit: 5)
    let tree = StoredTree(try log(recorded.disk), files, size: 65_536)
    #expect(throws: Never.self) { try tree.root(65_536) }
    // The tile would have to be made from commits, and this log has other ones: the damage is not taken for the truth.
    let made = try tree.hash(of: Subtree(level: 0, index: 3 * 256))
    #expect(made == MerkleHash.leaf(recorded.commits[3 * 256].encoded()))
    #expect(try tree.hash(of: Subtree(level: 0, index: 256)) == leaves[256])
  }

  @Test func aDirectoryThatWasRolledBackIsNotSigned() throws {
    let before = recorded.disk.copy()
    _ = try notary(recorded.disk).sign(try log(recorded.disk), through: recorded.last)
    // The directory comes back as it was before, and its log ends earlier than what was signed.
    #expect {
      try notary(before).sign(try log(before), through: 900)
    } throws: { error in
      "\(error)".contains("rolled back") && "\(error)".contains("elsewhere.note")
    }
  }

  @Test func aDirectoryThatWentAnotherWayIsNotSigned() throws {
    _ = try notary(recorded.disk).sign(try log(recorded.disk), through: 1000)
    let other = try RecordedHistory(seed: 72, commits: 1500)
    #expect {
      try notary(other.disk).sign(try log(other.disk), through: other.last)
    } throws: { error in
      "\(error)".contains("not those of the checkpoint")
    }
    #expect(copy.note.map { try? Checkpoint($0).size } == 1000, "the copy is not overwritten")
  }

  @Test func anotherKeyIsNotTakenForTheOneThatSigned() throws {
    _ = try notary(recorded.disk).sign(try log(recorded.disk), through: 10)
    #expect(throws: NotaryRefusal.self) {
      try notary(recorded.disk, seed: 2).sign(try log(recorded.disk), through: 20)
    }
  }

  @Test func laterCheckpointsGoOnFromEarlierOnes() throws {
    let log = try log(recorded.disk)
    let notary = try notary(recorded.disk)
    var notes = [try notary.sign(log, through: 1)]
    for size in [2, 255, 256, 257, 900, recorded.last] as [UInt64] {
      notes.append(try notary.sign(log, through: size))
      let tree = StoredTree(log, AuditFiles(recorded.disk), size: size)
      for old in notes {
        let path = try ConsistencyProof(from: try Checkpoint(old).size, to: size, tree).path
        try GrowthProof(old: old, path: path, new: notes[notes.count - 1]).check()
      }
    }
  }
}
