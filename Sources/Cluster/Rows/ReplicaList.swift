internal import MusterBytes

/// What a replica is to its shard.
package enum ReplicaRole: UInt32, Sendable {
  case leader = 0
  case follower = 1
  case learner = 2

  package var name: String {
    switch self {
    case .leader: "leader"
    case .follower: "follower"
    case .learner: "learner"
    }
  }
}

/// One replica of a shard.
package struct Replica: Hashable, Sendable {
  package var node: NodeID
  package var role: ReplicaRole
  /// May be elected without losing acknowledged data.
  package var isInSync: Bool
  /// The node has said that it opened this replica.
  package var isOpened: Bool
  /// The node has said that the data is gone. What it acknowledged before may be nowhere else: elections reckon with it
  /// as long as it is in sync, and nobody counts it as a copy until it has everything again.
  package var isEmptied = false

  package init(node: NodeID, role: ReplicaRole, isInSync: Bool = false, isOpened: Bool = false) {
    self.node = node
    self.role = role
    self.isInSync = isInSync
    self.isOpened = isOpened
  }

  /// It is in sync, and has its data.
  package var isCopy: Bool { isInSync && (!isEmptied || Mutant.isOn(.emptiedCountsAsCopy)) }

  /// Something of the shard may be found here, whether or not all.
  package var mayHaveData: Bool { !isEmptied && (isOpened || role != .learner) }

  /// Node in the upper 28 bits, then two bits of role, in-sync, opened. Stored in rows: frozen.
  package var packed: UInt32 { node << 4 | role.rawValue << 2 | (isInSync ? 2 : 0) | (isOpened ? 1 : 0) }

  package init?(packed: UInt32) {
    guard let role = ReplicaRole(rawValue: packed >> 2 & 3), packed >> 4 != 0 else { return nil }
    self.init(node: packed >> 4, role: role, isInSync: packed & 2 != 0, isOpened: packed & 1 != 0)
  }

  /// The highest node number that fits.
  package static let nodeMax: NodeID = (1 << 28) - 1
}

/// The replicas of a shard, in place: a million shards must not be a million arrays.
package struct ReplicaList: Equatable, Sendable {
  private var slots: InlineArray<8, UInt32> = .init(repeating: 0)
  private var used: UInt32 = 0
  /// A bit for each slot whose data is gone, the first slot's the lowest.
  private var emptiedBits: UInt32 = 0

  package var count: Int { Int(used) }

  package init() {}

  package init(_ replicas: some Sequence<Replica>) {
    for replica in replicas { append(replica) }
  }

  package subscript(index: Int) -> Replica {
    get {
      precondition(index < count, "a replica slot must be in use")
      guard let replica = Replica(packed: slots[index]) else { preconditionFailure("a slot in use holds a replica") }
      guard emptiedBits != 0 else { return replica }
      var marked = replica
      marked.isEmptied = emptiedBits >> UInt32(index) & 1 == 1
      return marked
    }
    set {
      precondition(index < count, "a replica slot must be in use")
      slots[index] = newValue.packed
      mark(index, newValue.isEmptied)
    }
  }

  package var isFull: Bool { count == Limits.replicaSlots }

  /// - Precondition: the list is not full.
  package mutating func append(_ replica: Replica) {
    precondition(!isFull, "a shard has no more than \(Limits.replicaSlots) replicas")
    slots[count] = replica.packed
    mark(count, replica.isEmptied)
    used += 1
  }

  private mutating func mark(_ index: Int, _ isEmptied: Bool) {
    let bit: UInt32 = 1 << UInt32(index)
    emptiedBits = isEmptied ? emptiedBits | bit : emptiedBits & ~bit
  }

  package mutating func remove(at index: Int) {
    precondition(index < count, "a replica slot must be in use")
    for next in index..<(count - 1) { slots[next] = slots[next + 1] }
    let below: UInt32 = (1 << UInt32(index)) - 1
    emptiedBits = emptiedBits & below | emptiedBits >> 1 & ~below
    used -= 1
    slots[count] = 0
  }

  package mutating func removeAll() { self = ReplicaList() }

  package func index(of node: NodeID) -> Int? {
    for index in 0..<count where slots[index] >> 4 == node { return index }
    return nil
  }

  package func replica(on node: NodeID) -> Replica? { index(of: node).map { self[$0] } }

  package static func == (a: ReplicaList, b: ReplicaList) -> Bool {
    guard a.count == b.count, a.emptiedBits == b.emptiedBits else { return false }
    for index in 0..<a.count where a.slots[index] != b.slots[index] { return false }
    return true
  }
}

extension ReplicaList {
  /// Whose data is gone, as stored in rows: a bit for each slot in use.
  package var emptied: UInt32 {
    get { emptiedBits }
    set { emptiedBits = newValue & ((1 << used) - 1) }
  }
}

/// Slots as stored in rows.
extension ReplicaList: PackedList {
  package var packedCount: Int { count }

  package func packedNumber(at place: Int) -> UInt32 { slots[place] }

  package mutating func append(packed number: UInt32) -> Bool {
    guard !isFull, let replica = Replica(packed: number), index(of: replica.node) == nil else { return false }
    append(replica)
    return true
  }
}

extension ReplicaList: Sequence {
  package struct Iterator: IteratorProtocol {
    let list: ReplicaList
    var index = 0

    package mutating func next() -> Replica? {
      guard index < list.count else { return nil }
      defer { index += 1 }
      return list[index]
    }
  }

  package func makeIterator() -> Iterator { Iterator(list: self) }
}
