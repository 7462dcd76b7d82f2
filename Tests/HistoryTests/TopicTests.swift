import MusterCluster
import MusterHistory
import MusterProtocol
import Testing

@Suite struct TopicTests {
  private let recorded: RecordedHistory

  init() throws { recorded = try RecordedHistory(seed: 51, commits: 1500) }

  @Test(arguments: WatchTopic.allCases) func aTopicShowsItsEventsInOrderAndNoOthers(_ topic: WatchTopic) {
    for commit in recorded.commits {
      let expected = topic == .everything ? commit.events : commit.events.filter { $0.topic == topic }
      let shown = commit.filtered(to: topic)
      #expect(shown?.events ?? [] == expected)
      #expect((shown == nil) == expected.isEmpty, "a commit with none of the topic's events is not shown")
      #expect(shown?.revision ?? commit.revision == commit.revision)
    }
  }

  @Test func everyTopicButEverythingIsSpokenOf() {
    let topics = Set(recorded.commits.flatMap { $0.events.map(\.topic) })
    #expect(topics == Set(WatchTopic.allCases))
  }
}
