import MusterClient
import MusterCluster
import MusterProtocol
import Testing

/// A client that keeps the map of a collection, against a real server.
@Suite struct RouterTests {
  /// Two nodes that never beat, so that leaders change at once when asked, and a shard of two replicas.
  private func start() async throws -> (TestServer, Client) {
    let server = try await TestServer.start()
    let client = server.client()
    for name in ["n1", "n2"] {
      let join = JoinNode(
        name: name, domain: "eu/\(name)/r", labels: [], capacity: [Amount("disk", 100)], address: "",
        heartbeatMilliseconds: 0)
      let _: ExecuteReply = try await client.call(.execute, Request(.joinNode(join)))
    }
    var policy = Policy()
    policy.replicas = 2
    let collection = CreateCollection(name: "orders", shards: 1, policy: policy, labels: [], tenant: "")
    let _: ExecuteReply = try await client.call(.execute, Request(.createCollection(collection)))
    return (server, client)
  }

  private func say(_ address: String, of node: String, _ client: Client) async throws {
    let nodes: ReadReply = try await client.call(.read, ReadRequest(.nodes(NodesQuestion(name: node))))
    let row = try #require(nodes.answer.nodes.first)
    var status = ReplicaStatus(shard: 1)
    status.address = address
    var request = PositionsRequest(node: row.id, incarnation: row.incarnation, positions: [])
    request.statuses = [status]
    let _: PositionsReply = try await client.call(.positions, request)
  }

  private func leader(_ client: Client) async throws -> String {
    let reply: ReadReply = try await client.call(.read, ReadRequest(.shards(ShardsQuestion(collection: "orders"))))
    return try #require(reply.answer.shards.first?.leader)
  }

  private func lead(_ node: String, _ client: Client) async throws {
    let command = Command.electLeader(ElectLeader(collection: "orders", index: 0, node: node))
    let _: ExecuteReply = try await client.call(.execute, Request(command))
  }

  private func router(_ server: TestServer) throws -> Router {
    Router(try #require(ServerList("127.0.0.1:\(server.port)")), hello: testHello, collection: "orders")
  }

  private let key = Array("some-key".utf8)

  @Test func aMapIsKeptUntilARouteIsRejectedAndOnlyTheNewestRouteCounts() async throws {
    let (server, client) = try await start()
    let router = try router(server)
    #expect(try await router.route(key) == nil, "nobody said yet where the leader's data is")
    let first = try await leader(client)
    let second = first == "n1" ? "n2" : "n1"
    try await say("h:1", of: first, client)
    try await say("h:2", of: second, client)
    await router.refresh()
    let route = try #require(try await router.route(key))
    #expect(route.leader == first)
    #expect(route.address == "h:1")

    // Nothing follows the changes here: what was kept is kept.
    try await lead(second, client)
    #expect(try await router.route(key) == route)
    await router.reject(route)
    let fresh = try #require(try await router.route(key))
    #expect(fresh.leader == second)
    #expect(fresh.address == "h:2")
    #expect(fresh.epoch > route.epoch)

    // That the old route is stale is known by now: to say it again asks nobody again.
    try await lead(first, client)
    await router.reject(route)
    #expect(try await router.route(key) == fresh)
    try await server.end()
  }

  @Test func aMapThatIsFollowedChangesByItself() async throws {
    let (server, client) = try await start()
    let router = try router(server)
    let following = Task { try await router.run() }
    defer { following.cancel() }
    let first = try await leader(client)
    try await say("h:1", of: "n1", client)
    try await say("h:2", of: "n2", client)
    await router.refresh()
    for node in [first == "n1" ? "n2" : "n1", first] {
      try await lead(node, client)
      var route: Route?
      for _ in 0..<500 where route?.leader != node {
        route = try await router.route(key)
        if route?.leader != node { try await Task.sleep(for: .milliseconds(20)) }
      }
      #expect(route?.leader == node, "nobody rejected a route")
    }
    try await server.end()
  }
}
