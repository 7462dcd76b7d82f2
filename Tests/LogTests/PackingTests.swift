import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// How much a full segment shrinks.
@Suite struct PackingTests {
  /// Values that were encrypted before they came.
  private func hard(_ random: inout SeededGenerator) -> [UInt8] {
    (0..<400).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  /// Values of few words, of which a hasty level finds less than a good one.
  private func soft(_ random: inout SeededGenerator, _ words: [[UInt8]]) -> [UInt8] {
    (0..<40).flatMap { _ in words[random.below(words.count)] }
  }

  /// The bytes of the first segment when it is packed.
  private func packed(_ commits: [[UInt8]]) throws -> Int {
    // A block a commit, and each begins on a boundary of its own: one more than these fit into.
    let harness = try LogHarness.create(CrashDisk(), segmentBytes: commits.count * 4096)
    for commit in commits + [[1], [2]] { try harness.append([commit]) }
    try harness.pack()
    let log = try LogHarness.reader(harness.disk)
    let name = try #require(log.segments.first?.name)
    try #require(name.isSealed)
    expectEqual(try LogHarness.readAll(harness.disk), harness.ledger)
    return try #require(try harness.disk.size(name.path))
  }

  @Test func valuesThatDoNotShrinkCostThoseBehindThemNothing() throws {
    var random = SeededGenerator(seed: 11)
    let words = (0..<500).map { _ in (0..<(3 + random.below(6))).map { _ in UInt8(97 + random.below(26)) } }
    let softCommits = (0..<4000).map { _ in soft(&random, words) }
    let hardCommits = (0..<1000).map { _ in hard(&random) }
    let softBytes = try packed(softCommits)
    let hardBytes = try packed(hardCommits)
    #expect(softBytes < softCommits.joined().count * 3 / 4)
    #expect(hardBytes > hardCommits.joined().count)
    let both = try packed(hardCommits + softCommits)
    #expect(both < hardBytes + softBytes * 51 / 50)
  }
}
