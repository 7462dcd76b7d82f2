internal import Glibc
internal import MusterHosting
internal import NIOCore

/// One replica: a Redis process, what it must be told, and what it says of itself.
///
/// How the promises of ``HostedReplica`` are kept with what Redis has:
/// - *No writes but by the leader*: everything else is a read-only replica, of nobody if need be. What is promoted is
///   locked until it is ready: ordinary users may not write, and more replicas must be attached than there are.
/// - *Only counted followers acknowledge*: each replica logs in as a user of its own, and a leader knows only the users of
///   those it counts. So `WAIT` counts nobody else.
/// - *The fence*: a leader takes writes only while enough counted replicas are attached (`min-replicas-to-write`).
///   Followers that promise a later epoch detach; the leader then refuses writes at once, with or without its agent. One
///   that cannot see that they left refuses when it has not heard from them for a while, and who is elected waits so long.
/// - *Histories*: offsets of Redis go on from leader to leader but do not say of which epoch they are. The first thing
///   that a leader writes is a function library whose only function returns the history: it is part of the data, is
///   copied with it, survives restarts and `FLUSHALL`, and stands in nobody's key space.
actor RedisReplica: HostedReplica {
  let shard: HostedShard
  let process: RedisProcess
  nonisolated let address: String
  var record: ReplicaRecord
  private var connection: RedisConnection?
  private var peers: [String: RedisConnection] = [:]
  private var children: [pid_t] = []
  private var silentSince: ContinuousClock.Instant?
  /// A process that does not answer for so long is ended and started anew.
  private let patience: Duration
  private let forget: @Sendable () -> Void
  /// The agent stops: whoever still works on the replica starts no process again.
  private var isOver = false
  /// How the replica leads, as it was told last by this agent.
  private var leadership: Leadership?
  /// While it leads, and the leader before it may take writes still.
  private var fence: RedisFence?
  /// How far keys of others were looked for.
  var pruning: RedisPruning?
  /// How far the keys of another shard were copied.
  var absorption: RedisAbsorption?
  /// Its users may not change all keys at once: there are copies of another shard's among them.
  var isRestrained = false

  private static let loading = HostProblem.notNow("Redis is loading its data from disk")
  private static let library = "muster"
  static let function = "muster_history"

  /// - Parameter forget: called when the replica is no more.
  init(
    _ shard: HostedShard, _ process: RedisProcess, _ record: ReplicaRecord, patience: Duration,
    forget: @escaping @Sendable () -> Void = {}
  ) {
    self.patience = patience
    self.forget = forget
    self.shard = shard
    self.process = process
    self.record = record
    address = "\(process.host):\(record.port)"
  }

  func save(_ change: (inout ReplicaRecord) -> Void) throws {
    var fresh = record
    change(&fresh)
    guard fresh != record else { return }
    try fresh.write(process.directory)
    record = fresh
  }

  // MARK: The process

  /// The connection to the process, which is started when it does not run.
  func redis() async throws -> RedisConnection {
    if let connection, connection.isOpen { return connection }
    children.removeAll { RedisProcess.hasEnded($0) }
    do {
      let fresh = try await RedisConnection.connect(address)
      do {
        _ = try await fresh.call("AUTH", RedisProcess.agentUser, record.password)
      } catch let error as RedisError where !error.isLoading {
        fresh.close()
        throw HostProblem.notNow("another program answers on \(address)")
      } catch {
        fresh.close()
        throw error
      }
      connection = fresh
      silentSince = nil
      return fresh
    } catch let error as RedisError where error.isLoading {
      // It answers, however long it takes: who ends it begins its loading anew.
      silentSince = nil
      throw RedisReplica.loading
    } catch {
      try startIfGone()
      throw error
    }
  }

  private func startIfGone() throws {
    if process.pid != nil || !children.isEmpty {
      let since = silentSince ?? .now
      silentSince = since
      if since.duration(to: .now) > patience {
        process.kill()
        silentSince = nil
      }
      return
    }
    silentSince = nil
    guard !isOver else { throw HostProblem.closed("its agent stops") }
    guard access(process.directory, F_OK) == 0 else {
      forget()
      throw HostProblem.closed("its directory is gone")
    }
    // With a full disk it would end again at the first write, and copy everything anew each time.
    let full = process.diskProblem
    guard full.isEmpty else { throw HostProblem.notNow(full) }
    guard Port.isFree(record.port, process.host) else {
      forget()
      throw HostProblem.closed("another program listens on \(address)")
    }
    children.append(try process.start(record))
  }

  /// Waits until the process serves; LOADING is not serving.
  func awaitStart() async throws {
    var last: any Error = HostProblem.notNow("Redis does not start")
    for _ in 0..<100 {
      do {
        _ = try await redis().call("PING")
        return
      } catch let error as RedisError where error.isLoading {
        throw RedisReplica.loading
      } catch let error as HostProblem {
        if case .closed = error { throw error }
        if error == RedisReplica.loading { throw error }
        last = error
      }
      try await Task.sleep(for: .milliseconds(30))
    }
    let words = process.lastWords
    throw words.isEmpty ? last : HostProblem.notNow("Redis does not start: \(words)")
  }

  /// - Throws: also while it loads its data: it answers this, and next to nothing else.
  func info() async throws -> RedisInfo {
    let info: RedisInfo
    do {
      info = RedisInfo(try await redis().call("INFO").text ?? "")
    } catch let error as RedisError where error.isLoading {
      throw RedisReplica.loading
    }
    guard info.isMaster || info.isReplica else {
      connection?.close()
      throw HostProblem.notNow("Redis does not say what it is")
    }
    guard !info.isLoading else { throw RedisReplica.loading }
    return info
  }

  /// The history that the data belongs to: 0 before the first leader.
  func history() async throws -> UInt64 {
    do {
      return try await redis().call("FCALL_RO", RedisReplica.function, "0").text.flatMap { UInt64($0) } ?? 0
    } catch let error as RedisError where error.description.contains("Function not found") {
      return 0
    }
  }

  func configure(_ name: String, _ value: String) async throws {
    _ = try await redis().call("CONFIG", "SET", name, value)
  }

  private func replicate(from host: String, _ port: String) async throws {
    _ = try await redis().call("REPLICAOF", host, port)
  }

  private func detach() async throws { try await replicate(from: RedisProcess.nowhere.host, RedisProcess.nowhere.port) }

  // MARK: Roles

  func look() async throws -> ReplicaCondition {
    children.removeAll { RedisProcess.hasEnded($0) }
    let info = try await info()
    let history = try await history()
    if info.isAttached, history > 0, record.positionRun != info.runID || record.isLost || record.history != history {
      // All that its source has was copied in this run: offsets mean something, and nothing is missing any more.
      try save {
        $0.positionRun = info.runID
        $0.history = history
        $0.isLost = false
      }
    }
    let epoch = UInt32(truncatingIfNeeded: history >> 32)
    var condition = ReplicaCondition(role: .idle, bytes: info.number("used_memory"), problem: info.diskProblem)
    if condition.problem.isEmpty { condition.problem = process.diskProblem }
    if info.isMaster {
      condition.role = .leading(epoch: epoch)
      var isFencing = false
      if record.isFencing, let leadership { isFencing = try await !isFenced(leadership) }
      condition.isFencing = isFencing
      if isFencing { condition.problem = "waits until the leader before it takes no writes any more" }
      condition.followers = await progress(leadership?.followers.map(\.peer) ?? [], info)
      condition.copies = await progress(leadership?.copies?.peers ?? [], info)
      // Nor may anybody else begin before that: it cannot hand over.
      for place in condition.followers.indices where isFencing { condition.followers[place].hasEverything = false }
      for place in condition.copies.indices where isFencing { condition.copies[place].hasEverything = false }
    } else if info.source != nil {
      condition.role = .following(isAttached: info.isAttached)
      if !info.isAttached, !info.isSyncing, condition.problem.isEmpty {
        condition.problem = "has no link to \(info.source ?? "its source")"
      }
      condition.bytesToCopy = info.number("master_sync_total_bytes")
      if info.isSyncing { condition.bytes = info.number("master_sync_read_bytes") }
    }
    condition.position = position(info, history)
    condition.isEmptied = record.isLost
    return condition
  }

  /// Offsets are forgotten when the process ends: then nothing can be said until it copied again.
  private func position(_ info: RedisInfo, _ history: UInt64) -> HostPosition? {
    guard !record.isLost, !info.isSyncing else { return nil }
    let isFresh = history == 0 && record.positionRun.isEmpty
    guard isFresh || record.positionRun == info.runID else { return nil }
    return HostPosition(history: history, offset: history == 0 ? 0 : info.offset)
  }

  func follow(_ following: Following) async throws {
    try requirePromise(following.epoch)
    endAbsorption()
    (leadership, fence) = (nil, nil)
    let info = try await info()
    if info.isMaster {
      try await configure("min-replicas-to-write", RedisProcess.locked)
      try await detach()
    }
    try await admit(following.readers, copies: following.copies?.readers ?? [])
    guard let source = following.source, let (host, port) = RedisConnection.parts(source.address) else { return }
    try save {
      $0.isFencing = false
      $0.led = 0
      // From here on it may get data that is not on disk at once.
      if $0.positionRun.isEmpty { $0.positionRun = info.runID }
    }
    guard info.isMaster || info.source != source.address else { return }
    let node = process.node
    try await configure(
      "masteruser", following.parent == nil ? RedisProcess.user(of: node) : RedisProcess.user(ofCopy: node))
    try await replicate(from: host, String(port))
  }

  func promise(epoch: UInt32) async throws -> HostPosition {
    endAbsorption()
    try save {
      $0.promised = max($0.promised, epoch)
      $0.isFencing = true
    }
    (leadership, fence) = (nil, nil)
    if try await info().isMaster { try await configure("min-replicas-to-write", RedisProcess.locked) }
    try await detach()
    // Asked only now: nothing is added any more.
    let info = try await info()
    guard !record.isLost else { throw HostProblem.dataLost("its data is gone, and was not copied anew yet") }
    let history = try await history()
    guard let position = position(info, history) else {
      // Who led forgot its offset in a crash, and not its data: it has all that anybody has of that history, and counts
      // for what it would be as the leader of its next run.
      if history > 0, history == record.led { return HostPosition(history: history &+ 1, offset: 0) }
      throw HostProblem.unknownPosition("Redis was started anew and has not copied since: how far it is is not known")
    }
    try save { $0.history = max($0.history, position.history) }
    return position
  }

  func lead(_ leadership: Leadership) async throws {
    try requirePromise(leadership.epoch)
    guard !record.isLost else { throw HostProblem.dataLost("its data is gone, and was not copied anew yet") }
    let info = try await info()
    guard !info.isSyncing else { throw HostProblem.notNow("it copies, and cannot lead before that is done") }
    let history = try await history()
    // After a full copy Redis writes its file anew in the background: a crash meanwhile leaves what was there before.
    guard record.positionRun == info.runID || history >= record.history else {
      throw HostProblem.dataLost("its data is of an earlier history than it was")
    }
    let isLeader = info.isMaster && history >> 32 == UInt64(leadership.epoch)
    if !isLeader || leadership.keys != self.leadership?.keys { endAbsorption() }
    let led = isLeader ? history : try await beginHistory(after: history, epoch: leadership.epoch)
    try await letIn(leadership)
    if leadership.keys != nil, !isLeader || self.leadership?.keys != leadership.keys { try await breakClients() }
    if record.isFencing { _ = try await isFenced(leadership) }
    try await unlock(leadership)
    // It may have said that it has another shard's keys: that holds until it hears what became of it.
    let isSame = self.leadership?.epoch == leadership.epoch && self.leadership?.keys == leadership.keys
    if self.leadership == nil || !isLeader { try await letUsersWrite(restrained: isRestrained && isSame) }
    self.leadership = leadership
    try save {
      $0.promised = max($0.promised, leadership.epoch)
      $0.positionRun = info.runID
      $0.history = led
      $0.led = led
    }
  }

  /// What users write; restrained, what changes all keys at once is none of it.
  func letUsersWrite(restrained: Bool) async throws {
    let not = restrained ? RedisProcess.notWhileAbsorbing : []
    // The category has commands in it that users never get.
    _ = try await redis().call(["ACL", "SETUSER", "default", "+@write"] + RedisProcess.notForUsers + not)
    isRestrained = restrained
  }

  /// Strangers come in only when nothing waits any more that `WAIT` would count them for: no write is taken, and whoever
  /// still waits is cut off, and does not know the outcome.
  private func letIn(_ leadership: Leadership) async throws {
    let wanted = strangers(of: leadership)
    if !wanted.isEmpty, self.leadership.map(strangers(of:)) != wanted {
      try await breakClients()
    }
    try await admit(
      leadership.followers.filter(\.isCounted).map(\.peer.node) + wanted, copies: leadership.copies?.readers ?? [])
  }

  private func strangers(of leadership: Leadership) -> [String] {
    leadership.followers.filter(\.isStranger).map(\.peer.node)
  }

  /// Redis takes any key: whoever is connected must ask where its keys are before it writes again.
  private func breakClients() async throws {
    try await configure("min-replicas-to-write", RedisProcess.locked)
    _ = try await redis().call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  }

  /// Takes writes on the conditions that it was given, or none.
  private func unlock(_ leadership: Leadership) async throws {
    let mayWrite = !leadership.isPaused && !record.isFencing
    try await configure(
      "min-replicas-to-write", mayWrite ? String(leadership.acknowledgements) : RedisProcess.locked)
  }

  /// Takes writes as soon as the leader before it takes none.
  private func isFenced(_ leadership: Leadership) async throws -> Bool {
    var fence = self.fence ?? RedisFence(leadership)
    let isOver = await fence.isOver()
    self.fence = isOver ? nil : fence
    guard isOver else { return false }
    try save { $0.isFencing = false }
    if self.leadership != nil { try await unlock(leadership) }
    return true
  }

  /// Becomes a master whose data says which history it is of, before anybody can write.
  private func beginHistory(after old: UInt64, epoch: UInt32) async throws -> UInt64 {
    let run = old >> 32 == UInt64(epoch) ? UInt32(truncatingIfNeeded: old) &+ 1 : 0
    let history = HostPosition.history(epoch: epoch, run: run)
    let redis = try await redis()
    _ = try await redis.call("ACL", "SETUSER", "default", "-@write")
    _ = try await redis.call("REPLICAOF", "NO", "ONE")
    try await admit([])
    try await configure("min-replicas-to-write", "0")
    let code = """
      #!lua name=\(RedisReplica.library)
      redis.register_function{function_name='\(RedisReplica.function)', callback=function() return '\(history)' end, \
      flags={'no-writes'}}
      """
    _ = try await redis.call("FUNCTION", "LOAD", "REPLACE", code)
    return history
  }

  private func requirePromise(_ epoch: UInt32) throws {
    guard epoch >= record.promised else {
      throw HostProblem.notNow("it promised epoch \(record.promised), which is later than \(epoch)")
    }
  }

  /// Lets the replicas and copies of these nodes copy from this one, and no others.
  private func admit(_ nodes: [String], copies: [String] = []) async throws {
    let redis = try await redis()
    let wanted = (nodes.map(RedisProcess.user(of:)) + copies.map(RedisProcess.user(ofCopy:))).sorted()
    guard case .array(let known) = try await redis.call("ACL", "USERS") else { return }
    let kinds = [RedisProcess.user(of: ""), RedisProcess.user(ofCopy: "")]
    let present = known.compactMap(\.text).filter { user in kinds.contains { user.hasPrefix($0) } }.sorted()
    let gone = present.filter { !wanted.contains($0) }
    if !gone.isEmpty { _ = try await redis.call(["ACL", "DELUSER"] + gone) }
    for user in wanted where !present.contains(user) {
      _ = try await redis.call("ACL", "SETUSER", user, "on", "nopass", "+psync", "+replconf", "+ping")
    }
  }

  // MARK: Followers

  private func progress(_ asked: [Peer], _ info: RedisInfo) async -> [FollowerProgress] {
    let known = (leadership?.followers.map(\.peer) ?? []) + (leadership?.copies?.peers ?? [])
    for address in peers.keys where !known.contains(where: { $0.address == address }) {
      peers.removeValue(forKey: address)?.close()
    }
    var progress: [FollowerProgress] = []
    for peer in asked { progress.append(await self.progress(of: peer, info)) }
    return progress
  }

  /// Asks the follower itself: what it has applied counts, not what was sent to it.
  private func progress(of peer: Peer, _ leader: RedisInfo) async -> FollowerProgress {
    guard !peer.address.isEmpty, let link = try? await self.link(to: peer.address),
      let text = try? await link.call(["INFO", "replication"], within: .milliseconds(300)).text
    else { return FollowerProgress(node: peer.node, hasEverything: false, lag: nil) }
    let info = RedisInfo(text)
    guard info.isAttached, info.replicationID == leader.replicationID else {
      return FollowerProgress(node: peer.node, hasEverything: false, lag: nil)
    }
    let lag = leader.offset > info.offset ? leader.offset - info.offset : 0
    return FollowerProgress(node: peer.node, hasEverything: lag == 0, lag: lag)
  }

  private func link(to address: String) async throws -> RedisConnection {
    if let known = peers[address], known.isOpen { return known }
    let fresh = try await RedisConnection.connect(address, within: .milliseconds(300))
    peers[address] = fresh
    return fresh
  }

  // MARK: Data

  /// Redis stands still while it computes this: a few seconds for tens of millions of keys.
  func checksum() async throws -> ReplicaChecksum? {
    // A connection of its own: what goes wrong inside a transaction stays with it.
    let redis = try await RedisConnection.connect(address)
    defer { redis.close() }
    _ = try await redis.call("AUTH", RedisProcess.agentUser, record.password)
    _ = try await redis.call("MULTI")
    _ = try await redis.call("INFO", "everything")
    _ = try await redis.call("DEBUG", "DIGEST")
    guard case .array(let values) = try await redis.call(["EXEC"], within: .seconds(60)), values.count == 2,
      let text = values[0].text, let digest = values[1].text, digest.utf8.count <= 64
    else { return nil }
    guard let position = position(RedisInfo(text), try await history()), position.history > 0 else { return nil }
    return ReplicaChecksum(position: position, value: digest)
  }

  func wipe() async throws {
    try save { $0.isLost = true }
    try await stop()
    for name in FileText.names(in: process.directory) where name != ReplicaRecord.fileName {
      try FileText.delete("\(process.directory)/\(name)")
    }
    try await awaitStart()
  }

  func drop() async throws {
    try await stop()
    try FileText.delete(process.directory)
    forget()
  }

  /// Ends the process for good.
  func shutDown() async throws {
    isOver = true
    try await stop()
  }

  /// Ends the process: in order, or by force when it does not answer. What it acknowledged is on disk either way.
  func stop() async throws {
    endAbsorption()
    for connection in peers.values { connection.close() }
    peers = [:]
    if let redis = try? await RedisConnection.connect(address) {
      if (try? await redis.call("AUTH", RedisProcess.agentUser, record.password)) != nil {
        _ = try? await redis.call("SHUTDOWN", "NOSAVE", "NOW", "FORCE")
      }
      redis.close()
    }
    connection?.close()
    connection = nil
    for _ in 0..<100 {
      children.removeAll { RedisProcess.hasEnded($0) }
      if process.pid == nil { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    process.kill()
    try await Task.sleep(for: .milliseconds(100))
    children.removeAll { RedisProcess.hasEnded($0) }
    guard process.pid == nil else { throw HostProblem.notNow("Redis does not end") }
  }
}
