import ArgumentParser
import FoundationEssentials
import MusterCluster
import MusterProtocol
import MusterRendering

struct Recover: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "After the loss of a majority: what exactly is lost, then do it.",
    discussion: """
      Example: muster recover plan --save lost.json && muster recover apply lost.json --reason "zone a burned down"
      Bring back what can be brought back first: a node that returns loses nothing.
      """,
    subcommands: [Plan.self, Apply.self])

  struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The shards that no election can bring back, who survives, and what may be lost; writes nothing.",
      discussion: "Example: muster recover plan --save lost.json")
    @Option(help: "Writes the plan to a file, for `muster recover apply`.") var save: String?
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.recovery(RecoveryQuestion()), at: try options.moment)
      let lost = reply.answer.lost
      let head = DocumentHead(schema: "recovery", reply)
      let members: [JSON.Member] = [.init("shards", .list(lost.map(\.json)))]
      if let save {
        let text = JSON.object(head.members + members).line + "\n"
        do { try text.write(toFile: save, atomically: true, encoding: .utf8) } catch {
          throw Failure(.refused, "cannot write \(save): \(error)")
        }
      }
      options.output.show(head, members) {
        guard !lost.isEmpty else { return "nothing is lost: every shard has a leader or can elect one\n" }
        var table = Table(["SHARD", "MISSING", "WOULD LEAD", "MAY BE LOST"])
        for shard in lost {
          table.add([shard.shard, shard.missing.joined(separator: ","), shard.leaderWords, shard.loss])
        }
        return table.text
          + (lost.contains { !$0.emptyOn.isEmpty }
            ? "nobody who lives has data of shards that would begin empty: `muster recover apply --begin-empty` lets them\n"
            : "")
      }
    }
  }

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets survivors lead as a saved plan says, or refuses because the state moved on.",
      discussion: """
        Example: muster recover apply lost.json --reason "zone a burned down"
        A shard of which nobody who lives has any data stays as it is, for whoever has some may come back. With
        --begin-empty it begins anew without any, and what comes back later is thrown away:
        muster recover apply lost.json --begin-empty --reason "both disks of orders/3 are destroyed"
        """)
    @Argument(help: "What --save wrote.") var file: String
    @Flag(help: "Lets shards of which nobody who lives has data begin anew, empty. What is lost stays lost.")
    var beginEmpty = false
    @OptionGroup var options: MutationOptions

    private struct Document: Decodable {
      struct Shard: Decodable {
        var shard: String
        var leader: String?
        var beginEmptyOn: String?
      }
      var schema: String
      var revision: UInt64
      var shards: [Shard]
    }

    func run() async throws {
      guard let data = FileManager.default.contents(atPath: file),
        let plan = try? JSONDecoder().decode(Document.self, from: data), plan.schema == "muster.recovery/1"
      else { throw Failure(.refused, "\(file) is no plan that `muster recover plan --save` wrote") }
      let commands = try plan.shards.compactMap { shard -> Command? in
        let empty = beginEmpty && shard.leader == nil ? shard.beginEmptyOn : nil
        guard let node = shard.leader ?? empty else { return nil }
        let name = try ShardName(shard.shard)
        return .recoverShard(
          RecoverShard(
            collection: name.collection, index: UInt32(clamping: name.index), node: node, isBegunEmpty: empty != nil))
      }
      guard !commands.isEmpty, commands.count <= Limits.commandsPerBatch else {
        let others = plan.shards.contains { $0.leader == nil && $0.beginEmptyOn != nil } && !beginEmpty
        throw Failure(
          .refused,
          "the plan has \(commands.count) shards that a survivor can lead; 1 to 1024 fit a commit"
            + (others ? " (those of which nobody has data begin anew with --begin-empty)" : ""))
      }
      try await options.run(.batch(Batch(commands)), computedAt: plan.revision)
    }
  }
}

extension LostShard {
  /// Whose data is the most that is left; empty where nobody has any.
  private var leader: String { emptyOn.isEmpty ? survivors.first ?? "" : "" }

  fileprivate var leaderWords: String {
    emptyOn.isEmpty ? survivors.first ?? "-" : "nobody; begin empty on \(emptyOn)"
  }

  fileprivate var json: JSON {
    .members([
      "shard": .text(shard), "missing": .list(missing.map { .text($0) }), "leader": .optional(leader),
      "beginEmptyOn": .optional(emptyOn),
      "survivors": .list(survivors.map { .text($0) }), "loss": .text(loss),
    ])
  }
}
