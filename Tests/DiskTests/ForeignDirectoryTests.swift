import Glibc
import MusterBytes
import MusterDisk
import MusterLog
import Testing

@Suite struct ForeignDirectoryTests {
  private let scratch = Scratch()

  private func write(_ path: String, _ bytes: [UInt8]) throws {
    let files = FileStorage(root: scratch.path)
    try files.create(path, zeros: 0)
    try files.write(path, at: 0, bytes)
  }

  private func read(_ path: String) throws -> [UInt8] {
    let files = FileStorage(root: scratch.path)
    return try files.read(path, at: 0, count: try files.size(path) ?? 0)
  }

  @Test func somebodyElsesDirectoryIsLeftAlone() throws {
    try FileStorage(root: scratch.path).makeDirectory("data")
    try write("data/notes.txt", [1])
    #expect(throws: JournalError.log(.occupied, directory: scratch.data)) {
      try Journal.create(scratch.data, identity: Journal.testIdentity)
    }
    #expect(throws: JournalError.log(.absent, directory: scratch.data)) { try Journal.open(scratch.data) }
    #expect(throws: JournalError.log(.absent, directory: scratch.data)) { try JournalReader(scratch.data) }
    #expect(!Journal.isVacant(scratch.data))
    #expect(try FileStorage(root: scratch.data).list("") == ["notes.txt"])
  }

  @Test func aFileInThePlaceOfADirectoryIsAnError() throws {
    try write("data", [1])
    #expect(!Journal.isVacant(scratch.data))
    #expect(throws: JournalError.self) { try Journal.open(scratch.data) }
    #expect(throws: JournalError.self) { try Journal.create(scratch.data, identity: Journal.testIdentity) }
    #expect(try read("data") == [1])
  }

  @Test func filesThatAreNotOursAreIgnoredAndStay() throws {
    let journal = try Journal.fresh(scratch.data)
    try journal.append([[1]])
    try journal.close()
    let strays = [
      "data/notes", "data/log/notes", "data/log/1.live", "data/log/00000000000000000000.live",
      "data/log/+0000000000000000001.live", "data/snapshots/x.base", "data/snapshots/00000000000000000000.base",
    ]
    for path in strays { try write(path, [7]) }
    let next = try Journal.open(scratch.data, options: Journal.testOptions)
    try next.append([[2]])
    try next.close()
    let reader = try JournalReader(scratch.data)
    try reader.verify()
    #expect(try reader.commits() == [[1], [2]])
    for path in strays { #expect(try read(path) == [7]) }
  }

  @Test func makingAJournalThatWasCutShortIsTakenUpAgain() throws {
    let files = FileStorage(root: scratch.data)
    try files.makeRoot()
    try files.makeDirectory("log")
    try files.makeDirectory("snapshots")
    try write("data/log/spare", [UInt8](repeating: 0, count: 100))
    #expect(Journal.isVacant(scratch.data))
    let journal = try Journal.fresh(scratch.data)
    try journal.append([[1]])
    try journal.close()
  }

  @Test func aLogWithoutIdentityIsDamageAndNotAVacantPlace() throws {
    let journal = try Journal.fresh(scratch.data)
    try journal.append([[1]])
    try journal.close()
    try FileStorage(root: scratch.data).remove("MUSTER")
    #expect(!Journal.isVacant(scratch.data))
    let error = #expect(throws: JournalError.self) { try Journal.open(scratch.data) }
    #expect(error?.isCorruption == true)
    #expect(throws: JournalError.log(.occupied, directory: scratch.data)) {
      try Journal.create(scratch.data, identity: Journal.testIdentity)
    }
  }

  /// Raises the oldest reader that may interpret a frame, as a newer version would.
  private func makeNewer(_ path: String) throws {
    var bytes = try read(path)
    bytes[10] = 9
    let sum = CRC32C.checksum(Array(bytes[..<124]))
    for place in 0..<4 { bytes[124 + place] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(place))) }
    try write(path, bytes)
  }

  @Test(arguments: ["MUSTER", "log/00000000000000000001.live"])
  func aNewerFormatIsNotTouched(file: String) throws {
    let journal = try Journal.fresh(scratch.data)
    try journal.append([[1]])
    try journal.close()
    try makeNewer("data/" + file)
    let before = try read("data/" + file)
    let newer = JournalError.log(.newer(file: file, version: 9, flags: 0), directory: scratch.data)
    #expect(throws: newer) { try Journal.open(scratch.data, options: Journal.testOptions) }
    #expect(throws: newer) { try JournalReader(scratch.data) }
    let isUntouched = try read("data/" + file) == before
    #expect(isUntouched)
  }

  @Test func aSegmentOfAnotherClusterIsForeign() throws {
    let journal = try Journal.fresh(scratch.data)
    try journal.close()
    let other = LogIdentity(clusterID: "ffffffffffffffffffffffffffffffff", timeline: 1)
    try Journal.create(scratch.path + "/other", identity: other, options: Journal.testOptions)
    let segment = "log/00000000000000000001.live"
    try write("data/" + segment, try read("other/" + segment))
    #expect(throws: JournalError.log(.foreign(file: segment), directory: scratch.data)) {
      try Journal.open(scratch.data, options: Journal.testOptions)
    }
  }
}
