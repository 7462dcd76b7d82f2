import ArgumentParser
import FoundationEssentials
import MusterCluster
import MusterProtocol
import MusterRendering

struct Plan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What would move, in order; nothing is written.",
    discussion: """
      Example: muster plan --drain n3 --save plan.json && muster plan apply plan.json
      With --shards orders=24: the splits or merges that lead there. Without options: what is still to be done, or what
      balancing would do. With --at: what would have moved then.
      """,
    subcommands: [Show.self, Apply.self], defaultSubcommand: Show.self)

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "What would move, in order; nothing is written.",
      discussion: "Example: muster plan --add name=n9,domain=eu/z1/r1,disk=100GiB")
    @Option(help: "As if this node were drained.") var drain: [String] = []
    @Option(help: "As if this node were emptied and removed.") var remove: [String] = []
    @Option(help: "As if a node joined: name=N,domain=PATH[,DIMENSION=AMOUNT…].") var add: [String] = []
    @Option(help: "As if a collection had the policy of this file; see `muster collection show NAME --output json`.")
    var policy: [String] = []
    @Option(help: "As if a collection should have so many shards: COLLECTION=N.") var shards: [String] = []
    @Option(help: "Writes the plan to a file, for `muster plan apply`.") var save: String?
    @OptionGroup var options: ReadOptions

    func run() async throws {
      var question = PlanQuestion()
      question.drain = drain + remove
      question.add = try add.map(Show.node)
      question.shards = try shards.map(Show.count)
      let source = try options.place.source()
      for path in policy {
        question.change.append(try await Show.change(PolicyFile.read(path), source, options.moment))
      }
      let reply = try await source.answer(.plan(question), at: try options.moment)
      guard let plan = reply.answer.plan else { throw Failure(.refused, "the server gave no plan") }
      let head = DocumentHead(schema: "plan", reply)
      let members = plan.members(question)
      if let save {
        let text = JSON.object(head.members + members).line + "\n"
        do { try text.write(toFile: save, atomically: true, encoding: .utf8) } catch {
          throw Failure(.refused, "cannot write \(save): \(error)")
        }
      }
      options.output.show(head, members) { Show.table(plan) }
      guard plan.obstacles.isEmpty else {
        throw Failure(.refused, "the plan cannot do everything: \(plan.obstacles[0])")
      }
    }

    private static func change(
      _ file: PolicyFile, _ source: any Source, _ moment: Moment
    ) async throws -> ChangeCollection {
      let reply = try await source.answer(.collections(CollectionsQuestion(name: file.name)), at: moment)
      guard let old = reply.answer.collections.first else {
        throw Failure(.refused, "there is no collection \(file.name)")
      }
      return try file.change(of: old)
    }

    /// A number of shards as `--shards` has it.
    private static func count(_ spec: String) throws -> SetShardCount {
      let pair = spec.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, let shards = UInt32(pair[1]) else {
        throw Failure.usage("--shards is COLLECTION=N, such as orders=24, not \"\(spec)\"")
      }
      return SetShardCount(name: pair[0], shards: shards)
    }

    /// A node as `--add` has it.
    private static func node(_ spec: String) throws -> JoinNode {
      var node = JoinNode()
      for part in spec.split(separator: ",") {
        let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
        guard pair.count == 2 else { throw Failure.usage("\"\(part)\" is not NAME=VALUE") }
        switch pair[0] {
        case "name": node.name = pair[1]
        case "domain": node.domain = pair[1]
        default:
          guard let amount = Quantity.parse(pair[1]) else { throw Failure.usage("\"\(pair[1])\" is no amount") }
          node.capacity.append(Amount(pair[0], amount))
        }
      }
      guard !node.name.isEmpty, !node.domain.isEmpty else { throw Failure.usage("--add needs name= and domain=") }
      return node
    }

    private static func table(_ plan: PlanReport) -> String {
      var table = Table(["SHARD", "FROM", "TO", "WHAT", "PURPOSE", "BYTES", "IN SYNC"])
      for step in plan.steps {
        table.add([
          step.shard, step.source.isEmpty ? "-" : step.source, step.target.isEmpty ? "-" : step.target, step.words,
          step.purpose.name, String(step.bytes), String(step.redundancy),
        ])
      }
      let obstacles = plan.obstacles.map { $0 + "\n" }.joined()
      guard !plan.steps.isEmpty else { return (obstacles.isEmpty ? "nothing would move\n" : "") + obstacles }
      let total = UInt64(plan.steps.count) + plan.omitted
      return table.text
        + "\(total) \(total == 1 ? "step" : "steps"), \(plan.bytes) bytes, at least \(plan.lowestRedundancy) in sync at any step\n"
        + obstacles
    }
  }

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs a saved plan as it was shown, or refuses because the state moved on.",
      discussion: """
        Example: muster plan apply plan.json --wait
        It is refused once nodes, policies, shards, moves or a system/ setting changed; other commits do not matter.
        """)
    @Argument(help: "What --save wrote.") var file: String
    @OptionGroup var options: MutationOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
      let plan = try SavedPlan(file)
      let connection = try await options.run(.batch(Batch(plan.commands)), computedAt: plan.revision)
      guard !options.dryRun else { return }
      try await waiting.until(ServerSource(connection)) { source in
        for count in plan.counts {
          let question = Question.collections(CollectionsQuestion(name: count.name))
          guard let now = try await source.answer(question, at: .now).answer.collections.first else { continue }
          if now.wantedShards != 0 { return "\(count.name) has \(now.shards) of \(now.wantedShards) shards" }
        }
        let status = try await source.answer(.status(StatusQuestion()), at: .now).answer.status
        return status?.movingShards == 0 ? nil : "\(status?.movingShards ?? 0) shards move"
      }
    }
  }
}

/// A plan as a file has it.
private struct SavedPlan {
  let revision: UInt64
  let commands: [Command]
  let counts: [SetShardCount]

  private struct Document: Decodable {
    struct Step: Decodable {
      var shard: String
      var from: String?
      var to: String?
      var what: String
      var purpose: String
    }
    struct Count: Decodable {
      var collection: String
      var shards: UInt32
    }
    var schema: String
    var revision: UInt64
    var shardCounts: [Count]?
    var drain: [String]
    var add: [String]
    var policies: [PolicyFile]
    var omitted: UInt64
    var steps: [Step]
  }

  init(_ file: String) throws {
    guard let data = FileManager.default.contents(atPath: file) else { throw Failure(.refused, "cannot read \(file)") }
    guard let document = try? JSONDecoder().decode(Document.self, from: data), document.schema == "muster.plan/1" else {
      throw Failure(.refused, "\(file) is no plan that `muster plan --save` wrote")
    }
    guard document.omitted == 0, document.steps.count < Limits.commandsPerBatch else {
      throw Failure(.refused, "the plan has more steps than one commit takes; drain or balance in parts")
    }
    guard document.add.isEmpty else {
      throw Failure(.refused, "the plan counts on nodes that had not joined: \(document.add.joined(separator: ", "))")
    }
    counts = (document.shardCounts ?? []).map { SetShardCount(name: $0.collection, shards: $0.shards) }
    guard !document.steps.isEmpty || !document.drain.isEmpty || !document.policies.isEmpty || !counts.isEmpty else {
      throw Failure(.refused, "the plan has no steps")
    }
    revision = document.revision
    // A saved plan holds its policies whole.
    commands =
      try document.policies.map { .changeCollection(try $0.change(of: CollectionReport())) }
      + counts.map { .setShardCount($0) } + document.drain.map { .drainNode(DrainNode(name: $0, isOn: true)) }
      + (try document.steps.compactMap { step in
        // Replicas too many are let go by themselves once the policy is in force, and splits and merges follow from the
        // number of shards.
        guard let target = step.to else { return nil }
        let name = try ShardName(step.shard)
        let index = UInt32(clamping: name.index)
        if step.what == "lead" {
          return .electLeader(ElectLeader(collection: name.collection, index: index, node: target))
        }
        return .startMove(
          StartMove(
            collection: name.collection, index: index, source: step.from ?? "", target: target,
            purpose: MovePurpose(name: step.purpose) ?? .order, isWaiting: true))
      })
  }
}

extension PlanReport {
  fileprivate func members(_ question: PlanQuestion) -> [JSON.Member] {
    [
      .init("drain", .list(question.drain.map { .text($0) })), .init("add", .list(question.add.map { .text($0.name) })),
      .init("policies", .list(question.change.map(\.json))),
      .init(
        "shardCounts",
        .list(question.shards.map { .members(["collection": .text($0.name), "shards": .number(UInt64($0.shards))]) })),
      .init("steps", .list(steps.map(\.json))),
      .init("omitted", .number(omitted)), .init("bytes", .number(bytes)),
      .init("lowestRedundancy", steps.isEmpty ? .null : .number(UInt64(lowestRedundancy))),
      .init("obstacles", .list(obstacles.map { .text($0) })),
    ]
  }
}

extension PlannedStep {
  fileprivate var what: String {
    if isMerge { return "merge" }
    if isSplit { return "split" }
    return isHandOver ? "lead" : target.isEmpty ? "remove" : "move"
  }

  fileprivate var words: String {
    if isMerge { return "merge with \(partner)" }
    return isSplit ? "split into \(shard) and \(partner)" : what
  }

  fileprivate var json: JSON {
    .members([
      "shard": .text(shard), "from": source.isEmpty ? .null : .text(source),
      "to": target.isEmpty ? .null : .text(target),
      "partner": .optional(partner), "what": .text(what), "purpose": .text(purpose.name), "bytes": .number(bytes),
      "redundancy": .number(UInt64(redundancy)),
    ])
  }
}
