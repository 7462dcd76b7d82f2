import Foundation
import MusterHostConformance
import MusterHosting
import Testing

import MusterHosts

/// Whether this machine has Redis.
enum RedisProgram {
  static let isThere = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
  }
}

/// A place for the data of some nodes that goes when it is let go of.
final class Place: Sendable {
  let root: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/muster-hosts-XXXXXX").utf8CString)
    root = String(cString: try #require(mkdtemp(&template)))
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func node(_ name: String) throws -> String {
    let path = "\(root)/\(name)"
    try FileText.makeDirectory(path)
    return try #require(realpath(path, nil).map { String(cString: $0) })
  }
}

struct RedisSubject: ConformanceSubject {
  let place: Place
  let hasFence = true

  func host(node: String) async throws -> any ShardHost {
    RedisHost(directory: try place.node(node), node: node)
  }

  func write(_ value: String, to replica: any HostedReplica, of shard: HostedShard, node: String) async throws {
    let redis = try await RedisConnection.connect(replica.address)
    defer { redis.close() }
    _ = try await redis.call("SET", value, value)
  }

  func read(_ replica: any HostedReplica, of shard: HostedShard, node: String) async throws -> Set<String> {
    let redis = try await RedisConnection.connect(replica.address)
    defer { redis.close() }
    guard case .array(let keys) = try await redis.call("KEYS", "*") else { return [] }
    return Set(keys.compactMap(\.text))
  }

  func delete(_ value: String, from replica: any HostedReplica, of shard: HostedShard, node: String) async throws {
    let redis = try await RedisConnection.connect(replica.address)
    defer { redis.close() }
    _ = try await redis.call("DEL", value)
  }

  func destroy(_ shard: HostedShard, node: String) async throws {
    let directory = "\(try place.node(node))/shard-\(shard.number)"
    RedisProcess(directory: directory, host: "127.0.0.1", program: "redis-server", node: node).kill()
    try FileText.delete(directory)
  }
}

@Suite(.enabled(if: RedisProgram.isThere, "redis-server is not installed: Tools/setup --tests"), .serialized)
struct RedisConformanceTests {
  @Test(arguments: HostConformance.Check.allCases)
  func redisIsAHostAsMusterNeedsIt(_ check: HostConformance.Check) async throws {
    try await HostConformance(RedisSubject(place: try Place())).run(check)
  }
}
