import Glibc
import MusterDisk
import MusterLog
import Synchronization
import Testing

@Suite struct SpaceTests {
  private let scratch = Scratch()

  /// What the journal said of space, as it said it.
  private final class Reports: Sendable {
    private let all = Mutex<[String?]>([])
    func note(_ problem: String?) { all.withLock { $0.append(problem) } }
    var last: String?? { all.withLock { $0.last } }

    /// Waits until the last report is as wanted; the journal tries again twice a second.
    func await(problem: Bool) {
      while last.map({ ($0 != nil) == problem }) != true { usleep(1000) }
    }
  }

  @Test func aFullDiskRefusesBeforeItWritesAndEndsWithoutANewStart() throws {
    let files = FaultyStorage(scratch.data)
    try Journal.create(scratch.data, identity: Journal.testIdentity, options: Journal.testOptions)
    files.fill(true)
    // At the start there is no spare, and none can be made; the first segment has room for a while.
    let journal = try Journal.open(scratch.data, on: files, options: Journal.testOptions)
    let reports = Reports()
    journal.observeSpace { reports.note($0) }
    reports.await(problem: true)
    var expected: [[UInt8]] = []
    var refusal: LogError?
    while refusal == nil {
      let next = commit(expected.count + 1, bytes: 9000)
      do throws(LogError) {
        try journal.append(block(journal, next))
        expected.append(next)
      } catch {
        refusal = error
      }
    }
    #expect(refusal == .full)
    #expect(expected.count >= 4)
    #expect(try journal.openReader().commits() == expected)

    files.fill(false)
    reports.await(problem: false)
    for _ in 0..<20 {
      let next = commit(expected.count + 1, bytes: 9000)
      try journal.append(block(journal, next))
      expected.append(next)
    }
    try journal.close()
    #expect(try JournalReader(scratch.data).commits() == expected)
  }

  private func block(_ journal: Journal, _ commit: [UInt8]) -> SealedBlock {
    var builder = journal.builder()
    builder.append(commit)
    return builder.seal(
      origin: BlockOrigin(timeline: 1, term: 1, run: journal.run), firstRevision: journal.lastRevision + 1, time: 0)
  }

  @Test func aSyncThatFailsIsFinal() throws {
    let files = FaultyStorage(scratch.data)
    try Journal.create(scratch.data, identity: Journal.testIdentity, options: Journal.testOptions)
    let journal = try Journal.open(scratch.data, on: files, options: Journal.testOptions)
    try journal.append([[1]])
    files.failSync(".live")
    let broken = StorageError(
      operation: "sync", path: "log/00000000000000000001.live", code: EIO, message: "input/output error")
    #expect(throws: LogError.poisoned(broken)) { try journal.append([[2]]) }
    files.failSync("never")
    #expect(throws: LogError.poisoned(broken)) { try journal.append([[2]]) }
    #expect(throws: LogError.poisoned(broken)) { try journal.confirm() }
    #expect(throws: LogError.poisoned(broken)) { try journal.close() }
    // The next start finds the acknowledged block, and perhaps the other.
    let next = try Journal.open(scratch.data, options: Journal.testOptions)
    let commits = try next.openReader().commits()
    #expect(commits == [[1]] || commits == [[1], [2]])
    try next.close()
  }
}
