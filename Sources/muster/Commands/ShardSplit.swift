import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

extension ShardCommand {
  struct Split: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives half of a shard's keys to a new shard, made on the same nodes.",
      discussion: """
        Example: muster shard split orders/17 --wait
        The new shard copies while the old one serves; then its leader pauses for a moment, and one commit moves the keys.
        Until then --cancel calls it off. `muster rebalance status` lists what is under way.
        """)
    @Argument(help: "COLLECTION/NUMBER") var shard: String
    @Flag(help: "Call off the split that is under way.") var cancel = false
    @OptionGroup var options: MutationOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
      let name = try ShardName(shard)
      guard let index = UInt32(exactly: name.index) else { throw Failure.usage("\(name.index) is no shard number") }
      if cancel { return try await name.callOff("split", options) { !$0.child.isEmpty } }
      let connection = try await options.run(.splitShard(SplitShard(collection: name.collection, index: index)))
      guard !options.dryRun, waiting.wait else { return }
      let source = ServerSource(connection)
      let question = Question.shards(ShardsQuestion(collection: name.collection, index: name.index))
      let before = try await source.answer(question, at: .now).answer.shards.first
      try await waiting.until(source) { source in
        guard let report = try await source.answer(question, at: .now).answer.shards.first else { return nil }
        if let move = report.move, !move.child.isEmpty { return "the split is \(move.step.name)" }
        // It may have been over before the first look.
        if let before, before.move != nil, report.range == before.range {
          throw Failure(.refused, "the split was called off; `muster log --shard \(shard)` says why")
        }
        return nil
      }
    }
  }
}

extension ShardName {
  /// Calls off what is under way with the shard.
  ///
  /// - Parameter what: in one word.
  func callOff(_ what: String, _ options: MutationOptions, isMeant: (MoveReport) -> Bool) async throws {
    let connection = try Connection(options.server)
    let question = Question.shards(ShardsQuestion(collection: collection, index: index))
    let report = try await ServerSource(connection).answer(question, at: .now).answer.shards.first
    guard let move = report?.move, isMeant(move) else {
      throw Failure(.refused, "no \(what) of \(collection)/\(index) is under way")
    }
    try await options.run(.advanceMove(AdvanceMove(move: move.id, step: .cancelled)), on: connection)
  }
}
