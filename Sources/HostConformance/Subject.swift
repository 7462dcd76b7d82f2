public import MusterHosting

/// What the conformance checks need to know of a host to check it: how to make one, and how its data is written and read
/// by those who use it.
public protocol ConformanceSubject: Sendable {
  /// A host for a node, with an empty place for its data the first time and the same place afterwards. Making it anew is
  /// what an agent does that was killed and started again.
  func host(node: String) async throws -> any ShardHost

  /// Writes as a user would.
  ///
  /// - Throws: when the replica does not take it.
  func write(_ value: String, to replica: any HostedReplica, of shard: HostedShard, node: String) async throws

  /// All that was written, as this replica has it, in any order.
  func read(_ replica: any HostedReplica, of shard: HostedShard, node: String) async throws -> Set<String>

  /// Deletes as a user would. Only of hosts that can put shards together.
  ///
  /// - Throws: when the replica does not take it.
  func delete(_ value: String, from replica: any HostedReplica, of shard: HostedShard, node: String) async throws

  /// Takes the data of a replica away behind its back, as a lost disk does. Its process, if any, is ended.
  func destroy(_ shard: HostedShard, node: String) async throws

  /// Whether a leader stops taking writes when its followers leave, without being told: false for hosts without a fence of
  /// their own.
  var hasFence: Bool { get }
}

extension ConformanceSubject {
  public func delete(_ value: String, from replica: any HostedReplica, of shard: HostedShard, node: String) async throws
  {
    throw ConformanceFailure("there is no way to delete \(value) from \(shard) on \(node)")
  }
}

/// What a host does not do that it must.
public struct ConformanceFailure: Error, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}
