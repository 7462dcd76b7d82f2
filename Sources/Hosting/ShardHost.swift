/// What keeps the data of shards on a node: a database, a cache, files.
///
/// Muster decides which replicas a node has and which of them leads; a host makes that true. To bring another database
/// under Muster's care, implement ``ShardHost`` and ``HostedReplica`` and run the conformance tests against them.
///
/// How Muster calls a host:
/// - Calls about one replica come one after the other, calls about different ones at once. All of them may take long, and
///   may fail: they are made again until they succeed or something else is wanted. They must be idempotent.
/// - Nothing is remembered between calls that a crash of the agent may not take: after a restart every replica is opened
///   again, and ``HostedReplica/look()`` says what it is. Data must go on being served meanwhile.
/// - A replica serves writes only between ``HostedReplica/lead(_:)`` and the next call that says otherwise. When the host
///   starts a replica anew it serves none.
public protocol ShardHost: Sendable {
  /// As `--host` names it.
  var name: String { get }

  /// Whether its shards can be split: a replica copies from another shard's, and forgets keys that are not its shard's.
  var canSplit: Bool { get }

  /// Whether two of its shards can be put together: a leader copies another shard's keys into its own data while both serve.
  var canMerge: Bool { get }

  /// Opens a replica as it was left, or makes an empty one.
  ///
  /// - Parameter mustExist: this node had the replica before. If it is not there, its data is lost, and the replica that
  ///   is made in its place must not take part in elections until it has copied everything once.
  func open(_ shard: HostedShard, mustExist: Bool) async throws -> any HostedReplica

  /// Removes what is left of replicas that this node has no more, running or not.
  func keepOnly(_ shards: Set<UInt32>) async throws

  /// The agent stops for good: nothing of this node is served any more. What is on disk stays.
  func shutDown() async
}

/// One replica on this node.
public protocol HostedReplica: Sendable {
  /// Where clients and other replicas reach it, as HOST:PORT; empty when it is not reachable.
  var address: String { get }

  /// What it is and how far it is. Called about five times a second.
  func look() async throws -> ReplicaCondition

  /// Becomes the leader of an epoch, or goes on as such under other conditions.
  ///
  /// Everything that the replica has is the truth from now on. Before it takes the first write of the epoch it must mark
  /// the beginning of a new history *in its data*, so that every copy knows to which history it belongs.
  func lead(_ leadership: Leadership) async throws

  /// Stops serving writes and copies from another replica. What it has and the source has not is given up.
  func follow(_ following: Following) async throws

  /// Promises never again to serve, or copy from, a leader of an earlier epoch: the replica cuts itself off from the
  /// leader that it has, for good also across a crash, and then says how far it is.
  ///
  /// - Throws: ``HostProblem/unknownPosition(_:)`` when it cannot know: no promise is better than a wrong one.
  func promise(epoch: UInt32) async throws -> HostPosition

  /// Forgets keys that are not among these, as writes that followers get too. A bounded part of the work at a time.
  ///
  /// - Returns: true when there are no others any more.
  func prune(keeping keys: HostedKeys) async throws -> Bool

  /// Leading, copies the keys of another shard from that one's leader, as writes that followers get too. A bounded part of
  /// the work at a time.
  ///
  /// A copy begins with forgetting all keys but the shard's own. It begins anew whenever it may have missed a change: when
  /// the source is another or was started anew, or the link to it broke. What the source changes meanwhile is copied again,
  /// and what it deletes is deleted. Nothing but the source's own keys is copied.
  ///
  /// - Returns: ``AbsorptionProgress/complete`` only while the source is paused, when everything is here that it had when it
  ///   was told to pause.
  func absorb(_ absorption: HostedAbsorption) async throws -> AbsorptionProgress

  /// A checksum of the data at a position, the same for every replica that has the same data; nil when the data changes
  /// too fast to tell.
  func checksum() async throws -> ReplicaChecksum?

  /// Throws its data away, to be copied anew.
  func wipe() async throws

  /// The node has this replica no more: it stops, and its data is deleted.
  func drop() async throws
}

/// A shard as hosts know it.
public struct HostedShard: Hashable, Sendable, CustomStringConvertible {
  /// Unique in the cluster for ever.
  public var number: UInt32
  public var collection: String
  /// Its place within the collection, from 0.
  public var index: UInt32

  public init(number: UInt32, collection: String, index: UInt32) {
    self.number = number
    self.collection = collection
    self.index = index
  }

  public var description: String { "\(collection)/\(index)" }
}

/// Why a host cannot do what is asked, in words that operators read.
public enum HostProblem: Error, Equatable, Sendable, CustomStringConvertible {
  /// It may work later: a process that starts, a connection that is down, data that loads.
  case notNow(String)
  /// Not with this object any more: the replica must be opened anew.
  case closed(String)
  /// The data that this replica had is gone.
  case dataLost(String)
  /// The data is there, and how far it is cannot be said.
  case unknownPosition(String)

  public var description: String {
    switch self {
    case .notNow(let words), .closed(let words), .dataLost(let words), .unknownPosition(let words): words
    }
  }
}

extension ShardHost {
  public var canSplit: Bool { false }
  public var canMerge: Bool { false }
}

extension HostedReplica {
  public func prune(keeping keys: HostedKeys) async throws -> Bool {
    throw HostProblem.notNow("this host does not split shards")
  }

  public func absorb(_ absorption: HostedAbsorption) async throws -> AbsorptionProgress {
    throw HostProblem.notNow("this host does not merge shards")
  }
}
