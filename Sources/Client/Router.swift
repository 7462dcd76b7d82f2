package import MusterCluster
package import MusterProtocol

/// Where the data of a shard is now.
package struct Route: Hashable, Sendable {
  package var shard: ShardID
  /// The generation of its leadership: a route of an older one is stale.
  package var epoch: UInt32
  package var leader: String
  /// HOST:PORT of the leader's data.
  package var address: String
}

/// Knows which leader owns a key, without asking each time: it keeps the map of one collection, and looks again when a
/// commit changed it, or when a caller finds that a route is stale.
///
/// Whoever uses it calls ``run()`` in a task of its own, so that it follows changes.
package actor Router {
  private let client: Client
  private let watcher: Client
  private let collection: String
  /// By place in the order of shards; nil where nobody leads or where the leader's data is not known.
  private var routes: [Route?] = []
  private var map = RouteMap()
  private var isStale = true

  package init(_ servers: ServerList, hello: Hello, collection: String) {
    client = Client(servers, hello: hello)
    watcher = Client(servers, hello: hello)
    self.collection = collection
  }

  /// The route of a key; nil while nobody leads its shard.
  package func route(_ key: [UInt8]) async throws(ClientError) -> Route? {
    if isStale || routes.isEmpty { try await load() }
    guard let place = map.place(ofHash: KeyHash.hash(of: key)) else {
      // What was read in parts was read around a split.
      isStale = true
      return nil
    }
    return routes[place]
  }

  /// The server at a route did not take what a leader takes. What was learnt since stays.
  package func reject(_ route: Route) {
    if routes.contains(route) { isStale = true }
  }

  /// Nobody led when it was asked: it is asked again.
  package func refresh() { isStale = true }

  /// How many shards the collection has.
  package func count() async throws(ClientError) -> UInt32 {
    if routes.isEmpty { try await load() }
    return UInt32(routes.count)
  }

  private func load() async throws(ClientError) {
    isStale = false
    var fresh: [Route?] = []
    var ranges: [KeyRange] = []
    var question = ShardsQuestion(collection: collection)
    repeat {
      let reply: ReadReply = try await client.call(.read, ReadRequest(.shards(question)))
      let owners = reply.answer.shards.filter { !$0.isMaking }
      fresh += owners.map(Router.route)
      ranges += owners.map(\.range)
      question.page.after = reply.answer.next
    } while question.page.after != 0
    routes = fresh
    map = RouteMap(ranges)
  }

  private static func route(_ shard: ShardReport) -> Route? {
    guard let leader = shard.replicas.first(where: { $0.node == shard.leader }),
      let address = leader.status?.address, !address.isEmpty
    else { return nil }
    return Route(shard: shard.id, epoch: shard.epoch, leader: shard.leader, address: address)
  }

  /// Follows the changes of placement until the task is cancelled.
  package func run() async throws {
    while true {
      do {
        try await watcher.stream(.watch, WatchRequest(.placement, from: nil)).forEach { _ in
          self.refresh()
          return true
        }
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        await watcher.close()
        isStale = true
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }
}

/// Which of many ranges holds a key: one look for each width that there is.
struct RouteMap {
  private var places: [KeyRange: Int] = [:]
  /// The widths, the narrowest range first.
  private var moduli: [UInt32] = []

  init() {}

  init(_ ranges: [KeyRange]) {
    for (place, range) in ranges.enumerated() {
      // A server of an older version says no ranges: its shards own what they were made with.
      let isSaid = range.modulus > 0
      places[isSaid ? range : KeyRange(residue: UInt32(place), modulus: UInt32(ranges.count))] = place
    }
    moduli = Set(places.keys.map(\.modulus)).sorted(by: >)
  }

  func place(ofHash hash: UInt64) -> Int? {
    for modulus in moduli {
      let residue = UInt32(truncatingIfNeeded: hash % UInt64(modulus))
      if let place = places[KeyRange(residue: residue, modulus: modulus)] { return place }
    }
    return nil
  }
}
