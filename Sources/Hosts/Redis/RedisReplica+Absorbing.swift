internal import MusterHosting
internal import NIOCore

/// A copy of another shard's keys that is under way.
///
/// The link to the source is one connection: the server says over it which keys change, before it answers what is asked
/// later. When it breaks nothing is known of what changed, and the copy begins anew.
struct RedisAbsorption {
  /// Without the pause: that alone changes while a copy is under way.
  let wanted: HostedAbsorption
  /// The run of this server: another one may have lost what was not on disk yet.
  let runID: String
  var link: Link?

  struct Link {
    let source: RedisConnection
    let changes: ChangedKeys
    let runID: String
    let swaps: String
    /// Where the search for keys stands; nil when all were found once.
    var scan: (database: Int, cursor: String)? = (0, "0")
    /// How many keys go at a time, by what they weighed lately.
    var batch = 16
  }
}

extension RedisReplica {
  /// Of one call: so many steps, each of a batch of keys that changed and of a part of the search.
  private static let absorptionSteps = 64
  private static let keysPerScan = 200
  private static let batchMax = 128
  /// What a batch should weigh.
  private static let batchBytes = 4 << 20
  /// So few are copied in a moment.
  private static let keysNear = 500

  func endAbsorption() {
    absorption?.link?.source.close()
    absorption = nil
  }

  func absorb(_ told: HostedAbsorption) async throws -> AbsorptionProgress {
    let info = try await info()
    guard info.isMaster else { throw HostProblem.notNow("it does not lead") }
    var wanted = told
    wanted.pause = 0
    if !isUnderWay(wanted, info) {
      endAbsorption()
      try await letUsersWrite(restrained: true)
      absorption = RedisAbsorption(wanted: wanted, runID: info.runID)
    }
    guard var link = absorption?.link else {
      // What an earlier copy left may be of keys that are not there any more.
      guard try await forgetOthers(keeping: told.own) else { return .copying }
      absorption?.link = try await connect(wanted)
      return .copying
    }
    let redis = try await ownConnection()
    defer { redis.close() }
    do {
      let progress = try await copy(told, &link, redis)
      absorption?.link = link
      return progress
    } catch {
      // What changed and was not copied is in the list still, which is of use as long as the link holds.
      if link.source.isOpen { absorption?.link = link } else { endAbsorption() }
      throw error
    }
  }

  private func isUnderWay(_ wanted: HostedAbsorption, _ info: RedisInfo) -> Bool {
    guard let absorption, absorption.wanted == wanted, absorption.runID == info.runID else { return false }
    return absorption.link.map { $0.source.isOpen && !$0.changes.isIncomplete } ?? true
  }

  // MARK: The source

  private func connect(_ wanted: HostedAbsorption) async throws -> RedisAbsorption.Link {
    let changes = ChangedKeys(of: wanted.keys)
    let source = try await RedisConnection.connect(wanted.source.address) { changes.hear($0) }
    do {
      _ = try await source.call("HELLO", "3")
      let info = try await look(at: source, wanted)
      _ = try await source.call("CLIENT", "TRACKING", "ON", "BCAST")
      return RedisAbsorption.Link(source: source, changes: changes, runID: info.runID, swaps: info.swaps)
    } catch {
      source.close()
      throw error
    }
  }

  /// - Throws: when it is not who it should be: the leader of the other shard, in the epoch that was told.
  private func look(at source: RedisConnection, _ wanted: HostedAbsorption) async throws -> RedisInfo {
    let text = try await source.call("INFO", "server", "replication", "keyspace", "commandstats").text ?? ""
    let info = RedisInfo(text)
    let history = try await source.call("FCALL_RO", RedisReplica.function, "0").text.flatMap { UInt64($0) } ?? 0
    guard info.isMaster, history >> 32 == UInt64(wanted.epoch) else {
      throw HostProblem.notNow("\(wanted.source.address) does not lead shard \(wanted.shard) in epoch \(wanted.epoch)")
    }
    return info
  }

  // MARK: The copy

  private func copy(
    _ told: HostedAbsorption, _ link: inout RedisAbsorption.Link, _ redis: RedisConnection
  ) async throws -> AbsorptionProgress {
    for _ in 0..<RedisReplica.absorptionSteps {
      guard link.changes.count > 0 || link.scan != nil else { break }
      try await copyChanges(told, &link, redis)
      try await scan(told, &link, redis)
    }
    guard link.scan == nil, link.changes.count < RedisReplica.keysNear else { return .copying }
    guard told.pause != 0 else { return .near }
    return try await finish(told, &link, redis) ? .complete : .near
  }

  /// Of a source that takes no writes any more.
  ///
  /// - Returns: true when everything is here.
  private func finish(
    _ told: HostedAbsorption, _ link: inout RedisAbsorption.Link, _ redis: RedisConnection
  ) async throws -> Bool {
    // What changed before the first answer is said before the second: the server tells of changes at the end of a turn.
    for _ in 0..<2 { _ = try await link.source.call("PING") }
    for _ in 0..<RedisReplica.absorptionSteps where link.changes.count > 0 { try await copyChanges(told, &link, redis) }
    guard link.changes.count == 0 else { return false }
    let info = try await look(at: link.source, told)
    guard info.runID == link.runID, info.swaps == link.swaps, !link.changes.isIncomplete else {
      link.source.close()
      throw HostProblem.notNow("\(told.source.address) changed as a whole, and is copied anew")
    }
    return link.changes.count == 0
  }

  /// Which database a key is of is not said: it is copied in each that either server has.
  private func copyChanges(
    _ told: HostedAbsorption, _ link: inout RedisAbsorption.Link, _ redis: RedisConnection
  ) async throws {
    let keys = link.changes.take(link.batch)
    guard !keys.isEmpty else { return }
    do {
      let theirs = try await look(at: link.source, told).databases
      let mine = RedisInfo(try await redis.call("INFO", "keyspace").text ?? "").databases
      for database in Set(theirs + mine).sorted() { try await copy(keys, database, &link, redis) }
    } catch {
      link.changes.add(keys)
      throw error
    }
  }

  private func scan(
    _ told: HostedAbsorption, _ link: inout RedisAbsorption.Link, _ redis: RedisConnection
  ) async throws {
    guard let (from, cursor) = link.scan else { return }
    let databases = try await look(at: link.source, told).databases
    guard let database = databases.first(where: { $0 >= from }) else { return link.scan = nil }
    _ = try await link.source.call("SELECT", String(database))
    let start = database == from ? cursor : "0"
    let answer = try await link.source.call(
      "SCAN", start, "COUNT", String(RedisReplica.keysPerScan), within: .seconds(5))
    guard case .array(let parts) = answer, parts.count == 2, let next = parts[0].text, case .array(let found) = parts[1]
    else { throw HostProblem.notNow("Redis does not say which keys it has") }
    var keys = found.compactMap { value in
      if case .bulk(let key) = value, told.keys.holds(key) { key } else { nil }
    }[...]
    while !keys.isEmpty {
      let batch = Array(keys.prefix(link.batch))
      keys = keys.dropFirst(batch.count)
      try await copy(batch, database, &link, redis)
    }
    link.scan = next == "0" ? (database + 1, "0") : (database, next)
  }

  /// Brings keys to what they are at the source: value and expiry, or gone.
  private func copy(
    _ keys: [[UInt8]], _ database: Int, _ link: inout RedisAbsorption.Link, _ redis: RedisConnection
  ) async throws {
    for each in [link.source, redis] { _ = try await each.call("SELECT", String(database)) }
    let asked = keys.flatMap { [[Array("DUMP".utf8), $0], [Array("PEXPIRETIME".utf8), $0]] }
    let values: [RESPValue]
    do { values = try await link.source.pipeline(asked) } catch {
      throw HostProblem.notNow("keys are copied anew: the link broke, or a value is larger than 16 MiB")
    }
    var (commands, bytes): ([[[UInt8]]], Int) = ([], 0)
    for (place, key) in keys.enumerated() {
      switch (values[2 * place], values[2 * place + 1]) {
      case (.bulk(let value), .integer(let expiry)):
        bytes += value.count
        let time = Array(String(max(expiry, 0)).utf8)
        commands.append([Array("RESTORE".utf8), key, time, value, Array("REPLACE".utf8), Array("ABSTTL".utf8)])
      case (.null, _): commands.append([Array("UNLINK".utf8), key])
      default: throw HostProblem.notNow("the source does not say what a key is")
      }
    }
    for case .error(let problem) in try await redis.pipeline(commands) { throw RedisError(problem) }
    link.batch = max(1, min(RedisReplica.batchMax, RedisReplica.batchBytes / max(1, bytes / max(1, keys.count))))
  }
}
