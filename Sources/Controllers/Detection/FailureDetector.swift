package import MusterCluster

/// Notices nodes that went silent: suspected first, then declared down, up again when heard.
///
/// It never takes its own stall for theirs: when its own tick comes late, everybody's silence is forgiven by as much.
/// And when most of the cluster falls silent at once it stops declaring and raises an alarm, because then the fault is
/// more likely its own, or the network's.
package struct FailureDetector: Sendable {
  /// Silence beyond so many promised intervals is suspicious.
  package static let suspectIntervals: UInt64 = 3
  /// Never less than this, in milliseconds.
  package static let suspectMin: UInt64 = 1000
  /// A suspect that stays silent for so many times its suspicion's limit is down.
  package static let downFactor: UInt64 = 3
  /// A gap between two ticks above this is a stall of our own, in milliseconds.
  package static let stallMin: UInt64 = 1000
  /// With at least so many nodes watched, more than half of them silent at once is not believed.
  package static let brakeNodesMin = 4
  package static let name = "detector"
  package static let massFailureAlarm = "mass-failure"

  /// When a node was last heard, and as which incarnation. By node number less one.
  private var last: [Sign] = []
  private var lastTick: UInt64?

  private struct Sign: Sendable {
    var incarnation: UInt64
    var at: UInt64
  }

  package init() {}

  package mutating func heard(node: NodeID, incarnation: UInt64, now: UInt64) {
    guard node > 0 else { return }
    grow(to: Int(node), now)
    guard incarnation >= last[Int(node) - 1].incarnation else { return }
    last[Int(node) - 1] = Sign(incarnation: incarnation, at: now)
  }

  /// Nodes that were not heard yet get a full period from now: nobody is judged by silence before we listened.
  private mutating func grow(to count: Int, _ now: UInt64) {
    while last.count < count { last.append(Sign(incarnation: 0, at: now)) }
  }

  package mutating func tick(state: State, now: UInt64) -> [Proposal] {
    forgiveStall(now)
    grow(to: state.nodes.count, now)
    guard !state.isInMaintenance else { return [] }
    var verdicts: [Proposal] = []
    var watched = 0
    var silent = 0
    state.nodes.forEach { id, row in
      guard row.isMonitored, !row.isRemoved else { return }
      watched += 1
      let silence = now - min(last[Int(id) - 1].at, now)
      if silence >= FailureDetector.suspectAfter(row) { silent += 1 }
      if let verdict = judge(id, row, silence) { verdicts.append(verdict) }
    }
    let isBraking = watched >= FailureDetector.brakeNodesMin && silent * 2 > watched
    return brake(isBraking, silent, watched, verdicts, state)
  }

  private mutating func forgiveStall(_ now: UInt64) {
    if let before = lastTick, now > before, now - before >= FailureDetector.stallMin {
      for place in last.indices { last[place].at += now - before }
    }
    lastTick = now
  }

  package static func suspectAfter(_ row: NodeRow) -> UInt64 {
    let (product, overflow) = row.heartbeatMilliseconds.multipliedReportingOverflow(by: suspectIntervals)
    return max(suspectMin, overflow ? .max / 8 : product)
  }

  private func judge(_ id: NodeID, _ row: NodeRow, _ silence: UInt64) -> Proposal? {
    let limit = FailureDetector.suspectAfter(row)
    let isHeard = silence < limit && last[Int(id) - 1].incarnation == row.incarnation
    switch row.state {
    case .up, .draining, .drained:
      return silence >= limit ? report(id, row, .suspect, silence, .heartbeatMissed) : nil
    case .suspect:
      if isHeard { return report(id, row, .up, silence, .heartbeatResumed) }
      return silence >= limit * FailureDetector.downFactor ? report(id, row, .down, silence, .heartbeatMissed) : nil
    case .down, .joining:
      return isHeard ? report(id, row, .up, silence, .heartbeatResumed) : nil
    case .removed:
      return nil
    }
  }

  private func report(
    _ id: NodeID, _ row: NodeRow, _ state: NodeState, _ silence: UInt64, _ kind: ReasonKind
  ) -> Proposal {
    let command = ReportNodeHealth(
      node: id, incarnation: row.incarnation, state: state, silentMilliseconds: silence)
    let reason = Reason(
      kind,
      arguments: [
        "node=\(row.name)", "silent=\(silence)ms", "interval=\(row.heartbeatMilliseconds)ms",
        "limit=\(FailureDetector.suspectAfter(row))ms",
      ])
    // A node is down because it was suspected before, and up again because it was down.
    let cause = row.state == .up ? 0 : row.sinceRevision
    return Proposal(controller: FailureDetector.name, command: .reportNodeHealth(command), reason: reason, cause: cause)
  }

  /// Holds back what a mass failure makes unbelievable, and says so.
  private func brake(
    _ isBraking: Bool, _ silent: Int, _ watched: Int, _ verdicts: [Proposal], _ state: State
  ) -> [Proposal] {
    let isRaised = state.alarmID(named: FailureDetector.massFailureAlarm).map { state.alarms[$0].isRaised } ?? false
    let reason = Reason(.heartbeatMissed, arguments: ["silent=\(silent)", "watched=\(watched)"])
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
    let message = "\(silent) of \(watched) nodes fell silent at once; none is declared down until they are heard again"
    return believed + [alarm(.raiseAlarm(RaiseAlarm(name: FailureDetector.massFailureAlarm, message: message)))]
  }
}
