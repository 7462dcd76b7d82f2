import MusterHistory
import MusterKernel
import MusterLog
import MusterSimulatedDisk
import Testing

/// How a running server opens its own past.
@Suite struct ShelfTests {
  private let identity = LogIdentity(clusterID: "00112233445566778899aabbccddeeff", timeline: 1)

  @Test func aLogThatEndsBeforeWhatWasPublishedIsCorruptAndNotTheFuture() throws {
    let disk = CrashDisk()
    try DirectoryIdentity.create(disk, identity, segmentBytes: 64 * 1024)
    func open(_ older: LogReader?) throws(LogError) -> History {
      History(try LogReader(disk, identity: identity, confirmed: 0), SnapshotStore(disk, identity), through: 1)
    }
    let shelf = Shelf()
    #expect(try shelf.history(through: 0, open).last == 0)
    do {
      _ = try shelf.history(through: 1, open)
      Issue.record("revision 1 is nowhere")
    } catch {
      #expect(error.isCorruption, "\(error)")
    }
    #expect(try shelf.history(through: 0, open).last == 0, "what can be read is still shown")
  }
}
