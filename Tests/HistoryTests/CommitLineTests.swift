import MusterBytes
import MusterCluster
import MusterHistory
import MusterRendering
import MusterWorkload
import Testing

@Suite struct CommitLineTests {
  @Test(arguments: [1, 2] as [UInt64]) func linesAreTheReportsByteForByte(_ seed: UInt64) throws {
    var generator = HistoryGenerator(seed: seed, nodes: 10, shards: 40)
    let commits = (0..<2500).map { _ in generator.next() }
    var writer = CommitLineWriter(names: generator.state)
    var line = ByteWriter()
    var seen: Set<String> = []
    for commit in commits {
      line.removeAll()
      writer.write(commit, to: &line)
      let expected = generator.state.report(commit).json.line + "\n"
      #expect(String(decoding: line.bytes, as: UTF8.self) == expected)
      seen.formUnion(commit.events.map(\.name))
    }
    #expect(seen.count > 15)
  }

  @Test func textsAreEscapedAndUnknownNumbersAreShownAsSuch() throws {
    var generator = HistoryGenerator(seed: 1, nodes: 3, shards: 4)
    for _ in 0..<50 { _ = generator.next() }
    var commit = Commit()
    commit.revision = 7
    commit.time = 1_700_000_000_000_001
    commit.wallOffset = -5
    commit.principal = 1
    commit.session = 999
    commit.sequence = 3
    commit.cause = 2
    commit.traceParent = "00-a"
    commit.reason = Reason(.request, text: "a \"quoted\" word\n", arguments: ["x=\\y", "\u{1}"])
    commit.events = [
      .configSet(ConfigSet(config: 999, value: .text("v\"\\\t"))),
      .configSet(ConfigSet(config: 1, value: .integer(-5))),
      .configSet(ConfigSet(config: 1, value: .bytes([0, 255]))),
      .configSet(ConfigSet(config: 1, value: .boolean(true))),
      .leaderElected(LeaderElected(shard: 99_999, node: 999, epoch: 4)),
      .leaderElected(LeaderElected(shard: 1, node: 0, epoch: .max)),
    ]
    var writer = CommitLineWriter(names: generator.state)
    var line = ByteWriter()
    writer.write(commit, to: &line)
    #expect(String(decoding: line.bytes, as: UTF8.self) == generator.state.report(commit).json.line + "\n")
  }
}
