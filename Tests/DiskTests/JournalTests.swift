import Glibc
import MusterDisk
import MusterLog
import Testing

@Suite struct JournalTests {
  private let scratch = Scratch()

  @Test func whatWasAppendedIsThereAfterANewStart() throws {
    var journal = try Journal.fresh(scratch.data)
    var expected: [[UInt8]] = []
    for revision in 1...20 {
      expected.append(commit(revision))
      try journal.append([commit(revision)])
      if revision % 5 == 0 {
        try journal.close()
        journal = try Journal.open(scratch.data, options: Journal.testOptions)
        #expect(journal.lastRevision == UInt64(revision))
        #expect(journal.run == UInt64(revision / 5 + 1))
      }
    }
    #expect(try journal.openReader().commits() == expected)
    #expect(try journal.openReader().commits(from: 7, through: 9) == Array(expected[6...8]))
    try journal.close()
  }

  @Test func segmentsRollArePackedAndStayTheSameLog() throws {
    let journal = try Journal.fresh(scratch.data)
    var expected: [[UInt8]] = []
    for revision in 1...300 {
      let bytes = commit(revision, bytes: revision % 7 == 0 ? 20_000 : 300)
      expected.append(bytes)
      try journal.append([bytes], time: UInt64(revision) * 10)
      if revision % 50 == 0 {
        let isSame = try journal.openReader().commits() == expected
        #expect(isSame)
      }
    }
    try journal.close()
    let files = try FileStorage(root: scratch.data).list("log")
    #expect(files.contains { $0.hasSuffix(".sealed") })
    #expect(files.filter { $0.hasSuffix(".live") }.count == 1)
    let reader = try JournalReader(scratch.data)
    try reader.verify()
    let isSame = try reader.commits() == expected
    #expect(isSame)
    #expect(try reader.lastRevision(atOrBefore: 9) == nil)
    for revision in 1...300 as ClosedRange<UInt64> {
      #expect(try reader.lastRevision(atOrBefore: revision * 10 + 3) == revision)
    }
  }

  @Test func directoriesAndFilesAreTheOwnersAlone() throws {
    let journal = try Journal.fresh(scratch.data)
    for revision in 1...40 { try journal.append([commit(revision, bytes: 9000)]) }
    try journal.writeSnapshot(SnapshotDescription(revision: 40, time: 0)) { try $0(1, 1, [1]) }
    try journal.close()
    var checked = 0
    func check(_ path: String, _ mode: mode_t) {
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o7777 == mode, "\(path)")
      checked += 1
    }
    check(scratch.data, 0o700)
    for directory in ["log", "snapshots"] {
      check(scratch.data + "/" + directory, 0o700)
      for file in try FileStorage(root: scratch.data).list(directory) {
        check("\(scratch.data)/\(directory)/\(file)", 0o600)
      }
    }
    check(scratch.data + "/MUSTER", 0o600)
    check(scratch.data + "/LOCK", 0o600)
    #expect(checked > 8)
  }

  @Test func thereIsOneWriter() throws {
    let journal = try Journal.fresh(scratch.data)
    #expect(throws: JournalError.locked(scratch.data)) {
      try Journal.open(scratch.data, options: Journal.testOptions)
    }
    try journal.append([[1]])
    try journal.close()
    let next = try Journal.open(scratch.data, options: Journal.testOptions)
    #expect(next.lastRevision == 1)
    try next.close()
  }

  @Test func aReaderBesideAWriterSeesWhatIsConfirmedAndNeverKeepsAWriterOut() throws {
    let journal = try Journal.fresh(scratch.data)
    try journal.append([[1]])
    try journal.append([[2]])
    #expect(try JournalReader(scratch.data).lastRevision == 1)
    try journal.confirm()
    let reader = try JournalReader(scratch.data)
    #expect(reader.lastRevision == 2)
    #expect(try reader.commits() == [[1], [2]])
    try journal.close()
    #expect(try JournalReader(scratch.data).lastRevision == 2)
    let next = try Journal.open(scratch.data, options: Journal.testOptions)
    #expect(try reader.commits() == [[1], [2]])
    try next.close()
  }

  @Test func aWriterThatVanishedLosesNothing() throws {
    let path = scratch.data
    func vanish() throws {
      let journal = try Journal.fresh(path)
      for revision in 1...10 { try journal.append([commit(revision)]) }
    }
    try vanish()
    // Nobody holds it now: what recovery would keep is shown.
    #expect(try JournalReader(path).lastRevision == 10)
    let journal = try Journal.open(path, options: Journal.testOptions)
    #expect(journal.lastRevision == 10)
    #expect(journal.recovery.tornBytes == 0)
    #expect(try JournalReader(path).lastRevision == 10)
    try journal.close()
  }

  @Test func snapshotsAreWrittenAndLoaded() throws {
    let journal = try Journal.fresh(scratch.data)
    for revision in 1...6 { try journal.append([[UInt8(revision)]]) }
    try journal.writeSnapshot(SnapshotDescription(revision: 3, time: 30, metadata: [9])) { add in
      try add(1, 0, [1])
      try add(1, 5, [2])
    }
    try journal.writeSnapshot(SnapshotDescription(revision: 5, time: 50, parent: 3)) { try $0(1, 5, [3]) }
    try journal.close()
    let reader = try JournalReader(scratch.data)
    var pages: [[UInt8]] = []
    let newest = try reader.loadSnapshot { pages.append([UInt8($0), UInt8($1)] + $2) }
    #expect(newest?.revision == 5)
    #expect(pages == [[1, 0, 1], [1, 5, 3]])
    let older = try reader.loadSnapshot(atOrBefore: 4) { _, _, _ in }
    #expect(older == SnapshotDescription(revision: 3, time: 30, metadata: [9]))
    #expect(try reader.loadSnapshot(atOrBefore: 2) { _, _, _ in } == nil)
    try reader.verify()
  }
}
