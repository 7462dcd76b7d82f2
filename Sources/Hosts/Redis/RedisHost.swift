internal import Glibc
public import MusterHosting
internal import Synchronization

/// Hosts each replica as a Redis server of its own, and lets Redis replicate. Needs Redis 7.
///
/// A replica is a directory `shard-NUMBER` under the node's data: the files of Redis, its configuration and log, and a
/// record of what was promised. The servers outlive the agent; a new one finds them by their directories and passwords.
public final class RedisHost: ShardHost {
  public let name = "redis"
  public let canSplit = true
  public let canMerge = true
  private let directory: String
  private let node: String
  private let host: String
  private let portRange: ClosedRange<UInt16>?
  private let program: String
  private let patience: Duration
  private let open = Mutex<[UInt32: RedisReplica]>([:])
  /// The agent stops; changed only with `open` locked.
  private let isOver = Atomic(false)
  /// Ports that replicas of this agent have, or are about to listen on.
  private let ports = Mutex<[UInt32: UInt16]>([:])
  private static let prefix = "shard-"

  /// - Parameters:
  ///   - directory: an absolute path, of this node alone.
  ///   - node: the node's name.
  ///   - host: the address that servers listen on and are reached at.
  ///   - ports: where they listen; without it wherever the system has a port free.
  ///   - program: what is started as Redis.
  ///   - patience: a server that does not answer for so long is ended and started anew. One that says that it is loading
  ///     answers.
  public init(
    directory: String, node: String, host: String = "127.0.0.1", ports: ClosedRange<UInt16>? = nil,
    program: String = "redis-server", patience: Duration = .seconds(15)
  ) {
    self.directory = directory
    self.node = node
    self.host = host
    portRange = ports
    self.program = program
    self.patience = patience
  }

  private func place(_ shard: UInt32) -> String { "\(directory)/\(RedisHost.prefix)\(shard)" }

  private func process(_ shard: UInt32) -> RedisProcess {
    RedisProcess(directory: place(shard), host: host, program: program, node: node)
  }

  public func open(_ shard: HostedShard, mustExist: Bool) async throws -> any HostedReplica {
    if let known = open.withLock({ $0[shard.number] }) {
      try await known.awaitStart()
      return known
    }
    let process = process(shard.number)
    try FileText.makeDirectory(process.directory)
    var record = try ReplicaRecord.read(process.directory) ?? fresh(mustExist)
    record.port = try port(for: shard.number, asBefore: record.port, isRunning: process.pid != nil)
    try record.write(process.directory)
    let replica = RedisReplica(shard, process, record, patience: patience) { [weak self] in
      self?.forget(shard.number)
    }
    try open.withLock {
      guard !isOver.load(ordering: .sequentiallyConsistent) else { throw HostProblem.closed("the agent stops") }
      $0[shard.number] = replica
    }
    try await replica.awaitStart()
    return replica
  }

  private func fresh(_ mustExist: Bool) -> ReplicaRecord {
    var random = SystemRandomNumberGenerator()
    let secret = (0..<4).map { _ in String(random.next(), radix: 36) }.joined()
    return ReplicaRecord(promised: 0, isLost: mustExist, port: 0, password: secret, positionRun: "")
  }

  /// A port that nothing listens on now, the one it had if possible. Somebody may be faster: then the replica is opened
  /// anew, on another.
  private func port(for shard: UInt32, asBefore old: UInt16, isRunning: Bool) throws -> UInt16 {
    try ports.withLock { taken in
      taken[shard] = nil
      let others = Set(taken.values)
      func isFree(_ port: UInt16) -> Bool { !others.contains(port) && Port.isFree(port, host) }
      var choice: UInt16?
      if isRunning || isFree(old) {
        choice = old
      } else if let portRange {
        choice = portRange.first(where: isFree)
      } else {
        choice = (0..<16).lazy.compactMap { _ in Port.any(self.host) }.first(where: isFree)
      }
      guard let choice else { throw HostProblem.notNow("no port is free for another Redis server") }
      taken[shard] = choice
      return choice
    }
  }

  private func forget(_ shard: UInt32) {
    open.withLock { $0[shard] = nil }
    ports.withLock { $0[shard] = nil }
  }

  public func keepOnly(_ shards: Set<UInt32>) async throws {
    for name in FileText.names(in: directory) where name.hasPrefix(RedisHost.prefix) {
      guard let number = UInt32(name.dropFirst(RedisHost.prefix.count)), !shards.contains(number) else { continue }
      let known = open.withLock { $0.removeValue(forKey: number) }
      let record = try ReplicaRecord.read(place(number)) ?? ReplicaRecord()
      let shard = HostedShard(number: number, collection: "", index: 0)
      try await (known ?? RedisReplica(shard, process(number), record, patience: patience)).drop()
    }
  }

  public func shutDown() async {
    let replicas = open.withLock { replicas in
      isOver.store(true, ordering: .sequentiallyConsistent)
      defer { replicas = [:] }
      return Array(replicas.values)
    }
    await withTaskGroup(of: Void.self) { group in
      for replica in replicas { group.addTask { try? await replica.shutDown() } }
    }
  }
}

/// Ports of this machine.
package enum Port {
  package static func isFree(_ port: UInt16, _ host: String) -> Bool { port > 0 && bound(port, host) != nil }

  /// Who talks to replicas is asked for nothing: they listen where only this machine reaches them.
  package static func isLoopback(_ host: String) -> Bool {
    var address = in_addr()
    return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
  }

  static func any(_ host: String) -> UInt16? { bound(0, host) }

  private static func bound(_ port: UInt16, _ host: String) -> UInt16? {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return nil }
    defer { close(socket) }
    var on: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(socket, raw, length) == 0 && getsockname(socket, raw, &length) == 0
      }
    }
    return result ? UInt16(bigEndian: address.sin_port) : nil
  }
}
