internal import MusterCluster
internal import MusterLog
internal import MusterSimulatedDisk
internal import MusterWorkload

extension Simulation {
  func planNext(_ fault: Fault) {
    if let delay = swarm.delay(fault, &random) { schedule.plan(.fault(fault), at: now + delay) }
  }

  private func seconds(_ most: Int) -> UInt64 { UInt64(random.below(most * 1_000_000)) }

  func strike(_ fault: Fault) throws {
    switch fault {
    case .powerLoss: losePower()
    case .kill: kill()
    case .cleanStop: try stopCleanly()
    case .syncError: disk.failsAtSync = disk.syncs + 1 + random.below(4)
    case .diskFull:
      disk.capacity = disk.used + random.below(swarm.segmentBytes)
      schedule.plan(.relief(.diskHasRoom), at: now + seconds(40))
    case .diskSlow:
      isDiskSlow = true
      schedule.plan(.relief(.diskIsFast), at: now + seconds(20))
    case .rot: if random.oneIn(3) { damageAndKill(.rot) } else { rot() }
    case .lostWrite, .misdirectedWrite: damageAndKill(fault)
    case .pauseServer:
      guard server != nil else { return }
      marks.sometimes(.serverPaused)
      serverPausedUntil = now + seconds(random.oneIn(4) ? 30 : 4)
    case .serverClock: jump(&serverClock)
    case .nodeClock: jump(&agents[random.below(agents.count)].clock)
    case .partition, .oneWay: cut(fault)
    case .reset: if let number = anyWire() { reset(number) }
    case .slowNetwork:
      isNetworkSlow = true
      schedule.plan(.relief(.networkIsFast), at: now + seconds(15))
    case .pauseNode: pause(agents[random.below(agents.count)], seconds(random.oneIn(3) ? 40 : 6))
    case .massPause:
      let length = seconds(25)
      for agent in agents where !random.oneIn(4) { pause(agent, length) }
    case .restartNode:
      agents[random.below(agents.count)].restart(after: seconds(random.oneIn(3) ? 40 : 5), withHost: random.oneIn(2))
    case .loseData: loseData()
    case .cutData: cutData()
    case .operators: whims()
    case .burst: for client in clients { client.burstUntil = now + seconds(5) }
    case .frameLoss, .duplicate, .reorder, .split, .ambush: break
    }
  }

  // MARK: The server

  /// Either at once, or within what it writes next.
  private func losePower() {
    guard server != nil else { return }
    armPowerLoss(within: 12)
    guard random.oneIn(3) else { return }
    disk.losePower()
    die()
  }

  /// The next start meets it.
  private func damageAndKill(_ fault: Fault) {
    guard damages.isEmpty, server != nil else { return }
    damageAtRest = fault
    kill()
  }

  private func stopCleanly() throws {
    guard server != nil else { return }
    do {
      try serve { try $0.stop() }
    } catch LogError.full {
      // With a full disk a stop is no better than a kill: what waited was told to nobody.
      return kill()
    }
    guard server != nil else { return }
    wasStoppedCleanly = true
    disk.restart()
    die()
    if random.oneIn(2) { cutCleanEnd() }
  }

  /// A copy that leaves out the zeros behind the last frame is whole all the same.
  private func cutCleanEnd() {
    guard let log = try? LogReader.open(disk, SimulatedServer.identity), let segment = log.segments.last,
      let live = segment.live, live.isFinal
    else { return }
    disk.truncate(segment.name.path, to: live.end)
  }

  private func jump(_ clock: inout ProcessClock) {
    clock.offset += Int64(random.below(20_000_000)) - 10_000_000
  }

  // MARK: The network

  private func anyWire() -> UInt64? {
    let open = wires.keys.sorted()
    return open.isEmpty ? nil : open[random.below(open.count)]
  }

  private func cut(_ fault: Fault) {
    let peer = random.below(peers.count)
    let end = now + seconds(random.oneIn(5) ? 60 : 10)
    marks.sometimes(fault == .partition ? .partitioned : .oneWayPartition)
    let toServer = fault == .partition || random.oneIn(2)
    if toServer { links[peer].toServerBlockedUntil = end }
    if fault == .partition || !toServer { links[peer].toPeerBlockedUntil = end }
  }

  // MARK: The nodes

  private func pause(_ agent: SimulatedAgent, _ length: UInt64) {
    marks.sometimes(.nodePaused)
    agent.pausedUntil = now + length
    data.frozen.insert(agent.name)
  }

  /// One disk or, as a surge does, several at once that have replicas of one shard, its leader's first.
  private func loseData() {
    guard random.oneIn(2), oracle.state.shards.nextID > 1 else { return loseData(agents[random.below(agents.count)]) }
    let row = oracle.state.shards[1 + ShardID(random.below(Int(oracle.state.shards.nextID) - 1))]
    let nodes = [row.leader] + row.replicas.filter { $0.isInSync && $0.node != row.leader }.map(\.node)
    let names = nodes.filter { $0 != 0 }.prefix(2 + random.below(2)).map { oracle.state.nodeName($0) }
    for agent in agents where names.contains(agent.name) { loseData(agent) }
  }

  private func loseData(_ agent: SimulatedAgent) {
    let state = oracle.state
    let isLost = data.loseDisk(of: agent.name) { shard in
      state.shards[shard].replicas.filter(\.isVoterInSync).map { state.nodeName($0.node) }
    }
    guard isLost else { return }
    marks.sometimes(.dataLost)
    agent.restart(after: seconds(5), withHost: true)
  }

  /// Between any two nodes, or between a leader and a follower of its own.
  private func cutData() {
    var (a, b) = (agents[random.below(agents.count)].name, agents[random.below(agents.count)].name)
    let state = oracle.state
    if random.oneIn(2), state.shards.nextID > 1 {
      let row = state.shards[1 + ShardID(random.below(Int(state.shards.nextID) - 1))]
      if row.leader != 0, row.replicas.count > 0 {
        (a, b) = (state.nodeName(row.leader), state.nodeName(row.replicas[random.below(row.replicas.count)].node))
      }
    }
    data.cut(a, b, until: now / 1000 + UInt64(random.below(20_000)))
  }

  // MARK: People

  private func whims() {
    for _ in 0...random.below(3) {
      if let command = SimulatedOperator.whim(nodeCount, oracle.state, &random) { person.order(command) }
    }
  }

  /// The first collections, which must be made before anything is worth watching.
  func isFounding(_ command: Command) -> Bool {
    if case .createCollection(let command) = command { command.name.hasPrefix("c") } else { false }
  }

  // MARK: Relief

  func relieve(_ relief: Relief) {
    switch relief {
    case .diskHasRoom: disk.capacity = .max
    case .diskIsFast: isDiskSlow = false
    case .networkIsFast: isNetworkSlow = false
    case .rotIsMended:
      if damages.contains(where: { $0.fault == .rot }) { marks.sometimes(.rotHarmless) }
      mendDamage()
    }
  }
}
