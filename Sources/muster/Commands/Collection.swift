internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

/// What `create` and `set` say of a policy.
struct PolicyOptions: ParsableArguments {
  @Option(help: "LEVEL[:prefer]: region, zone, rack or host; may be repeated; none takes the rule away.")
  var spread: [String] = []
  @Option(
    help: """
      LABEL=VALUE, "LABEL in A,B", "LABEL notin A,B", LABEL or !LABEL: what a node must be; may be repeated. none takes \
      the rules away; of a label that is called none write "none exists".
      """)
  var require: [String] = []
  @Option(help: "The same, where a leader is preferred; may be repeated; none takes the rules away.")
  var leadOn: [String] = []
  @Option(help: "A collection whose nodes are kept away from; may be repeated; none takes the rule away.")
  var apart: [String] = []
  @Option(help: "What a replica needs: disk=1GiB,cpu=8; may be repeated; none takes the rule away.")
  var weight: [String] = []
  @Option(help: "Replicas that acknowledge a write, the leader among them; without it a majority.") var minInSync:
    UInt32?
  @Flag(inversion: .prefixedNo, help: "Whether a replica that is behind may lead when no other is left.")
  var uncleanElection: Bool?
  @Option(help: "LABEL=VALUE for people; may be repeated; none takes the labels away.") var label: [String] = []

  /// The word that takes a rule away.
  private static let none = "none"

  func validate() throws {
    try Failure.asValidation {
      var policy = Policy()
      try apply(to: &policy)
      _ = try labels()
      guard minInSync != 0 else {
        throw Failure.usage(
          "--min-in-sync is at least 1, the leader itself; without it a majority of the replicas acknowledges a write")
      }
    }
  }

  /// Takes over what was given and leaves the rest.
  func apply(to policy: inout Policy) throws {
    if let spread = try PolicyOptions.given(spread, "spread") { policy.spread = try spread.map(PolicyOptions.rule) }
    if let require = try PolicyOptions.given(require, "require") {
      policy.required = try require.filter(PolicyOptions.isPair).map(PolicyOptions.label)
      policy.rules = try require.filter { !PolicyOptions.isPair($0) }.map(PolicyOptions.labelRule)
    }
    if let apart = try PolicyOptions.given(apart, "apart") { policy.apart = apart }
    if let leadOn = try PolicyOptions.given(leadOn, "lead-on") {
      policy.leaderPreference = try leadOn.map(PolicyOptions.labelRule)
    }
    if let weight = try PolicyOptions.given(weight, "weight") {
      policy.weights = try weight.flatMap(PolicyOptions.amounts)
    }
    if let minInSync { policy.minInSync = minInSync }
    if let uncleanElection { policy.allowsUncleanElection = uncleanElection }
  }

  /// The labels that were given; nil to leave them as they are.
  func labels() throws -> [Label]? { try PolicyOptions.given(label, "label")?.map(PolicyOptions.label) }

  /// - Returns: nil when nothing was given, and nothing at all for `none`.
  private static func given(_ words: [String], _ option: String) throws -> [String]? {
    guard words.contains(none) else { return words.isEmpty ? nil : words }
    guard words.count == 1 else { throw Failure.usage("--\(option) none takes the rule away: it stands alone") }
    return []
  }

  static func rule(_ text: String) throws -> SpreadRule {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let level = parts.first.flatMap({ FaultLevel(name: String($0)) }), parts.count <= 2,
      parts.count == 1 || parts[1] == "prefer" || parts[1] == "require"
    else {
      throw Failure.usage("--spread is region, zone, rack or host, with :prefer if it may be broken, not \"\(text)\"")
    }
    return SpreadRule(level, isPreference: parts.last == "prefer")
  }

  private static func isPair(_ text: String) -> Bool { text.contains("=") }

  /// As people write it, or as `collection show` prints it: `disk in (ssd, nvme)`, `gpu does not exist`.
  static func labelRule(_ text: String) throws -> LabelRule {
    let text = text.replacing(" not in ", with: " notin ").replacing("(", with: "").replacing(")", with: "")
    if text.hasSuffix(" does not exist") { return LabelRule(String(text.dropLast(15)), .existsNot) }
    if text.hasSuffix(" exists") { return LabelRule(String(text.dropLast(7)), .exists) }
    if isPair(text) {
      let label = try label(text)
      return LabelRule(label.name, .isIn, [label.value])
    }
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    let values = words.count == 3 ? words[2].split(separator: ",").map { String($0.filter { $0 != " " }) } : []
    switch (words.count, words.dropFirst().first) {
    case (3, "in"): return LabelRule(words[0], .isIn, values)
    case (3, "notin"): return LabelRule(words[0], .isNotIn, values)
    case (1, _) where text.hasPrefix("!"): return LabelRule(String(text.dropFirst()), .existsNot)
    case (1, _): return LabelRule(text, .exists)
    default:
      throw Failure.usage("\"\(text)\" is not LABEL=VALUE, \"LABEL in A,B\", \"LABEL notin A,B\", LABEL or !LABEL")
    }
  }

  static func label(_ text: String) throws -> Label {
    guard let label = Quantity.parseLabel(text) else { throw Failure.usage("\"\(text)\" is not LABEL=VALUE") }
    return label
  }

  static func amounts(_ text: String) throws -> [Amount] {
    guard let amounts = Quantity.parseAmounts(text) else {
      throw Failure.usage("\"\(text)\" is not NAME=AMOUNT[,NAME=AMOUNT…], such as disk=1GiB,cpu=8")
    }
    return amounts
  }
}

struct CollectionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collection", abstract: "Shards that share one policy.", discussion: "Example: muster collection list",
    subcommands: [Create.self, List.self, Show.self, Set.self, Delete.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Creates a collection and places its shards.",
      discussion: """
        Example: muster collection create orders --shards 12 --replicas 3 --spread zone --weight disk=1GiB --wait
        With --wait it comes back when every shard has a leader that has opened it.
        """)
    @Argument(help: "Its name.") var name: String
    @Option(help: "How many shards.") var shards: UInt32
    @Option(help: "Replicas of each shard.") var replicas: UInt32
    @Option(help: "The tenant that owns it.") var tenant: String = ""
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var options: MutationOptions

    func run() async throws {
      var full = Policy()
      full.replicas = replicas
      try policy.apply(to: &full)
      let command = CreateCollection(
        name: name, shards: shards, policy: full, labels: try policy.labels() ?? [], tenant: tenant)
      let connection = try await options.run(.createCollection(command))
      try await PolicyOptions.noteAbsent(full.apart, ServerSource(connection))
      guard !options.dryRun else { return }
      try await waiting.until(ServerSource(connection)) { try await unopened($0) }
    }

    private func unopened(_ source: any Source) async throws -> String? {
      let reply = try await source.answer(.shards(ShardsQuestion(collection: name)), at: .now)
      let open = reply.answer.shards.count { shard in
        shard.replicas.contains { $0.role == .leader && $0.isOpened }
      }
      return open < Int(shards) ? "\(open) of \(shards) shards of \(name) are available" : nil
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "All collections.", discussion: "Example: muster collection list --output json")
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.collections(CollectionsQuestion()), at: try options.moment)
      let collections = reply.answer.collections.sorted { $0.name < $1.name }
      let head = DocumentHead(schema: "collection-list", reply)
      options.output.show(head, "collections", collections.lazy.map(\.members)) {
        var table = Table(["NAME", "STATE", "SHARDS", "REPLICAS", "SPREAD", "MIN-IN-SYNC"])
        for each in collections {
          table.add([
            each.name, each.state.name, String(each.shards), String(each.policy.replicas),
            each.policy.spread.map { $0.level.name + ($0.isPreference ? ":prefer" : "") }.joined(separator: ","),
            String(each.policy.minInSync),
          ])
        }
        return table.text
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One collection.", discussion: "Example: muster collection show orders")
    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let question = Question.collections(CollectionsQuestion(name: name))
      let reply = try await options.place.source().answer(question, at: try options.moment)
      guard let found = reply.answer.collections.first else {
        throw Failure(.refused, "there is no collection \(name)")
      }
      let head = DocumentHead(schema: "collection", reply)
      options.output.show(head, found.members) { Details.text(found.members) }
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Changes a policy; replicas follow it by moves.",
      discussion: """
        Example: muster collection set orders --min-in-sync 2
        `muster plan --policy FILE` shows first what would move.
        Example: muster collection set orders --shards 24 --wait
        More shards come of splits, the widest first; fewer of merges, the narrowest first. With the number that there are
        now nothing more is begun.
        Example: muster collection set orders --require none --spread rack
        What is given takes the place of what was there; none takes it away. With --wait it comes back when every shard
        stands as the policy asks and none moves.
        """)
    @Argument(help: "Its name.") var name: String
    @Option(help: "Replicas of each shard.") var replicas: UInt32?
    @Option(help: "How many shards it shall have.") var shards: UInt32?
    @OptionGroup var policy: PolicyOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var options: MutationOptions

    func run() async throws {
      let connection = try Connection(options.server)
      let source = ServerSource(connection)
      let question = Question.collections(CollectionsQuestion(name: name))
      let reply = try await source.answer(question, at: .now)
      guard let old = reply.answer.collections.first else { throw Failure(.refused, "there is no collection \(name)") }
      var full = old.policy
      if let replicas { full.replicas = replicas }
      try policy.apply(to: &full)
      let labels = try policy.labels() ?? old.labels
      let change = Command.changeCollection(ChangeCollection(name: name, policy: full, labels: labels))
      guard let shards else {
        try await options.run(change, on: connection)
        try await PolicyOptions.noteAbsent(full.apart, source)
        guard !options.dryRun else { return }
        try await waiting.until(source) { try await PolicyProgress(collection: name).missing($0) }
        return
      }
      let count = Command.setShardCount(SetShardCount(name: name, shards: shards))
      let isChanged = full != old.policy || labels != old.labels
      try await options.run(isChanged ? .batch(Batch([change, count])) : count, on: connection)
      guard !options.dryRun else { return }
      try await waiting.until(source) { source in
        guard let now = try await source.answer(question, at: .now).answer.collections.first else { return nil }
        guard now.shards != shards else {
          if now.wantedShards == shards { return "\(name) has \(shards) shards" }
          return try await PolicyProgress(collection: name).missing(source)
        }
        guard now.wantedShards == shards else {
          throw Failure(.refused, "it was called off; `muster log --collection \(name)` says why")
        }
        return "\(name) has \(now.shards) of \(shards) shards"
      }
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deletes a collection and all its replicas.", discussion: "Example: muster collection delete orders")
    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: MutationOptions
    func run() async throws { try await options.run(.deleteCollection(DeleteCollection(name: name))) }
  }
}
