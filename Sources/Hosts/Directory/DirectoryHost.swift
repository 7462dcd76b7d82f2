public import MusterHosting
internal import Synchronization

/// Hosts each replica as a directory of plain files, copied between agents over TCP: for files that are published (models,
/// indexes, exports), not for databases.
///
/// A replica is a directory `shard-NUMBER` under the node's data, with the users' files in `files`.
public final class DirectoryHost: ShardHost {
  public let name = "directory"
  private let directory: String
  private let host: String
  private let ports: ClosedRange<UInt16>?
  private let replicas = Replicas()
  private let server = Mutex<Task<FileServer, any Error>?>(nil)
  private static let prefix = "shard-"

  /// - Parameters:
  ///   - directory: an absolute path, of this node alone.
  ///   - host: the address that other agents reach this one at.
  ///   - ports: where it listens; without it wherever the system has a port free.
  public init(directory: String, host: String = "127.0.0.1", ports: ClosedRange<UInt16>? = nil) {
    self.directory = directory
    self.host = host
    self.ports = ports
  }

  static func number(of path: String) -> UInt32? {
    guard let name = path.split(separator: "/").last, name.hasPrefix(prefix) else { return nil }
    return UInt32(name.dropFirst(prefix.count))
  }

  public func open(_ shard: HostedShard, mustExist: Bool) async throws -> any HostedReplica {
    let port = try await serve().port
    if let known = replicas[shard.number] { return known }
    let replica = try DirectoryReplica(
      "\(directory)/\(DirectoryHost.prefix)\(shard.number)", "\(host):\(port)", mustExist: mustExist
    ) { [replicas] in replicas[shard.number] = nil }
    replicas[shard.number] = replica
    return replica
  }

  private func serve() async throws -> FileServer {
    let task = server.withLock { server in
      if let server { return server }
      let fresh = Task { [host, ports, replicas] in
        try await FileServer(host, ports) { replicas[$0.shard]?.answer($0) }
      }
      server = fresh
      return fresh
    }
    do {
      return try await task.value
    } catch {
      server.withLock { $0 = nil }
      throw error
    }
  }

  public func keepOnly(_ shards: Set<UInt32>) async throws {
    for name in FileText.names(in: directory) {
      guard let number = DirectoryHost.number(of: name), !shards.contains(number) else { continue }
      try FileText.delete("\(directory)/\(name)")
      replicas[number] = nil
    }
  }

  public func shutDown() async {
    let task = server.withLock { server in
      defer { server = nil }
      return server
    }
    try? await task?.value.close()
    replicas.removeAll()
  }

  /// The replicas by their shards' numbers.
  private final class Replicas: Sendable {
    private let open = Mutex<[UInt32: DirectoryReplica]>([:])

    subscript(shard: UInt32) -> DirectoryReplica? {
      get { open.withLock { $0[shard] } }
      set { open.withLock { $0[shard] = newValue } }
    }

    func removeAll() { open.withLock { $0 = [:] } }
  }
}
