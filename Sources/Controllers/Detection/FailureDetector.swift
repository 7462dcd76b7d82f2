package import MusterCluster

/// Notices nodes that went silent: suspected first, then declared down, up again when heard.
///
/// It never takes its own stall for theirs: when its own tick comes late, everybody's silence is forgiven by as much, and an
/// alarm tells of it.
/// And when most of those that were there fall silent at once it stops declaring and raises an alarm, because then the
/// fault is more likely its own, or the network's; a person who knows better declares them down by name.
package struct FailureDetector: Sendable {
  /// Less silence than so many promised intervals is never suspicious; more than so many always is.
  package static let suspectIntervals: UInt64 = 3
  package static let suspectIntervalsMax: UInt64 = 8
  /// Never less than this, in milliseconds.
  package static let suspectMin: UInt64 = 1000
  /// A suspect that stays silent for so many times the least suspicious silence more is down.
  package static let downFactor: UInt64 = 2
  /// A gap between two ticks above this is a stall of our own, in milliseconds.
  package static let stallMin: UInt64 = 1000
  /// With at least so many nodes watched, more than half of them silent at once is not believed.
  package static let brakeNodesMin = 4
  package static let name = "detector"
  package static let massFailureAlarm = "mass-failure"
  /// A node that came back so often lately flaps: an alarm says so, and it must be steady before it is believed.
  package static let flapsMax: UInt64 = 3

  /// By node number less one.
  private var last: [Arrivals] = []
  private var lastTick: UInt64?
  private var stalls = OwnStalls()

  package init() {}

  package mutating func heard(node: NodeID, incarnation: UInt64, now: UInt64) {
    guard node > 0 else { return }
    grow(to: Int(node), now)
    last[Int(node) - 1].heard(incarnation, now)
  }

  /// Nodes that were not heard yet get a full period from now: nobody is judged by silence before we listened.
  private mutating func grow(to count: Int, _ now: UInt64) {
    while last.count < count { last.append(Arrivals(at: now)) }
  }

  package mutating func tick(state: State, now: UInt64) -> [Proposal] {
    forgiveStall(now)
    grow(to: state.nodes.count, now)
    var verdicts: [Proposal] = []
    var watched = 0
    var (awaited, silent) = (0, 0)
    state.nodes.forEach { id, row in
      guard row.isMonitored, !row.isRemoved else { return }
      watched += 1
      let place = Int(id) - 1
      let limit = limit(id, row)
      let silence = last[place].silence(now)
      last[place].forgetOldFlaps(now)
      // Of whoever is down already no sign is awaited: that is another failure than today's.
      if row.state != .down { awaited += 1 }
      if silence >= limit {
        if row.state != .down { silent += 1 }
        last[place].fellSilent(now)
      }
      guard let verdict = judge(id, row, silence, limit, now) else { return }
      if case .reportNodeHealth(let report) = verdict.command, report.state == .up, row.state != .joining {
        last[place].cameBack(now)
      }
      verdicts.append(verdict)
    }
    verdicts += flapping(state) + stalls.tell(watched: watched, state, now: now)
    let isBraking = watched >= FailureDetector.brakeNodesMin && silent * 2 > awaited
    return brake(isBraking, silent, awaited, verdicts, state)
  }

  private mutating func forgiveStall(_ now: UInt64) {
    if let before = lastTick, now > before, now - before >= FailureDetector.stallMin {
      for place in last.indices { last[place].at += now - before }
      stalls.note(now - before, now: now)
    }
    lastTick = now
  }

  /// The least silence that is suspicious.
  package static func suspectAfter(_ row: NodeRow) -> UInt64 { max(suspectMin, bounded(row, suspectIntervals)) }

  private static func bounded(_ row: NodeRow, _ intervals: UInt64) -> UInt64 {
    let (product, overflow) = row.heartbeatMilliseconds.multipliedReportingOverflow(by: intervals)
    return overflow ? .max / 8 : min(product, .max / 8)
  }

  /// The silence that is suspicious of this node, as regular as it was.
  private func limit(_ id: NodeID, _ row: NodeRow) -> UInt64 {
    last[Int(id) - 1].limit(
      floor: FailureDetector.suspectAfter(row),
      ceiling: FailureDetector.bounded(row, FailureDetector.suspectIntervalsMax))
  }

  private func judge(_ id: NodeID, _ row: NodeRow, _ silence: UInt64, _ limit: UInt64, _ now: UInt64) -> Proposal? {
    let arrivals = last[Int(id) - 1]
    let isSteady = now - min(arrivals.steadySince, now) >= arrivals.hold(limit)
    let isHeard = silence < limit && arrivals.incarnation == row.incarnation && isSteady
    switch row.state {
    case .up, .draining, .drained:
      return silence >= limit ? report(id, row, .suspect, silence, limit, .heartbeatMissed) : nil
    case .suspect:
      if isHeard { return report(id, row, .up, silence, limit, .heartbeatResumed) }
      return silence >= limit + FailureDetector.suspectAfter(row) * FailureDetector.downFactor
        ? report(id, row, .down, silence, limit, .heartbeatMissed) : nil
    case .down, .joining:
      return isHeard ? report(id, row, .up, silence, limit, .heartbeatResumed) : nil
    case .removed:
      return nil
    }
  }

  private func report(
    _ id: NodeID, _ row: NodeRow, _ state: NodeState, _ silence: UInt64, _ limit: UInt64, _ kind: ReasonKind
  ) -> Proposal {
    let command = ReportNodeHealth(
      node: id, incarnation: row.incarnation, state: state, silentMilliseconds: silence)
    let reason = Reason(
      kind,
      arguments: [
        "node=\(row.name)", "silent=\(silence)ms", "interval=\(row.heartbeatMilliseconds)ms",
        "limit=\(limit)ms", "flaps=\(last[Int(id) - 1].flaps)",
      ])
    // A node is down because it was suspected before, and up again because it was down.
    let cause = row.state == .up ? 0 : row.sinceRevision
    return Proposal(controller: FailureDetector.name, command: .reportNodeHealth(command), reason: reason, cause: cause)
  }

  /// How often a node came back from silence lately; 0 once it is calm.
  func returns(of node: NodeID) -> UInt64 {
    node > 0 && Int(node) <= last.count ? last[Int(node) - 1].flaps : 0
  }

  /// Nodes that come and go are named by an alarm, until they are calm.
  private func flapping(_ state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    state.nodes.forEach { id, row in
      // The alarm of a name is its present owner's: one that was removed may have joined again as another node.
      guard Int(id) <= last.count, !row.isRemoved || state.nodeID(named: row.name) == nil else { return }
      let flaps = last[Int(id) - 1].flaps
      let name = "flapping/\(row.name)"
      let isRaised = state.isRaised(alarm: name)
      let isFlapping = flaps >= FailureDetector.flapsMax && !row.isRemoved
      guard isFlapping != isRaised, isFlapping || flaps == 0 || row.isRemoved else { return }
      let message = "\(row.name) came back from silence \(flaps) times lately: it must be steady before it is up again"
      proposals.append(
        Proposal(
          controller: FailureDetector.name,
          command: isFlapping
            ? .raiseAlarm(RaiseAlarm(name: name, message: message)) : .clearAlarm(ClearAlarm(name: name)),
          reason: Reason(
            isFlapping ? .heartbeatMissed : .heartbeatResumed, arguments: ["node=\(row.name)", "flaps=\(flaps)"]),
          cause: row.sinceRevision))
    }
    return proposals
  }

  /// Holds back what a mass failure makes unbelievable, and says so.
  private func brake(
    _ isBraking: Bool, _ silent: Int, _ awaited: Int, _ verdicts: [Proposal], _ state: State
  ) -> [Proposal] {
    let isRaised = state.isRaised(alarm: FailureDetector.massFailureAlarm)
    let reason = Reason(.heartbeatMissed, arguments: ["silent=\(silent)", "awaited=\(awaited)"])
    func alarm(_ command: Command) -> Proposal {
      Proposal(controller: FailureDetector.name, command: command, reason: reason, cause: 0)
    }
    guard isBraking else {
      return isRaised ? verdicts + [alarm(.clearAlarm(ClearAlarm(name: FailureDetector.massFailureAlarm)))] : verdicts
    }
    let believed = verdicts.filter {
      if case .reportNodeHealth(let report) = $0.command { report.state != .down } else { true }
    }
    guard !isRaised else { return believed }
    let message =
      "\(silent) of \(awaited) nodes fell silent at once: none is declared down until more are heard again; "
      + "those that are dead for sure a person declares down (muster node down NAME)"
    return believed + [alarm(.raiseAlarm(RaiseAlarm(name: FailureDetector.massFailureAlarm, message: message)))]
  }
}
