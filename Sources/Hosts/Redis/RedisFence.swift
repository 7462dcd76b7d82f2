internal import MusterHosting
internal import NIOCore

/// Whether the leader before this one takes writes still.
///
/// It takes them while enough replicas that it counts acknowledged something lately. Those that promised a later epoch
/// closed their links to it. Either it saw that, and refuses writes since; or the network kept it from seeing it, and it
/// refuses them once their silence is too long. So whoever was elected takes no write before that time is over, or before
/// every other replica said that it takes none.
struct RedisFence {
  /// Whole seconds of silence after which a leader counts a replica no more (`min-replicas-max-lag`).
  static let lagMax = 2
  /// How long a leader may take writes without hearing from its replicas: ``lagMax``, a second because Redis counts whole
  /// ones, a second between two counts, and half of one to spare.
  static let lease = Duration.milliseconds(lagMax * 1000 + 2500)
  /// Others are not asked any more when it is over in a moment.
  private static let moment = Duration.seconds(1)

  private let since = ContinuousClock.now
  /// Addresses of the other replicas when this one was elected, the old leader's among them.
  private var others: Set<String>

  init(_ leadership: Leadership) { others = Set(leadership.followers.map(\.peer.address)) }

  /// - Returns: true when nobody else takes writes any more, for good.
  mutating func isOver() async -> Bool {
    let waited = since.duration(to: .now)
    if waited >= RedisFence.lease { return true }
    guard waited < RedisFence.lease - RedisFence.moment else { return false }
    others = await withTaskGroup(of: String?.self) { group in
      for address in others { group.addTask { await RedisFence.takesNoWrites(address) ? nil : address } }
      return await group.reduce(into: []) { unclear, address in
        if let address { unclear.insert(address) }
      }
    }
    return others.isEmpty
  }

  /// False when it cannot be said.
  private static func takesNoWrites(_ address: String) async -> Bool {
    guard !address.isEmpty else { return false }
    do {
      guard let redis = try await RedisConnection.connectIfListening(address, within: .milliseconds(300)) else {
        return true
      }
      defer { redis.close() }
      let info = RedisInfo(try await redis.call(["INFO", "replication"], within: .milliseconds(300)).text ?? "")
      return info.isReplica || info.isWithoutReplicas
    } catch let error as RedisError {
      // It was started anew, and serves nobody before its agent says so.
      return error.isLoading
    } catch {
      return false
    }
  }
}
