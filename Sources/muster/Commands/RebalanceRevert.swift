import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

extension Rebalance {
  struct Revert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Moves back what balancing moved since it last began.",
      discussion: """
        Example: muster rebalance revert --wait
        What went from A by B to C goes from C to A, within the budgets of balance. Replicas that moved on since for other
        reasons stay where they are, and leaders lead where they do. With --since it also undoes the moves of a plan.
        """)
    @Option(help: "What balancing moved since this revision or time.") var since: String?
    @OptionGroup var options: MutationOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
      let connection = try Connection(options.server)
      let source = ServerSource(connection)
      guard try await source.answer(.status(StatusQuestion()), at: .now).answer.status?.balancing == .off else {
        throw Failure(.refused, "balancing is under way: `muster rebalance cancel` ends it first")
      }
      let steps = try await Revert.steps(source, since: try beginning(source))
      guard !steps.isEmpty else { throw Failure(.refused, "nothing that balancing moved is still where it put it") }
      guard steps.count <= Limits.commandsPerBatch else {
        throw Failure(
          .refused, "\(steps.count) moves are more than one commit takes; give a later --since and revert in parts")
      }
      try await options.run(.batch(Batch(steps)), on: connection)
      guard !options.dryRun else { return }
      try await waiting.until(source) { source in
        let status = try await source.answer(.status(StatusQuestion()), at: .now).answer.status
        return status?.movingShards == 0 ? nil : "\(status?.movingShards ?? 0) shards move"
      }
    }

    /// Where the last balancing began: the newest start that is not the end of a pause.
    private func beginning(_ source: any Source) async throws -> Moment {
      if let since { return try ReadOptions.moment(since) }
      var request = LogRequest()
      request.filter.eventType = "BalancingChanged"
      var changes: [(revision: Revision, mode: String?)] = []
      _ = try await source.log(request) { commit in
        changes += commit.events.filter { $0.type == "BalancingChanged" }.map { (commit.revision, $0.text("mode")) }
      }
      for (place, change) in changes.enumerated() where change.mode == BalancingMode.running.name {
        let before = place + 1 < changes.count ? changes[place + 1].mode : nil
        if before != BalancingMode.paused.name { return .revision(change.revision) }
      }
      throw Failure(.refused, "balancing never ran; --since REVISION undoes what a plan moved")
    }

    /// The moves back, in the order of shards, of what is still where balancing put it.
    private static func steps(_ source: any Source, since: Moment) async throws -> [Command] {
      var journeys: [String: Journeys] = [:]
      for type in ["MoveStarted", "MoveAdvanced"] {
        var request = LogRequest()
        request.from = since
        request.isOldestFirst = true
        request.filter.eventType = type
        _ = try await source.log(request) { commit in
          for event in commit.events where event.type == type {
            guard let shard = event.text("shard") else { continue }
            journeys[shard, default: Journeys()].note(event)
          }
        }
      }
      var steps: [Command] = []
      for shard in try await source.answer(.shards(ShardsQuestion()), at: .now).answer.shards {
        guard let ways = journeys[shard.name]?.whole else { continue }
        let holders = shard.replicas.map(\.node)
        let name = try ShardName(shard.name)
        // One move at a time: the first that can be undone.
        guard let way = ways.first(where: { holders.contains($0.to) && !holders.contains($0.from) }) else { continue }
        steps.append(
          .startMove(
            StartMove(
              collection: name.collection, index: UInt32(clamping: name.index), source: way.to, target: way.from,
              purpose: .balance, isWaiting: true)))
      }
      return steps
    }
  }
}

/// Where balancing took replicas of one shard.
private struct Journeys {
  private var begun: [UInt64: (from: String, to: String)] = [:]
  /// In the order in which they began.
  private var order: [UInt64] = []
  private var finished: Set<UInt64> = []

  mutating func note(_ event: EventReport) {
    guard let move = event.number("move") else { return }
    if event.type == "MoveStarted" {
      guard event.text("purpose") == MovePurpose.balance.name, let from = event.text("from"), let to = event.text("to")
      else { return }
      begun[move] = (from, to)
      order.append(move)
    } else if event.text("step") == MoveStep.finished.name {
      finished.insert(move)
    }
  }

  /// From where each replica first came to where it ended.
  var whole: [(from: String, to: String)] {
    var ways: [(from: String, to: String)] = []
    for move in order where finished.contains(move) {
      guard let way = begun[move] else { continue }
      if let earlier = ways.firstIndex(where: { $0.to == way.from }) {
        ways[earlier].to = way.to
      } else {
        ways.append(way)
      }
    }
    return ways.filter { $0.from != $0.to }
  }
}

extension EventReport {
  func text(_ name: String) -> String? {
    guard case .text(let text)? = fields.first(where: { $0.name == name })?.value else { return nil }
    return text
  }

  func number(_ name: String) -> UInt64? {
    guard case .number(let number)? = fields.first(where: { $0.name == name })?.value else { return nil }
    return number
  }
}
