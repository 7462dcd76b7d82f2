import MusterDisk
import MusterLog

/// A control plane in miniature: an account whose every booking is remembered, and whose balance is a view rebuilt from
/// them. `journal-example DIR 25 -10` books two amounts and shows the account as it was after each.
@main enum JournalExample {
  static func main() throws {
    guard CommandLine.arguments.count > 1 else {
      print("journal-example DIRECTORY [AMOUNT…]")
      return
    }
    let directory = CommandLine.arguments[1]
    for amount in CommandLine.arguments.dropFirst(2).compactMap({ Int64($0) }) {
      try book(amount, in: directory)
    }
    try show(directory)
  }

  /// Appends one commit; when this returns it is on disk, and survives whatever happens then.
  static func book(_ amount: Int64, in directory: String) throws {
    if Journal.isVacant(directory) {
      try Journal.create(directory, identity: LogIdentity(clusterID: newID(), timeline: 1))
    }
    let journal = try Journal.open(directory)
    let balance = try balance(journal.openReader(), through: journal.lastRevision) + amount
    var block = journal.builder()
    block.append(Array(String(amount).utf8))
    try journal.append(
      block.seal(
        origin: BlockOrigin(timeline: journal.identity.timeline, term: 1, run: journal.run),
        firstRevision: journal.lastRevision + 1, time: 0, eventCount: 1,
        digest: StateDigest(low: UInt64(bitPattern: balance))))
    if journal.lastRevision % 100 == 0 {
      try journal.writeSnapshot(SnapshotDescription(revision: journal.lastRevision, time: 0)) { add in
        try add(1, 0, Array(String(balance).utf8))
      }
    }
    try journal.close()
  }

  /// The view at any revision: the newest snapshot before it, and the commits since.
  static func balance(_ reader: JournalReader, through revision: UInt64) throws -> Int64 {
    var balance: Int64 = 0
    let snapshot = try reader.loadSnapshot(atOrBefore: revision) { _, _, page in balance = number(page) }
    try reader.forEachCommit(from: (snapshot?.revision ?? 0) + 1, through: revision) { commit, _ in
      balance += number(commit)
      return true
    }
    return balance
  }

  static func show(_ directory: String) throws {
    let reader = try JournalReader(directory)
    try reader.verify()
    for revision in 0...reader.lastRevision {
      print("revision \(revision): \(try balance(reader, through: revision))")
    }
  }

  private static func number(_ bytes: UnsafeRawBufferPointer) -> Int64 {
    Int64(String(decoding: bytes, as: UTF8.self)) ?? 0
  }

  private static func newID() -> String {
    String((0..<32).map { _ in "0123456789abcdef".randomElement() ?? "0" })
  }
}
