package import MusterCluster
internal import MusterControllers

/// Makes the history of a growing, failing, rebalanced cluster, the same for the same seed.
///
/// Every commit is decided by the state like any other; what varies is what is asked. Something happens (a node
/// fails, an operator drains another), and what follows from it comes bit by bit, between other things: elections,
/// replicas that catch up, moves in their steps. Most events are small ones about shards, as in a real cluster.
package struct HistoryGenerator {
  package private(set) var state = State()
  var random: SeededGenerator
  let scale: Scale
  var clock: Microseconds = 1_700_000_000_000_000
  /// What is still to be done because of what happened.
  var chores: [Chore] = []
  var counters = Counters()
  private let planner = PlacementPlanner()
  private var sequence: UInt64 = 0

  /// How large the cluster grows, and how eventful its life is.
  package struct Scale: Sendable {
    package var nodes: Int
    package var shards: Int
    /// Rare things, such as a deleted collection, happen once in so many happenings.
    package var rarity: Int
    /// Services whose five limits are set, for the cluster and for parts of it.
    package var services: Int

    package init(nodes: Int, shards: Int, rarity: Int = 2000, services: Int = 200) {
      self.nodes = max(6, nodes)
      self.shards = max(1, shards)
      self.rarity = max(2, rarity)
      self.services = max(1, services)
    }
  }

  /// What names are made of, and what there is.
  struct Counters {
    var nodes = 0
    var collections = 0
    var tenants = 0
    var liveShards = 0
    var liveNodes = 0
    var failedNodes = 0
    /// The numbers in the names of removed nodes, the longest gone first.
    var removedNodes: [Int] = []
  }

  /// What somebody asks for.
  struct Asked {
    var command: Command
    var principal: String
    var kind: PrincipalKind
    var reason: Reason?
    var cause: Revision = 0
  }

  package init(seed: UInt64, scale: Scale) {
    random = SeededGenerator(seed: seed)
    self.scale = scale
  }

  /// - Parameters:
  ///   - nodes: how many nodes the cluster grows to.
  ///   - shards: about how many shards it grows to.
  package init(seed: UInt64, nodes: Int, shards: Int) {
    self.init(seed: seed, scale: Scale(nodes: nodes, shards: shards))
  }

  /// The next commit.
  package mutating func next() -> Commit {
    while true {
      clock += Microseconds(500 + random.below(random.oneIn(50) ? 4_000_000 : 40_000))
      guard let asked = choresComeFirst() ? doChore() : happening() else { continue }
      if let commit = ask(asked) { return commit }
    }
  }

  /// Asks, and says what became of it when it was accepted.
  private mutating func ask(_ asked: Asked) -> Commit? {
    var request = Request(asked.command)
    request.cause = asked.cause
    if asked.kind == .person {
      sequence += 1
      request.client = "laptop-\(sequence % 5)"
      request.sequence = sequence
    }
    let context = RequestContext(
      principal: asked.principal, kind: asked.kind, assurance: asked.kind == .person ? .asserted : .own,
      wallTime: clock, reason: asked.reason)
    guard case .committed(let commit) = state.execute(request, context, planner) else { return nil }
    for event in commit.events { follow(event, of: commit.revision) }
    return commit
  }
}

// MARK: - Who asks

extension HistoryGenerator.Asked {
  static func person(_ command: Command, named name: String = "ops") -> Self {
    Self(command: command, principal: name, kind: .person)
  }

  static func node(_ name: String, _ command: Command) -> Self {
    Self(command: command, principal: name, kind: .node)
  }

  static func controller(
    _ name: String, _ command: Command, _ reason: Reason? = nil, cause: Revision = 0
  ) -> Self {
    Self(command: command, principal: name, kind: .controller, reason: reason, cause: cause)
  }
}
