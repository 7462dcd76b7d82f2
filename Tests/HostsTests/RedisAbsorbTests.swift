import Foundation
import MusterHosting
import Testing

import MusterHosts

/// What is copied of a shard that goes into another, whatever its clients do meanwhile.
@Suite(.enabled(if: RedisProgram.isThere, "redis-server is not installed: Tools/setup --tests"), .serialized)
struct RedisAbsorbTests {
  private let own = HostedKeys(residue: 0, modulus: 2)
  private let theirs = HostedKeys(residue: 1, modulus: 2)

  private struct Pair {
    var survivor: any HostedReplica
    var absorbed: any HostedReplica
    var here: RedisConnection
    var there: RedisConnection
  }

  private func withPair(_ body: (Pair) async throws -> Void) async throws {
    let place = try Place()
    let host = RedisHost(directory: try place.node("a"), node: "a")
    let survivor = try await host.open(HostedShard(number: 1, collection: "c", index: 0), mustExist: false)
    let absorbed = try await host.open(HostedShard(number: 2, collection: "c", index: 1), mustExist: false)
    do {
      try await survivor.lead(Leadership(epoch: 1, acknowledgements: 0, followers: [], keys: own))
      try await absorbed.lead(Leadership(epoch: 1, acknowledgements: 0, followers: [], keys: theirs))
      let pair = Pair(
        survivor: survivor, absorbed: absorbed, here: try await RedisConnection.connect(survivor.address),
        there: try await RedisConnection.connect(absorbed.address))
      try await body(pair)
      pair.here.close()
      pair.there.close()
    } catch {
      await host.shutDown()
      throw error
    }
    await host.shutDown()
  }

  private func absorption(_ pair: Pair, pause: UInt64 = 0) -> HostedAbsorption {
    HostedAbsorption(
      shard: 2, source: Peer(node: "a", address: pair.absorbed.address), epoch: 1, keys: theirs, own: own, pause: pause)
  }

  /// Keys of the absorbed shard.
  private func keys(_ prefix: String, _ count: Int, of range: HostedKeys? = nil) -> [String] {
    let found = (0..<8 * count + 40).map { "\(prefix)\($0)" }.filter { (range ?? theirs).holds(Array($0.utf8)) }
    return Array(found.prefix(count))
  }

  private func copy(_ pair: Pair, pause: UInt64 = 0, until wanted: AbsorptionProgress) async throws {
    for _ in 0..<400 where try await pair.survivor.absorb(absorption(pair, pause: pause)) == wanted { return }
    Issue.record("the copy is never \(wanted)")
  }

  /// Pauses the source, and copies the rest.
  private func finish(_ pair: Pair) async throws {
    try await pair.absorbed.lead(
      Leadership(epoch: 1, acknowledgements: 0, followers: [], isPaused: true, keys: theirs))
    try await copy(pair, pause: 5, until: .complete)
  }

  /// Everything that a server has of the absorbed shard: by database and key value and expiry.
  private func contents(_ redis: RedisConnection) async throws -> [String: [RESPValue]] {
    var found: [String: [RESPValue]] = [:]
    for database in 0..<16 {
      _ = try await redis.call("SELECT", String(database))
      guard case .array(let keys) = try await redis.call("KEYS", "*") else { continue }
      for case .bulk(let key) in keys where theirs.holds(key) {
        let value = try await redis.call([Array("DUMP".utf8), key])
        let expiry = try await redis.call([Array("PEXPIRETIME".utf8), key])
        found["\(database)/\(String(decoding: key, as: UTF8.self))"] = [value, expiry]
      }
    }
    _ = try await redis.call("SELECT", "0")
    return found
  }

  @Test func valuesOfEveryKindAreCopiedWithTheirExpiryAndDatabase() async throws {
    try await withPair { pair in
      let names = keys("k", 40)
      _ = try await pair.there.call("SET", names[0], "text")
      _ = try await pair.there.call("SET", names[1], "brief", "PX", "600000")
      _ = try await pair.there.call("HSET", names[2], "a", "1", "b", "2")
      _ = try await pair.there.call("RPUSH", names[3], "x", "y", "x")
      _ = try await pair.there.call("ZADD", names[4], "1.5", "m", "2", "n")
      _ = try await pair.there.call("XADD", names[5], "*", "f", "v")
      _ = try await pair.there.call("PFADD", names[6], "a", "b")
      _ = try await pair.there.call("SELECT", "3")
      for name in names { _ = try await pair.there.call("SET", name, "third") }
      let binary = (0..<300).map { [UInt8(0), 255, 13, 10, UInt8($0 % 256), UInt8($0 / 256)] }.first(
        where: theirs.holds)!
      _ = try await pair.there.call([Array("SET".utf8), binary, [0, 1, 2, 255]])
      // What another split left there is not its own.
      _ = try await pair.there.call("SET", keys("k", 1, of: own)[0], "stranger")
      let mine = keys("mine", 1, of: own)[0]
      _ = try await pair.here.call("SET", mine, "stays")
      try await copy(pair, until: .near)
      try await finish(pair)
      #expect(try await contents(pair.here) == contents(pair.there))
      #expect(try await contents(pair.here).count == 48)
      #expect(try await pair.here.call("GET", mine).text == "stays")
      #expect(try await pair.here.call("DBSIZE") == .integer(8), "7 of database 0, and its own")
    }
  }

  /// Thousands of changes while the copy goes on: what is there at the pause is what is copied.
  @Test func whatClientsDoMeanwhileIsCopiedToo() async throws {
    try await withPair { pair in
      let names = keys("k", 3000)
      for name in names { _ = try await pair.there.call("SET", name, "old") }
      let writer = Task {
        var generator = SystemRandomNumberGenerator()
        var count = 0
        while !Task.isCancelled {
          let name = names[Int.random(in: 0..<names.count, using: &generator)]
          do {
            switch count % 5 {
            case 0: _ = try await pair.there.call("DEL", name)
            case 1: _ = try await pair.there.call("SET", name, "\(count)", "PX", "40")
            case 2: _ = try await pair.there.call("RENAME", name, names[count % names.count])
            default: _ = try await pair.there.call("SET", name, "\(count)")
            }
            count += 1
          } catch is RedisError {
            // A key that is not there, or a pause.
          }
        }
        return count
      }
      try await copy(pair, until: .near)
      for _ in 0..<5 { _ = try await pair.survivor.absorb(absorption(pair)) }
      try await finish(pair)
      writer.cancel()
      #expect(try await writer.value > 0)
      // Those that expire are on both sides what time makes of them.
      try await Task.sleep(for: .milliseconds(60))
      #expect(try await contents(pair.here) == contents(pair.there))
    }
  }

  @Test func afterAFlushOrABrokenLinkItBeginsAnew() async throws {
    try await withPair { pair in
      let names = keys("k", 50)
      for name in names { _ = try await pair.there.call("SET", name, "1") }
      try await copy(pair, until: .near)
      _ = try await pair.there.call("FLUSHALL")
      for name in names.prefix(3) { _ = try await pair.there.call("SET", name, "2") }
      #expect(try await pair.survivor.absorb(absorption(pair)) == .copying)
      try await copy(pair, until: .near)
      #expect(try await contents(pair.here).count == 3)
      // Other keys: the leader breaks its clients' links.
      for keys in [HostedKeys(residue: 0, modulus: 1), theirs] {
        try await pair.absorbed.lead(Leadership(epoch: 1, acknowledgements: 0, followers: [], keys: keys))
      }
      let there = try await RedisConnection.connect(pair.absorbed.address)
      defer { there.close() }
      _ = try await there.call("DEL", names[0])
      try await copy(pair, until: .near)
      #expect(try await contents(pair.here).count == 2)
      _ = try await there.call("SWAPDB", "0", "5")
      try await pair.absorbed.lead(
        Leadership(epoch: 1, acknowledgements: 0, followers: [], isPaused: true, keys: theirs))
      await #expect(throws: HostProblem.self) {
        for _ in 0..<3 { _ = try await pair.survivor.absorb(absorption(pair, pause: 4)) }
      }
      try await copy(pair, pause: 4, until: .complete)
      #expect(try await contents(pair.here) == contents(there))
      #expect(try await contents(pair.here).keys.allSatisfy { $0.hasPrefix("5/") })
    }
  }

  /// What is copied is not the users' to throw away.
  @Test func usersDoNotFlushWhatIsCopied() async throws {
    try await withPair { pair in
      for name in keys("k", 5) { _ = try await pair.there.call("SET", name, "1") }
      try await copy(pair, until: .near)
      for words in [["FLUSHALL"], ["FLUSHDB"], ["SWAPDB", "0", "1"], ["EVAL", "return redis.call('flushall')", "0"]] {
        await #expect(throws: RedisError.self) { _ = try await pair.here.call(words) }
      }
      #expect(try await contents(pair.here).count == 5)
      while try await !pair.survivor.prune(keeping: own) {}
      #expect(try await contents(pair.here).isEmpty)
      _ = try await pair.here.call("FLUSHALL")
    }
  }

  @Test func aLeaderThatTakesNoWritesCopiesNothing() async throws {
    try await withPair { pair in
      for name in keys("k", 5) { _ = try await pair.there.call("SET", name, "1") }
      try await pair.survivor.lead(
        Leadership(epoch: 1, acknowledgements: 0, followers: [], isPaused: true, keys: own))
      await #expect(throws: (any Error).self) {
        for _ in 0..<4 { _ = try await pair.survivor.absorb(absorption(pair)) }
      }
      #expect(try await contents(pair.here).isEmpty)
      try await pair.survivor.lead(Leadership(epoch: 1, acknowledgements: 0, followers: [], keys: own))
      try await copy(pair, until: .near)
      #expect(try await contents(pair.here).count == 5)
    }
  }

  @Test func keysThatChangeAreKeptUpToALimit() {
    let changes = ChangedKeys(of: HostedKeys(residue: 0, modulus: 1))
    changes.hear([.bulk(Array("message".utf8)), .array([.bulk([1])])])
    #expect(changes.count == 0)
    changes.hear([.bulk(Array("invalidate".utf8)), .array([.bulk([1]), .bulk([1]), .bulk([2])])])
    #expect(changes.count == 2 && !changes.isIncomplete)
    #expect(changes.take(1).count == 1 && changes.count == 1)
    changes.hear([.bulk(Array("invalidate".utf8)), .null])
    #expect(changes.isIncomplete)
    let many = ChangedKeys(of: HostedKeys(residue: 0, modulus: 1))
    let key = [UInt8](repeating: 7, count: 1 << 20)
    for number in 0..<40 { many.add([key + [UInt8(number)]]) }
    #expect(many.isIncomplete && many.count <= 8)
    let none = ChangedKeys(of: HostedKeys(residue: 0, modulus: 0))
    none.hear([.bulk(Array("invalidate".utf8)), .array([.bulk([1])])])
    #expect(none.count == 0, "keys of other shards are passed over")
  }
}
