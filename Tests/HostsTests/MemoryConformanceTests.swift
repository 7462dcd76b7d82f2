import MusterHostConformance
import MusterHosting
import Synchronization
import Testing

struct MemorySubject: ConformanceSubject {
  let database = MemoryDatabase()
  let hasFence = true

  func host(node: String) async throws -> any ShardHost { MemoryHost(node: node, database: database) }

  func write(_ value: String, to replica: any HostedReplica, of shard: HostedShard, node: String) async throws {
    try database.write(value, to: replica.address)
  }

  func read(_ replica: any HostedReplica, of shard: HostedShard, node: String) async throws -> Set<String> {
    database.replicas.withLock { $0[replica.address]?.values ?? [] }
  }

  func delete(_ value: String, from replica: any HostedReplica, of shard: HostedShard, node: String) async throws {
    try database.delete(value, from: replica.address)
  }

  func destroy(_ shard: HostedShard, node: String) async throws {
    database.replicas.withLock { $0["\(node):\(shard.number)"] = nil }
  }
}

@Suite struct MemoryConformanceTests {
  @Test(arguments: HostConformance.Check.allCases)
  func aHostOfAHundredLinesIsAHostAsMusterNeedsIt(_ check: HostConformance.Check) async throws {
    try await HostConformance(MemorySubject()).run(check)
  }
}
