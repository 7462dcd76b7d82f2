import MusterClient
import MusterCluster
import MusterHosts

/// Writes to one shard, one write after the other, and remembers what was acknowledged.
struct ShardWriter {
  let index: UInt32
  private let shards: UInt32
  private let router: Router
  private var connections: [String: RedisConnection] = [:]
  private var next = 0
  /// Numbers of the writes that were acknowledged.
  private var kept: [Int] = []
  private(set) var refused = 0
  private(set) var lost = 0
  /// The longest time without an acknowledged write, in milliseconds.
  private(set) var longestGap: UInt64 = 0
  private var last = ContinuousClock.now

  init(_ index: UInt32, of shards: UInt32, _ router: Router) {
    self.index = index
    self.shards = shards
    self.router = router
  }

  var acknowledged: Int { kept.count }

  /// The next number whose key belongs to this shard.
  private mutating func nextNumber() -> Int {
    repeat { next += 1 } while KeyHash.shard(of: Array(key(next).utf8), count: shards) != index
    return next
  }

  private func key(_ number: Int) -> String { "load:\(number)" }

  mutating func write(acknowledgements: Int) async {
    let number = nextNumber()
    guard await isWritten(number, acknowledgements) else {
      refused += 1
      return
    }
    kept.append(number)
    let gap = last.duration(to: .now).components
    last = .now
    longestGap = max(longestGap, UInt64(gap.seconds) * 1000 + UInt64(gap.attoseconds / 1_000_000_000_000_000))
  }

  private mutating func isWritten(_ number: Int, _ acknowledgements: Int) async -> Bool {
    guard let route = await route() else { return false }
    do {
      let redis = try await connection(route, key(number))
      _ = try await redis.call("SET", key(number), "\(index).\(number)")
      let answer = try await redis.call("WAIT", String(acknowledgements), "1000")
      guard case .integer(let count) = answer else { return false }
      return count >= acknowledgements
    } catch {
      await router.reject(route)
      return false
    }
  }

  private func route() async -> Route? {
    if let route = try? await router.route(Array(key(next).utf8)) { return route }
    await router.refresh()
    try? await Task.sleep(for: .milliseconds(20))
    return nil
  }

  /// Who connects asks for the route after that, and then writes as long as the connection lasts: a split breaks it before
  /// the shard takes a write again.
  private mutating func connection(_ route: Route, _ key: String) async throws -> RedisConnection {
    if let known = connections[route.address], known.isOpen { return known }
    connections[route.address] = nil
    let fresh = try await RedisConnection.connect(route.address)
    await router.refresh()
    guard try await router.route(Array(key.utf8)) == route else {
      fresh.close()
      throw StaleRoute()
    }
    connections[route.address] = fresh
    return fresh
  }

  private struct StaleRoute: Error {}

  /// Reads everything back from whoever leads now.
  mutating func check() async {
    for number in kept {
      if await value(number) != "\(index).\(number)" { lost += 1 }
    }
  }

  private mutating func value(_ number: Int) async -> String? {
    for _ in 0..<200 {
      if let route = try? await router.route(Array(key(number).utf8)) {
        do {
          return try await connection(route, key(number)).call("GET", key(number)).text
        } catch {
          await router.reject(route)
        }
      } else {
        await router.refresh()
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
    return nil
  }
}
