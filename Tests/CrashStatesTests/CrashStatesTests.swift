import MusterCrashStates
import MusterLog
import Testing

@Suite struct CrashStatesTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func whateverACrashLeavesOfALogNothingAcknowledgedIsLost(seed: UInt64) throws {
    let survey = Survey(seed: seed, perWindow: 24)
    try LogScenario(seed: seed, survey).run(steps: 40)
    #expect(survey.counts.states > 400 && survey.counts.torn > 100 && survey.counts.ofRecovery > 50)
  }

  @Test func whateverACrashLeavesOfARestoreItIsWholeOrIsBegunAnew() throws {
    let survey = Survey(seed: 1, perWindow: 4)
    try RestoreScenario(seed: 1, survey).run(stride: 29)
    #expect(survey.counts.states > 50)
  }

  /// Each sync has a reason: where one is left out, something that was promised is lost.
  @Test(arguments: ["", "log", "snapshots", ".live", "spare", ".sealed.new", ".base.new", "HORIZON.new", "MUSTER.new"])
  func aSyncThatIsLeftOutIsFound(path: String) throws {
    let isLeftOut = { (synced: String) in
      path.hasPrefix(".") ? synced.hasSuffix(path) : synced == path || synced == "log/" + path
    }
    var found = false
    for seed in 1...20 as ClosedRange<UInt64> where !found {
      do {
        try LogScenario(seed: seed, Survey(seed: seed, perWindow: 24), isDeafTo: isLeftOut).run(steps: 60)
      } catch {
        found = true
      }
    }
    #expect(found)
  }

  // MARK: The model itself

  private func states(of disk: WeakDisk) throws -> [[String: [UInt8]]] {
    let survey = Survey(seed: 1, perWindow: 10_000)
    var found: [[String: [UInt8]]] = []
    try survey.look(at: disk, context: 0) { found.append($0.files) }
    #expect(survey.counts.states == found.count)
    return found
  }

  @Test func everySectorThatIsNotSyncedIsThereOrNot() throws {
    let disk = WeakDisk()
    try disk.create("a", zeros: 1536)
    try disk.sync("a")
    try disk.syncDirectory("")
    try disk.write("a", at: 0, [UInt8](repeating: 7, count: 1536))
    let found = Set(try states(of: disk).compactMap { $0["a"] })
    #expect(found.count == 8)
    for file in found {
      for sector in 0..<3 { #expect(Set(file[(sector * 512)..<(sector * 512 + 512)]).count == 1) }
    }
    try disk.sync("a")
    #expect(try states(of: disk).count == 1)
  }

  @Test func aRenameThatIsNotSyncedMayHaveHappenedToEitherName() throws {
    let disk = WeakDisk()
    try disk.create("a", zeros: 1)
    try disk.sync("a")
    try disk.syncDirectory("")
    try disk.rename("a", to: "b")
    let found = Set(try states(of: disk).map { $0.keys.sorted().joined() })
    #expect(found == ["", "a", "b", "ab"])
    try disk.syncDirectory("")
    #expect(try states(of: disk).map { $0.keys.sorted() } == [["b"]])
  }

  @Test func aFileMayBeLongerThanWhatWasWrittenToIt() throws {
    let disk = WeakDisk()
    try disk.create("a", zeros: 0)
    try disk.syncDirectory("")
    try disk.write("a", at: 0, [UInt8](repeating: 7, count: 1000))
    let found = Set(try states(of: disk).compactMap { $0["a"] })
    let halves = [7, 0].flatMap { first in [7, 0].map { [first, $0] as [UInt8] } }
    let whole = halves.map { [UInt8](repeating: $0[0], count: 512) + [UInt8](repeating: $0[1], count: 488) }
    let cut = [7, 0].map { [UInt8](repeating: $0, count: 512) }
    let isAllThere = found == Set([[]] + whole + cut)
    #expect(isAllThere)
  }

  @Test func aDirectoryThatIsNotSyncedIsLostWithWhatIsInIt() throws {
    let disk = WeakDisk()
    try disk.makeDirectory("log")
    try disk.create("log/a", zeros: 3)
    try disk.sync("log/a")
    try disk.syncDirectory("log")
    #expect(Set(try states(of: disk).map(\.count)) == [0, 1])
    try disk.syncDirectory("")
    #expect(try states(of: disk).map(\.count) == [1])
  }
}
