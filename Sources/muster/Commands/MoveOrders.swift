import MusterCluster
import MusterProtocol
import MusterRendering

extension ShardName {
  /// Holds the move of a shard, or lets it go on.
  func hold(_ isPaused: Bool, _ options: MutationOptions) async throws {
    let connection = try Connection(options.server)
    let question = Question.shards(ShardsQuestion(collection: collection, index: index))
    let report = try await ServerSource(connection).answer(question, at: .now).answer.shards.first
    guard let move = report?.move else { throw Failure(.refused, "no move of \(collection)/\(index) is under way") }
    guard isPaused || move.isPaused else {
      throw Failure(.refused, "the move of \(collection)/\(index) is not paused: it is \(move.step.name)")
    }
    try await options.run(.advanceMove(AdvanceMove(move: move.id, step: move.step, isPaused: isPaused)), on: connection)
  }
}

/// What was ordered for one shard, as the log has it.
struct OrderedMoves {
  private var begun: [UInt64: (from: String, to: String)] = [:]
  private var last: (from: String, to: String)?

  /// From where to where the last finished order is undone.
  static func wayBack(of shard: ShardName, _ source: any Source) async throws -> (from: String, to: String) {
    let name = "\(shard.collection)/\(shard.index)"
    var moves = OrderedMoves()
    var request = LogRequest()
    request.isOldestFirst = true
    request.filter.shard = name
    _ = try await source.log(request) { commit in
      for event in commit.events where event.text("shard") == name { moves.note(event) }
    }
    guard let last = moves.last else { throw Failure(.refused, "no move of \(name) that was ordered is over") }
    let question = Question.shards(ShardsQuestion(collection: shard.collection, index: shard.index))
    let holders = try await source.answer(question, at: .now).answer.shards.first?.replicas.map(\.node) ?? []
    guard last.to.isEmpty || holders.contains(last.to), last.from.isEmpty || !holders.contains(last.from) else {
      let way = "from \(last.from.isEmpty ? "nowhere" : last.from) to \(last.to.isEmpty ? "nowhere" : last.to)"
      throw Failure(.refused, "the last order moved a replica of \(name) \(way), and it does not stand so any more")
    }
    return (last.to, last.from)
  }

  private mutating func note(_ event: EventReport) {
    guard let move = event.number("move") else { return }
    if event.type == "MoveStarted", event.text("purpose") == MovePurpose.order.name {
      begun[move] = (event.text("from") ?? "", event.text("to") ?? "")
    } else if event.type == "MoveAdvanced", event.text("step") == MoveStep.finished.name, let way = begun[move] {
      last = way
    }
  }
}
