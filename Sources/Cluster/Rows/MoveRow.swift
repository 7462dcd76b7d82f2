package import MusterBytes

/// Where a move is on its way. Each step is a commit.
package enum MoveStep: UInt32, Sendable {
  /// The target was added as a learner and copies.
  case catchingUp = 0
  /// The target is a follower like the others.
  case promoted = 1
  /// Leadership, if the source had it, is elsewhere.
  case handedOver = 2
  case finished = 3
  case cancelled = 4
  /// A step of a plan that waits for its share of the budgets: nothing was touched yet.
  case waiting = 5
  /// It was called off when its target had a vote already: first the leader must stop counting on that.
  case undoing = 6
  /// Of a split: the leader was asked to take no writes until copies of the child have everything. Of a merge: the leader
  /// of the absorbed shard was asked to take none.
  case pausing = 7
  /// Of a split: the child owns its keys, and both forget those of the other.
  case pruning = 8
  /// Of a merge: the survivor's leader copies the keys of the absorbed shard, which serves on.
  case copying = 9
  /// Of a merge: the absorbed shard's leader takes no writes, and the survivor's copies the rest.
  case absorbing = 10

  package var name: String {
    switch self {
    case .catchingUp: "catching-up"
    case .promoted: "promoted"
    case .handedOver: "handed-over"
    case .finished: "finished"
    case .cancelled: "cancelled"
    case .waiting: "waiting"
    case .undoing: "undoing"
    case .pausing: "pausing"
    case .pruning: "pruning"
    case .copying: "copying"
    case .absorbing: "absorbing"
    }
  }

  package var isOver: Bool { self == .finished || self == .cancelled }

  /// The step that follows when all goes well; nil when the move is over.
  package var next: MoveStep? {
    switch self {
    case .waiting: .catchingUp
    case .catchingUp: .promoted
    case .promoted: .handedOver
    case .handedOver: .finished
    case .undoing: .cancelled
    case .pausing: .pruning
    case .pruning, .absorbing: .finished
    case .copying: .pausing
    case .finished, .cancelled: nil
    }
  }
}

/// Why a replica moves. Each purpose has a budget of its own.
package enum MovePurpose: UInt32, Sendable, CaseIterable {
  /// An operator ordered it: it waits for nothing else.
  case order = 0
  /// Loads are made even.
  case balance = 1
  /// A replica was lost, or the policy wants more of them.
  case recovery = 2
  /// A node gives all away.
  case drain = 3

  package var name: String {
    switch self {
    case .order: "order"
    case .balance: "balance"
    case .recovery: "recovery"
    case .drain: "drain"
    }
  }

  package init?(name: String) {
    guard let purpose = MovePurpose.allCases.first(where: { $0.name == name }) else { return nil }
    self = purpose
  }
}

/// A replica on its way from one node to another, half of a shard's keys on their way to another shard, or all of them. When
/// the move is over the row is vacant: the log remembers.
package struct MoveRow: TableRow {
  package static let table = TableID.moves

  package var shard: ShardID = 0
  /// 0 when a replica is added and none goes.
  package var source: NodeID = 0
  /// 0 when a replica goes and none comes.
  package var target: NodeID = 0
  package var step = MoveStep.catchingUp
  package var purpose = MovePurpose.order
  /// Of a split the shard that is made; 0 of any other move.
  package var child: ShardID = 0
  /// Of a merge the shard that the other one absorbs, and the epoch in which its leader said that it is paused; else 0.
  package var absorbed: ShardID = 0
  package var absorbedEpoch: UInt32 = 0
  /// A person holds it at its step.
  package var isPaused = false
  package var started: Revision = 0
  package var changed: Revision = 0

  package init() {}

  package var isVacant: Bool { shard == 0 }
  package var isSplit: Bool { child != 0 }
  package var isMerge: Bool { absorbed != 0 }
  /// The other of two shards that share the move, or 0.
  package var partner: ShardID { max(child, absorbed) }

  /// The replica that the leader shall stop counting on, because it goes next; 0 for none.
  package var leaving: NodeID {
    switch step {
    case .handedOver: source
    case .undoing: target
    case .waiting, .catchingUp, .promoted, .finished, .cancelled, .pausing, .pruning, .copying, .absorbing: 0
    }
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &shard)
    try fields.uint32(2, &source)
    try fields.uint32(3, &target)
    try fields.enumeration(4, &step)
    try fields.uint64(5, &started)
    try fields.uint64(6, &changed)
    try fields.enumeration(7, &purpose)
    try fields.uint32(20, &child)
    try fields.uint32(21, &absorbed)
    try fields.uint32(22, &absorbedEpoch)
    try fields.bool(23, &isPaused)
  }
}
