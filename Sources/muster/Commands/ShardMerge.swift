import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

extension ShardCommand {
  struct Merge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts a shard together with the one that owns the other half of their range.",
      discussion: """
        Example: muster shard merge orders/17 --wait
        The lower of the two stays and copies the other's keys while both serve; then the other's leader pauses for a moment,
        and one commit moves the keys. Until then --cancel calls it off. `muster shard show` says which ranges shards own.
        """)
    @Argument(help: "COLLECTION/NUMBER of either of the two.") var shard: String
    @Flag(help: "Call off the merge that is under way.") var cancel = false
    @OptionGroup var options: MutationOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
      let name = try ShardName(shard)
      guard let index = UInt32(exactly: name.index) else { throw Failure.usage("\(name.index) is no shard number") }
      if cancel { return try await name.callOff("merge", options) { !$0.absorbed.isEmpty } }
      let connection = try await options.run(.mergeShards(MergeShards(collection: name.collection, index: index)))
      guard !options.dryRun, waiting.wait else { return }
      let source = ServerSource(connection)
      let question = Question.shards(ShardsQuestion(collection: name.collection))
      let before = try await source.answer(question, at: .now).answer.shards.first { $0.index == index }
      try await waiting.until(source) { source in
        // Of the two the named one may be the one that goes.
        guard let report = try await source.answer(question, at: .now).answer.shards.first(where: { $0.index == index })
        else { return nil }
        if let move = report.move, !move.absorbed.isEmpty { return "the merge is \(move.step.name)" }
        // It may have been over before the first look.
        if let before, before.move != nil, report.range == before.range {
          throw Failure(.refused, "the merge was called off; `muster log --shard \(shard)` says why")
        }
        return nil
      }
    }
  }
}
