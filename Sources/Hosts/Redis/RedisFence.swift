internal import Glibc
internal import MusterHosting
internal import NIOCore
internal import NIOPosix

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
  /// ones, a second between two counts, and one to spare.
  static let lease = Duration.seconds(lagMax + 3)

  private let since = ContinuousClock.now
  /// Addresses of the other replicas when this one was elected, the old leader's among them.
  private var others: [String]

  init(_ leadership: Leadership) { others = leadership.followers.map(\.peer.address) }

  /// - Returns: true when nobody else takes writes any more, for good.
  mutating func isOver() async -> Bool {
    if since.duration(to: .now) >= RedisFence.lease { return true }
    var unclear: [String] = []
    for address in others where await !RedisFence.takesNoWrites(address) { unclear.append(address) }
    others = unclear
    return others.isEmpty
  }

  /// False when it cannot be said.
  private static func takesNoWrites(_ address: String) async -> Bool {
    guard !address.isEmpty else { return false }
    do {
      let redis = try await RedisConnection.connect(address, within: .milliseconds(300))
      defer { redis.close() }
      let info = RedisInfo(try await redis.call(["INFO", "replication"], within: .milliseconds(300)).text ?? "")
      return info.isReplica || info.isWithoutReplicas
    } catch let error as RedisError {
      // It was started anew, and serves nobody before its agent says so.
      return error.isLoading
    } catch {
      return await isRefused(address)
    }
  }

  /// True when the machine itself says that nothing listens there: the process is gone.
  private static func isRefused(_ address: String) async -> Bool {
    guard let (host, port) = RedisConnection.parts(address) else { return false }
    do {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.milliseconds(300)).connect(host: host, port: port).get()
      channel.close(promise: nil)
      return false
    } catch let error as NIOConnectionError {
      return !error.connectionErrors.isEmpty
        && error.connectionErrors.allSatisfy { ($0.error as? IOError)?.errnoCode == ECONNREFUSED }
    } catch {
      return false
    }
  }
}
