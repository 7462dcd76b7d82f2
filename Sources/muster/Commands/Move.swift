import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Move: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Moves a replica of a shard from one node to another.",
    discussion: """
      Example: muster move orders/17 --from n1 --to n4 --wait
      Without --from a replica is added. It goes before all balancing, and on in maintenance. Until its target leads
      `muster move orders/17 --cancel` calls a move off, whoever began it; while it waits or copies --pause holds it and
      --resume lets it go on. When it is over --revert orders the way back of the last one that was ordered.
      """)
  @Argument(help: "COLLECTION/NUMBER") var shard: String
  @Option(help: "The node that gives its replica away.") var from: String?
  @Option(help: "The node that takes it.") var to: String?
  @Flag(help: "Call off the move that is under way.") var cancel = false
  @Flag(help: "Hold the move that is under way, while it waits or copies.") var pause = false
  @Flag(help: "Let a move that is held go on.") var resume = false
  @Flag(help: "Move back what the last finished order moved.") var revert = false
  @OptionGroup var options: MutationOptions
  @OptionGroup var waiting: WaitOptions

  func run() async throws {
    let name = try ShardName(shard)
    guard let index = UInt32(exactly: name.index) else { throw Failure.usage("\(name.index) is no shard number") }
    let flags = [cancel, pause, resume, revert].count { $0 }
    guard flags == 0 || (flags == 1 && from == nil && to == nil) else {
      throw Failure.usage("--cancel, --pause, --resume and --revert stand alone, and name no nodes")
    }
    if cancel { return try await name.callOff("move", options) { $0.child.isEmpty && $0.absorbed.isEmpty } }
    if pause || resume { return try await name.hold(pause, options) }
    let connection = try Connection(options.server)
    let way: (from: String, to: String)
    if revert {
      way = try await OrderedMoves.wayBack(of: name, ServerSource(connection))
    } else {
      guard let to else { throw Failure.usage("--to names the node that takes the replica") }
      way = (from ?? "", to)
    }
    let to = way.to
    let command = StartMove(collection: name.collection, index: index, source: way.from, target: to)
    try await options.run(.startMove(command), on: connection)
    guard !options.dryRun else { return }
    try await waiting.until(ServerSource(connection)) { source in
      let question = Question.shards(ShardsQuestion(collection: name.collection, index: name.index))
      guard let report = try await source.answer(question, at: .now).answer.shards.first else { return nil }
      if let move = report.move { return "the move is \(move.step.name)" }
      guard to.isEmpty || report.replicas.contains(where: { $0.node == to }) else {
        throw Failure(.refused, "the move was cancelled; `muster log --shard \(shard)` says why")
      }
      return nil
    }
  }
}

struct Lead: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hands the leadership of a shard to an in-sync replica.",
    discussion: """
      Example: muster lead orders/17 n3
      The leader brings it up to date, stops, and says so; then it leads. This waits for that, 10 seconds at most.
      """)
  @Argument(help: "COLLECTION/NUMBER") var shard: String
  @Argument(help: "The node that shall lead.") var node: String
  @OptionGroup var options: MutationOptions

  func run() async throws {
    let name = try ShardName(shard)
    guard let index = UInt32(exactly: name.index) else { throw Failure.usage("\(name.index) is no shard number") }
    let connection = try await options.run(
      .electLeader(ElectLeader(collection: name.collection, index: index, node: node)))
    guard !options.dryRun else { return }
    var waiting = WaitOptions()
    (waiting.wait, waiting.timeout) = (true, "15s")
    try await waiting.until(ServerSource(connection)) { source in
      let question = Question.shards(ShardsQuestion(collection: name.collection, index: name.index))
      guard let report = try await source.answer(question, at: .now).answer.shards.first else { return nil }
      if report.leader == node { return nil }
      if report.heir == node { return "node \(report.leader) has not handed over yet" }
      throw Failure(.refused, "node \(node) does not lead; `muster log --shard \(shard)` says why")
    }
  }
}

struct Rebalance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes loads even by moves and hand-overs, until no move makes them more even.",
    discussion: "Example: muster rebalance start --wait",
    subcommands: [Start.self, Pause.self, Resume.self, Cancel.self, Revert.self, StatusOf.self])

  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Begins.", discussion: "Example: muster rebalance start --wait --timeout 10m")
    @OptionGroup var options: MutationOptions
    @OptionGroup var waiting: WaitOptions

    func run() async throws {
      let connection = try await options.run(.setBalancing(SetBalancing(mode: .running)))
      guard !options.dryRun else { return }
      try await waiting.until(ServerSource(connection)) { source in
        let status = try await source.answer(.status(StatusQuestion()), at: .now).answer.status
        return status?.balancing == .off ? nil : "\(status?.movingShards ?? 0) shards move"
      }
    }
  }

  struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Holds moves of balance still; recovery goes on.", discussion: "Example: muster rebalance pause")
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.setBalancing(SetBalancing(mode: .paused))) }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Goes on after a pause.", discussion: "Example: muster rebalance resume")
    @OptionGroup var options: MutationOptions
    func run() async throws {
      let connection = try Connection(options.server)
      let status = try await ServerSource(connection).answer(.status(StatusQuestion()), at: .now).answer.status
      guard status?.balancing == .paused else {
        throw Failure(.refused, "balancing is \(status?.balancing.name ?? "off"), not paused: nothing can be resumed")
      }
      try await options.run(.setBalancing(SetBalancing(mode: .running)), on: connection)
    }
  }

  struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends it; moves that did not get past catching up are called off.",
      discussion: "Example: muster rebalance cancel")
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.setBalancing(SetBalancing(mode: .off))) }
  }

  struct StatusOf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "What moves, why and how far.",
      discussion: "Example: muster rebalance status --output json")
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let source = try options.place.source()
      let moment = try options.moment
      let status = try await source.answer(.status(StatusQuestion()), at: moment)
      // How far copies are is known of now only.
      let shards = try await source.answer(
        .shards(ShardsQuestion()), at: moment == .now ? .now : .revision(status.revision))
      // A split or a merge is one move of two shards: it is told of the one that is split, or that stays.
      let moving = shards.answer.shards.filter { shard in
        shard.move.map { $0.child != shard.name && $0.absorbed != shard.name } ?? false
      }
      let mode = status.answer.status?.balancing ?? .off
      let head = DocumentHead(schema: "rebalance", status)
      let members: [JSON.Member] = [
        .init("mode", .text(mode.name)), .init("moving", .number(UInt64(moving.count))),
        .init("moves", .list(moving.map { .object($0.moveMembers) })),
      ]
      options.output.show(head, members) {
        var table = Table(["SHARD", "FROM", "TO", "STEP", "PURPOSE", "COPIED", "LEFT"])
        for shard in moving {
          guard let move = shard.move else { continue }
          table.add([
            shard.name, [move.source, move.absorbed].first { !$0.isEmpty } ?? "-",
            [move.target, move.child, move.survivor].first { !$0.isEmpty } ?? "-",
            move.step.name, move.purpose.name, shard.copied, shard.copy?.secondsLeft.map { "\($0) s" } ?? "-",
          ])
        }
        return "balancing is \(mode.name); \(moving.count) moves under way\n" + (moving.isEmpty ? "" : table.text)
      }
    }
  }
}

extension ShardReport {
  /// How far the target of the move is, by its own word.
  fileprivate var copy: ReplicaStatus? { replicas.first { $0.node == move?.target }?.status }

  fileprivate var copied: String {
    guard let copy, copy.bytesToCopy > 0 else { return "-" }
    return "\(copy.bytes) of \(copy.bytesToCopy)"
  }

  fileprivate var moveMembers: [JSON.Member] {
    guard let move else { return [] }
    return [
      .init("shard", .text(name)), .init("move", .number(UInt64(move.id))),
      .init("from", move.source.isEmpty ? .null : .text(move.source)),
      .init("to", move.target.isEmpty ? .null : .text(move.target)),
      .init("child", move.child.isEmpty ? .null : .text(move.child)),
      .init("absorbed", move.absorbed.isEmpty ? .null : .text(move.absorbed)),
      .init("step", .text(move.step.name)), .init("purpose", .text(move.purpose.name)),
      .init("paused", .flag(move.isPaused)),
      .init("started", .number(move.started)), .init("bytes", .optional(copy?.bytes ?? 0)),
      .init("bytesToCopy", .optional(copy?.bytesToCopy ?? 0)),
      .init("bytesPerSecond", .optional(copy?.bytesPerSecond ?? 0)),
      .init("secondsLeft", copy?.secondsLeft.map { .number($0) } ?? .null),
    ]
  }
}
