internal import MusterHosting
internal import NIOCore

/// How far a replica was searched for keys of other shards.
struct RedisPruning: Equatable {
  let keys: HostedKeys
  /// A cursor means something within one run.
  let runID: String
  var database = 0
  var cursor = "0"
}

/// Forgets keys that a split gave away: key by key, as writes that followers get.
extension RedisReplica {
  /// Of one call: so many steps, each of about so many keys.
  private static let steps = 16
  private static let keysPerStep = 500

  func prune(keeping keys: HostedKeys) async throws -> Bool {
    endAbsorption()
    if isRestrained { try await letUsersWrite(restrained: false) }
    return try await forgetOthers(keeping: keys)
  }

  /// - Returns: true when nothing is left to forget.
  func forgetOthers(keeping keys: HostedKeys) async throws -> Bool {
    let info = try await info()
    guard info.isMaster else { throw HostProblem.notNow("it does not lead") }
    var state = pruning ?? RedisPruning(keys: keys, runID: info.runID)
    if state.keys != keys || state.runID != info.runID { state = RedisPruning(keys: keys, runID: info.runID) }
    let redis = try await ownConnection()
    defer { redis.close() }
    let databases = info.databases
    for _ in 0..<RedisReplica.steps {
      guard let database = databases.first(where: { $0 >= state.database }) else {
        pruning = nil
        return true
      }
      if database != state.database { (state.database, state.cursor) = (database, "0") }
      _ = try await redis.call("SELECT", String(database))
      state.cursor = try await pruneStep(redis, keys, state.cursor)
      if state.cursor == "0" { state.database += 1 }
      pruning = state
    }
    return false
  }

  /// A connection of its own: the database that is chosen stays with it.
  func ownConnection() async throws -> RedisConnection {
    let redis = try await RedisConnection.connect(address)
    do {
      _ = try await redis.call("AUTH", RedisProcess.agentUser, record.password)
    } catch {
      redis.close()
      throw error
    }
    return redis
  }

  /// - Returns: where to go on; 0 at the end.
  private func pruneStep(_ redis: RedisConnection, _ keys: HostedKeys, _ cursor: String) async throws -> String {
    let answer = try await redis.call("SCAN", cursor, "COUNT", String(RedisReplica.keysPerStep), within: .seconds(5))
    guard case .array(let parts) = answer, parts.count == 2, let next = parts[0].text, case .array(let found) = parts[1]
    else { throw HostProblem.notNow("Redis does not say which keys it has") }
    let others = found.compactMap { value in
      if case .bulk(let key) = value, !keys.holds(key) { key } else { nil }
    }
    if !others.isEmpty { _ = try await redis.call([Array("UNLINK".utf8)] + others, within: .seconds(5)) }
    return next
  }
}

extension RedisInfo {
  /// The databases that have keys, in ascending order.
  var databases: [Int] { (0..<RedisInfo.databasesMax).filter { !text("db\($0)"[...]).isEmpty } }

  /// As many as Redis has by itself, and as its configuration here leaves it.
  private static let databasesMax = 16
}
