import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

@Suite struct WhyTests {
  private let recorded: RecordedHistory
  private let history: History

  init() throws {
    recorded = try WhyTests.shared.get()
    history = try recorded.history()
  }

  /// Nobody writes to it.
  nonisolated(unsafe) private static let shared = Result { try RecordedHistory.eventful(commits: 2500, shards: 60) }

  private func why(_ entity: EntityID, at revision: Revision) throws -> WhyReply {
    let state = recorded.states[Int(revision)]
    return try history.why(try #require(EntityName(state.entityText(entity))), in: state)
  }

  @Test func aChainGoesFromTheLastDecisionFromCauseToCause() throws {
    let state = recorded.states[Int(recorded.last)]
    var lengths: Set<Int> = []
    try state.shards.forEach { id, row in
      guard row.replicas.count > 0, !state.collections[row.collection].isDeleted else { return }
      let reply = try why(.shard(id), at: recorded.last)
      let commits = reply.chain.map { recorded.commits[Int($0.revision) - 1] }
      lengths.insert(commits.count)
      for (link, cause) in zip(commits, commits.dropFirst()) { #expect(link.cause == cause.revision) }
      #expect(commits.last?.cause == 0)
      let reports: Set<String> = ["ReplicasOpened", "ReplicaCaughtUp", "ReplicaFellBehind"]
      let newest = recorded.commits.last { commit in
        commit.events.contains { event in
          var touched = Touched()
          event.touch(&touched)
          return touched.shards.contains(id) && !reports.contains(event.name)
        }
      }
      #expect(commits.first?.revision == newest?.revision)
      #expect(reply.words.hasPrefix("\(state.shardName(id)) "))
    }
    #expect(lengths.count > 1, "\(lengths)")
  }

  @Test func aNodeThatIsDownIsSoBecauseOfAFailure() throws {
    var count = 0
    for commit in recorded.commits {
      for case .nodeDeclaredDown(let event) in commit.events {
        count += 1
        let reply = try why(.node(event.node), at: commit.revision)
        #expect(reply.chain.first?.revision == commit.revision && reply.origin == .failure)
        #expect(reply.words.contains("was declared down after"))
        #expect(reply.words.contains("began with a failure"))
      }
    }
    #expect(count > 0)
  }

  @Test func whatAPersonOrANodeBeganIsSaidToBeTheirs() throws {
    var origins: Set<OriginKind> = []
    let state = recorded.states[Int(recorded.last)]
    try state.configs.forEach { id, _ in
      let reply = try why(.config(id), at: recorded.last)
      origins.insert(reply.origin)
      let root = try #require(reply.chain.last)
      if reply.origin == .person { #expect(reply.words.contains("It began with a person: \(root.principal).")) }
    }
    try state.nodes.forEach { id, row in
      guard state.nodeID(named: row.name) == id else { return }
      origins.insert(try why(.node(id), at: recorded.last).origin)
    }
    #expect(origins.isSuperset(of: [.person, .node]), "\(origins)")
  }

  @Test func everyEventAndEveryReasonHasItsWords() throws {
    let state = recorded.states[Int(recorded.last)]
    var seen: Set<String> = []
    for commit in recorded.commits {
      for event in commit.events where seen.insert(event.name).inserted {
        #expect(!state.clause(event).isEmpty && !state.clause(event).contains("#"))
      }
    }
    #expect(seen.count > 20)
    for kind in ReasonKind.allCases where kind != .unstated && kind != .request {
      #expect(Reason(kind).phrase?.isEmpty == false, "\(kind)")
    }
  }

  @Test func aThingOfNoConsequenceIsRefused() throws {
    #expect(throws: HistoryError.self) {
      try history.why(.node("nobody"), in: recorded.states[Int(recorded.last)])
    }
  }
}
