/// Another replica of the same shard.
public struct Peer: Hashable, Sendable {
  /// The node that has it.
  public var node: String
  /// Where it is reached; empty while that is not known.
  public var address: String

  public init(node: String, address: String) {
    self.node = node
    self.address = address
  }
}

/// A replica that copies from a leader.
public struct HostedFollower: Hashable, Sendable {
  public var peer: Peer
  /// It copies from the leader itself, and what it has acknowledged counts. Others copy from a follower or wait: what they
  /// have must not make a write count as acknowledged.
  public var isCounted: Bool
  /// It copies from the leader itself though it does not count, because nobody else is there that it could copy from. The
  /// leader takes no writes meanwhile, and before it lets it in it gives up those that still wait to be acknowledged: their
  /// writers must not take what such a copy has for safe.
  public var isStranger: Bool

  public init(peer: Peer, isCounted: Bool, isStranger: Bool = false) {
    self.peer = peer
    self.isCounted = isCounted
    self.isStranger = isStranger
  }
}

/// The keys that a shard owns: those whose hash leaves the residue. The hash is the low 64 bits of MurmurHash3 x64 128 of
/// the key's bytes, with seed 0.
public struct HostedKeys: Hashable, Sendable {
  public var residue: UInt32
  public var modulus: UInt32

  public init(residue: UInt32, modulus: UInt32) {
    self.residue = residue
    self.modulus = modulus
  }

  public func holds(hash: UInt64) -> Bool { modulus > 0 && hash % UInt64(modulus) == UInt64(residue) }
}

/// Replicas of a shard that is being split from this one: they copy its data, and what they have never counts.
public struct HostedCopies: Hashable, Sendable {
  /// Their shard's number.
  public var shard: UInt32
  public var peers: [Peer]
  /// The nodes of those that copy from this replica.
  public var readers: [String]

  public init(shard: UInt32, peers: [Peer], readers: [String]) {
    self.shard = shard
    self.peers = peers
    self.readers = readers
  }
}

/// A shard whose keys go into that of the replica which is told this.
public struct HostedAbsorption: Hashable, Sendable {
  /// Its number.
  public var shard: UInt32
  /// Its leader, and the epoch in which that leads.
  public var source: Peer
  public var epoch: UInt32
  /// What it owns.
  public var keys: HostedKeys
  /// What the shard that absorbs it owns.
  public var own: HostedKeys
  /// The source takes no writes any more, and since which order; 0 while it does. Another number is another pause: it took
  /// writes in between.
  public var pause: UInt64

  public init(
    shard: UInt32, source: Peer, epoch: UInt32, keys: HostedKeys, own: HostedKeys, pause: UInt64 = 0
  ) {
    self.shard = shard
    self.source = source
    self.epoch = epoch
    self.keys = keys
    self.own = own
    self.pause = pause
  }
}

/// How far a copy of another shard's keys is.
public enum AbsorptionProgress: Hashable, Sendable {
  case copying
  /// What is left takes a moment.
  case near
  /// Everything is here that the paused source had.
  case complete
}

/// On which conditions a replica leads.
public struct Leadership: Hashable, Sendable {
  public var epoch: UInt32
  /// How many counted followers must have a write before it may be acknowledged. With fewer attached no write is taken:
  /// that is what fences a leader whose followers promised a later epoch, even when its agent is dead.
  public var acknowledgements: Int
  public var followers: [HostedFollower]
  /// No writes are taken: somebody else leads next.
  public var isPaused: Bool
  /// The keys of its shard; nil while all that come are. A host that sees keys takes no others. One that does not breaks
  /// its clients' connections when this changes, so that they ask for their route before they write again.
  public var keys: HostedKeys?
  /// While the shard is being split.
  public var copies: HostedCopies?

  public init(
    epoch: UInt32, acknowledgements: Int, followers: [HostedFollower], isPaused: Bool = false, keys: HostedKeys? = nil,
    copies: HostedCopies? = nil
  ) {
    self.keys = keys
    self.copies = copies
    self.epoch = epoch
    self.acknowledgements = acknowledgements
    self.followers = followers
    self.isPaused = isPaused
  }
}

/// Whom a replica copies from.
public struct Following: Hashable, Sendable {
  public var epoch: UInt32
  /// Nil while nobody is there to copy from.
  public var source: Peer?
  /// Nodes whose replicas copy from this one.
  public var readers: [String]
  /// The shard whose replica is copied, when it is another: this one is being split from it.
  public var parent: UInt32?
  /// Replicas of a shard that is being split from this one.
  public var copies: HostedCopies?

  public init(
    epoch: UInt32, source: Peer?, readers: [String] = [], parent: UInt32? = nil, copies: HostedCopies? = nil
  ) {
    self.parent = parent
    self.copies = copies
    self.epoch = epoch
    self.source = source
    self.readers = readers
  }
}

/// How far a replica is.
public struct HostPosition: Hashable, Comparable, Sendable {
  /// Which stream of writes: it grows with every epoch, and whenever a leader starts anew. 0 before the first.
  public var history: UInt64
  /// How far within it.
  public var offset: UInt64

  public init(history: UInt64, offset: UInt64) {
    self.history = history
    self.offset = offset
  }

  /// The history of an epoch.
  ///
  /// - Parameter run: how often its leader was started anew within the epoch.
  public static func history(epoch: UInt32, run: UInt32) -> UInt64 { UInt64(epoch) << 32 | UInt64(run) }

  public static func < (a: HostPosition, b: HostPosition) -> Bool { (a.history, a.offset) < (b.history, b.offset) }
}

/// What a leader knows of a follower.
public struct FollowerProgress: Hashable, Sendable {
  public var node: String
  /// It has every write that the leader had taken when it was asked.
  public var hasEverything: Bool
  /// Bytes, or whatever offsets count, that it is behind; nil when it does not answer.
  public var lag: UInt64?

  public init(node: String, hasEverything: Bool, lag: UInt64?) {
    self.node = node
    self.hasEverything = hasEverything
    self.lag = lag
  }
}

/// What a replica is, as its host sees it: the truth, whatever was asked of it before.
public struct ReplicaCondition: Hashable, Sendable {
  public enum Role: Hashable, Sendable {
    /// Serves nothing and copies from nobody.
    case idle
    case leading(epoch: UInt32)
    /// - Parameter isAttached: it receives what the source receives.
    case following(isAttached: Bool)
  }

  public var role: Role
  /// Nil when it cannot be said.
  public var position: HostPosition?
  /// What the data takes, in bytes.
  public var bytes: UInt64
  /// While it copies: how much there is to copy in all, or 0.
  public var bytesToCopy: UInt64
  /// Of a leader.
  public var followers: [FollowerProgress]
  /// Of a leader: the copies that it was told of.
  public var copies: [FollowerProgress]
  /// What an operator should know; empty when all is well.
  public var problem: String
  /// Of a leader: the one before it may take writes still, so nobody may begin where this one ends.
  public var isFencing: Bool
  /// It had data, lost it, and has not copied everything since.
  public var isEmptied: Bool

  public init(
    role: Role, position: HostPosition? = nil, bytes: UInt64 = 0, bytesToCopy: UInt64 = 0,
    followers: [FollowerProgress] = [], copies: [FollowerProgress] = [], problem: String = "",
    isFencing: Bool = false, isEmptied: Bool = false
  ) {
    self.isEmptied = isEmptied
    self.isFencing = isFencing
    self.copies = copies
    self.role = role
    self.position = position
    self.bytes = bytes
    self.bytesToCopy = bytesToCopy
    self.followers = followers
    self.problem = problem
  }
}

/// A checksum of a replica's data at a position.
public struct ReplicaChecksum: Hashable, Sendable {
  public var position: HostPosition
  /// Printable, at most 64 bytes.
  public var value: String

  public init(position: HostPosition, value: String) {
    self.position = position
    self.value = value
  }
}
