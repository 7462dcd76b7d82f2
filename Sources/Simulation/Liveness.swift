internal import MusterCluster
internal import MusterKernel
internal import MusterProtocol
internal import MusterSimulatedDisk
internal import MusterWorkload

/// After the faults: all is healed, and everything must come to rest.
extension Simulation {
  /// How long that may take, in microseconds.
  private static let patience: UInt64 = 600_000_000

  /// Nothing goes wrong from now on, and the operator puts in order what he left.
  func calmDown() throws {
    isCalm = true
    isDiskSlow = false
    isNetworkSlow = false
    disk.capacity = .max
    disk.failsAtSync = nil
    if isPowerLossArmed { kill() }
    mendDamage()
    serverPausedUntil = min(serverPausedUntil, now + 1)
    for place in links.indices { links[place] = Link() }
    for peer in peers { peer.pausedUntil = 0 }
    for agent in agents { agent.plan(in: 1) }
    data.heal()
    order()
    schedule.plan(.look, at: now + 20_000_000)
  }

  private func order() {
    person.order(.setMaintenance(SetMaintenance(isOn: false)))
    person.order(.setBalancing(SetBalancing(mode: .off)))
    for agent in agents {
      person.order(.drainNode(DrainNode(name: agent.name, isOn: false)))
      person.order(.cordonNode(CordonNode(name: agent.name, isOn: false)))
    }
    person.order(
      .setConfig(
        SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(5))))
  }

  /// - Returns: true when everything is at rest, and the run over.
  func look() throws -> Bool {
    isResting = true
    guard let unrest else { return true }
    if !person.isWaiting {
      SimulatedOperator.recoveries(oracle.state).forEach(person.order)
      SimulatedOperator.resumptions(oracle.state).forEach(person.order)
    }
    guard now < settings.seconds * 1_000_000 + Simulation.patience else {
      fail("long after all is calm \(unrest)")
      return true
    }
    schedule.plan(.look, at: now + 2_000_000)
    return false
  }

  /// What has not come to rest, in words; nil when everything has.
  private var unrest: String? {
    guard server != nil else { return "the server is down" }
    for client in clients where client.isWaiting { return "\(client.name) waits for an answer" }
    if person.isWaiting { return "the operator waits for an answer" }
    for watcher in watchers where watcher.next <= oracle.last {
      return "\(watcher.name) has seen \(watcher.next - 1) of \(oracle.last) revisions"
    }
    return unrest(oracle.state)
  }

  private func unrest(_ state: State) -> String? {
    for agent in agents {
      guard let id = state.nodeID(named: agent.name) else { return "\(agent.name) is no member" }
      let row = state.nodes[id]
      guard row.state == .up, !row.isCordoned else { return "\(agent.name) is \(row.state.name)" }
      guard agent.identity?.incarnation == row.incarnation else { return "\(agent.name) is not who it is taken for" }
    }
    for shard in 1..<max(1, state.shards.nextID) {
      if let problem = unrest(state.shards[shard], state) {
        let replicas = agents.compactMap { $0.words(shard) }.joined(separator: "; ")
        return "\(state.shardName(shard)) \(problem) (\(replicas))"
      }
    }
    for alarm in 1..<max(1, state.alarms.nextID) where state.alarms[alarm].isRaised {
      let name = state.alarms[alarm].name
      if isRemembered(name, state) { continue }
      return "the alarm \(name) is raised: \(state.alarms[alarm].message)"
    }
    return nil
  }

  /// A node that flapped is forgiven one return after five calm minutes each: as long as the server remembers one the
  /// alarm is right, and not a moment longer.
  private func isRemembered(_ alarm: String, _ state: State) -> Bool {
    guard alarm.hasPrefix("flapping/"), let node = state.nodeID(named: String(alarm.dropFirst("flapping/".count)))
    else { return false }
    return (server?.kernel.returns(of: node) ?? 0) > 0
  }

  private func unrest(_ row: ShardRow, _ state: State) -> String? {
    let collection = state.collections[row.collection]
    guard !collection.isDeleted else { return nil }
    if collection.wantedShards > 0 { return "is of a collection that grows or shrinks" }
    if collection.isGone(row.index), row.replicas.count == 0 { return nil }
    guard row.leader != 0 else { return "has no leader" }
    guard row.replicas.count == Int(collection.policy.replicas) else {
      return "has \(row.replicas.count) replicas, and should have \(collection.policy.replicas)"
    }
    guard row.move == 0 else { return "moves" }
    guard row.heir == 0 else { return "is being handed over" }
    for replica in row.replicas
    where !replica.isInSync || replica.isEmptied || !replica.isOpened || replica.role == .learner {
      return "has a replica on \(state.nodeName(replica.node)) that is not in sync"
    }
    return nil
  }
}
