import MusterBytes
import MusterCluster
import MusterPeers
import MusterProtocol
import MusterWorkload

/// What an actor wants sent.
struct Sending {
  var method: Method
  var payload: [UInt8]
  var credit: UInt32 = 0
}

/// Somebody who talks to the server: it is woken from time to time, and told what comes back.
protocol Actor: AnyObject {
  var principal: String { get }
  var kind: PrincipalKind { get }
  /// What to send now; nothing when there is nothing to do or an answer is waited for.
  func wake(_ now: UInt64, _ random: inout SeededGenerator) -> [Sending]
  func answered(_ answer: Answered, _ call: UInt32, _ now: UInt64)
  /// The call that the last thing was sent as.
  func sent(_ call: UInt32, _ method: Method)
  /// The connection is gone, and with it every call.
  func disconnected()
}

/// A client that changes things one by one, and retries with the same request id until it has an answer.
final class SimulatedClient: Actor {
  let principal: String
  let kind = PrincipalKind.service
  private(set) var ledger: [UInt64: Revision] = [:]
  private var sequence: UInt64 = 1
  private var pending: Request?
  private var sentAt: UInt64 = 0
  private(set) var retries = 0
  /// The calls of the pending request: what answers another one comes too late to mean anything.
  private var calls: Set<UInt32> = []

  init(_ number: Int) { principal = "client\(number)" }

  func wake(_ now: UInt64, _ random: inout SeededGenerator) -> [Sending] {
    if let pending {
      guard now >= sentAt + 80_000 else { return [] }
      retries += 1
      sentAt = now
      return [Sending(method: .execute, payload: pending.encoded())]
    }
    // Replicas of lost nodes are made anew within the run.
    let delay = SetConfig(key: "system/repair-delay-seconds", scope: ScopeName(.cluster), value: .integer(1))
    let request = Request(sequence == 1 ? .setConfig(delay) : command(&random), client: principal, sequence: sequence)
    pending = request
    sentAt = now
    return [Sending(method: .execute, payload: request.encoded())]
  }

  private func command(_ random: inout SeededGenerator) -> Command {
    let name = "\(principal).\(random.below(4))"
    switch random.below(18) {
    case 10: return .drainNode(DrainNode(name: "n\(random.below(6))", isOn: random.oneIn(8)))
    case 11: return .setBalancing(SetBalancing(mode: BalancingMode.allCases[random.below(3)]))
    case 12:
      return .startMove(
        StartMove(
          collection: name, index: UInt32(random.below(3)), source: "n\(random.below(6))", target: "n\(random.below(6))"
        ))
    case 13:
      return .electLeader(ElectLeader(collection: name, index: UInt32(random.below(3)), node: "n\(random.below(6))"))
    case 0, 14, 15, 16:
      var policy = Policy()
      policy.replicas = UInt32(1 + random.below(3))
      policy.minInSync = UInt32(random.below(3))
      if random.oneIn(2) { policy.spread = [SpreadRule(.zone, isPreference: random.oneIn(3))] }
      return .createCollection(
        CreateCollection(name: name, shards: UInt32(1 + random.below(8)), policy: policy, labels: [], tenant: ""))
    case 1: return .deleteCollection(DeleteCollection(name: name))
    case 2: return .cordonNode(CordonNode(name: "n\(random.below(6))", isOn: random.oneIn(2)))
    default:
      // What does not compress spans sectors, and can be torn.
      let value = (0...random.below(120)).map { _ in String(random.next()) }.joined()
      return .setConfig(
        SetConfig(key: "k\(random.below(20))", scope: ScopeName(.cluster), value: .text(value), expectedVersion: nil))
    }
  }

  func sent(_ call: UInt32, _ method: Method) { calls.insert(call) }

  func answered(_ answer: Answered, _ call: UInt32, _ now: UInt64) {
    guard pending != nil, calls.contains(call) else { return }
    switch answer {
    case .reply(let bytes):
      guard let reply = try? ExecuteReply(bytes: bytes) else { return }
      if reply.outcome == .committed || reply.outcome == .repeated { ledger[sequence] = reply.commit }
      sequence += 1
      pending = nil
      calls = []
    case .failure(let problem):
      // A refusal is an answer; "not now" is none.
      guard !problem.hasPrefix("retry") else { return }
      sequence += 1
      pending = nil
      calls = []
    case .item: return
    }
  }

  func disconnected() {}
}

/// A watcher that must see every commit once and in order, across every crash.
final class SimulatedWatcher: Actor {
  let principal = "watcher"
  let kind = PrincipalKind.service
  private(set) var seen: [Revision] = []
  private(set) var next: Revision = 1
  private var call: UInt32?
  private var isAsking = false
  private var credit: UInt32 = 0

  func wake(_ now: UInt64, _ random: inout SeededGenerator) -> [Sending] {
    guard call == nil else { return [] }
    return [Sending(method: .watch, payload: WatchRequest(.everything, from: next).encoded(), credit: 1_000_000)]
  }

  func sent(_ call: UInt32, _ method: Method) { self.call = call }

  func answered(_ answer: Answered, _ call: UInt32, _ now: UInt64) {
    guard call == self.call else { return }
    switch answer {
    case .item(let bytes):
      guard let item = try? WatchItem(bytes: bytes), item.commit != nil else { return }
      seen.append(item.revision)
      next = item.revision + 1
    case .failure, .reply: self.call = nil
    }
  }

  func disconnected() { call = nil }
}

/// A node: joins, beats, takes assignments, works on modelled data as they say, and reports, by the real agent's book.
final class SimulatedAgent: Actor {
  let principal: String
  let kind = PrincipalKind.node
  private let zone: Int
  private var identity: Heartbeat?
  private var sequence: UInt64 = 1
  private var book = AssignmentBook()
  private var stream: UInt32?
  private var pendingReport: (request: Request, report: ReportReplicas)?
  private var lastBeat: UInt64 = 0
  private var lastAsk: UInt64 = 0
  private var lastPositions: UInt64 = 0
  /// Until then it says nothing and does nothing: it hangs, and does not know it.
  var silentUntil: UInt64 = 0
  /// It was about to do something when it began to hang.
  private var wasFrozen = false
  /// When the newest heartbeat that was answered was sent: its leaderships hold so much longer.
  private var leaseFrom: UInt64 = 0
  private var beats: [UInt32: UInt64] = [:]
  private static let lease: UInt64 = 1_000_000
  private var methods: [UInt32: Method] = [:]
  private let data: ModelledData

  init(_ number: Int, _ data: ModelledData) {
    principal = "n\(number)"
    zone = number % 3
    self.data = data
  }

  func wake(_ now: UInt64, _ random: inout SeededGenerator) -> [Sending] {
    guard now >= silentUntil else {
      wasFrozen = true
      return []
    }
    guard let identity else { return join(now) }
    data.frozen.remove(principal)
    work(now, &random)
    var sendings: [Sending] = []
    if now >= lastBeat + 500_000 {
      lastBeat = now
      sendings.append(Sending(method: .heartbeat, payload: HeartbeatRequest([identity]).encoded()))
    }
    if stream == nil {
      let request = AssignmentsRequest(node: identity.node, incarnation: identity.incarnation)
      sendings.append(Sending(method: .assignments, payload: request.encoded(), credit: 1_000_000))
    }
    if let report = report(identity, now) { sendings.append(report) }
    if now >= lastPositions + 100_000, let positions = positions(identity) {
      lastPositions = now
      sendings.append(Sending(method: .positions, payload: positions.encoded()))
    }
    return sendings
  }

  private func join(_ now: UInt64) -> [Sending] {
    guard now >= lastAsk + 100_000 else { return [] }
    lastAsk = now
    let join = JoinNode(
      name: principal, domain: "eu/z\(zone)/r", labels: [], capacity: [], address: "", heartbeatMilliseconds: 500)
    return [Sending(method: .execute, payload: Request(.joinNode(join), client: principal, sequence: 1).encoded())]
  }

  /// Said again until the election is over: what was said may have been lost.
  private func positions(_ identity: Heartbeat) -> PositionsRequest? {
    let waiting = book.waitingElections.prefix(PositionsRequest.positionsMax)
    guard !waiting.isEmpty else { return nil }
    return PositionsRequest(
      node: identity.node, incarnation: identity.incarnation,
      positions: waiting.map { data.promise($0.shard, $0.epoch, on: principal) })
  }

  /// What the node's replicas do by themselves.
  private func work(_ now: UInt64, _ random: inout SeededGenerator) {
    // What it had checked before it hung it does all the same.
    if !wasFrozen, now - min(now, leaseFrom) > SimulatedAgent.lease {
      // It may have been replaced meanwhile: nothing that it was told holds until it is told again.
      book.restart()
      stream = nil
    }
    wasFrozen = false
    for shard in book.assigned.keys.sorted() {
      guard let assignment = book.assigned[shard] else { continue }
      if assignment.isElecting {
        _ = data.promise(shard, assignment.epoch, on: principal)
        data.wait(assignment, on: principal, now, &random)
      } else if assignment.role == .leader {
        data.lead(assignment, on: principal, isWriting: random.oneIn(3))
        data.judge(assignment, on: principal, &book)
      } else {
        data.follow(assignment, on: principal, now, &random)
      }
    }
  }

  private func report(_ identity: Heartbeat, _ now: UInt64) -> Sending? {
    if let pendingReport {
      guard now >= lastAsk + 100_000 else { return nil }
      lastAsk = now
      return Sending(method: .execute, payload: pendingReport.request.encoded())
    }
    guard let report = book.nextReport(node: identity.node, incarnation: identity.incarnation) else { return nil }
    sequence += 1
    let request = Request(.reportReplicas(report), client: principal, sequence: sequence)
    pendingReport = (request, report)
    lastAsk = now
    return Sending(method: .execute, payload: request.encoded())
  }

  func sent(_ call: UInt32, _ method: Method) {
    methods[call] = method
    if method == .heartbeat { beats[call] = lastBeat }
    if method == .assignments {
      stream = call
      book.restart()
    }
  }

  func answered(_ answer: Answered, _ call: UInt32, _ now: UInt64) {
    switch answer {
    case .item(let bytes):
      guard call == stream, let item = try? AssignmentsItem(bytes: bytes) else { return }
      let (open, close) = book.apply(item)
      for assignment in open { book.opened(assignment.shard) }
      for shard in close { data.drop(shard, on: principal) }
    case .reply(let bytes):
      if let sentAt = beats.removeValue(forKey: call) { leaseFrom = max(leaseFrom, sentAt) }
      guard methods.removeValue(forKey: call) == .execute, let reply = try? ExecuteReply(bytes: bytes) else { return }
      if reply.node != 0 { identity = Heartbeat(node: reply.node, incarnation: reply.incarnation) }
      if let pendingReport, reply.node == 0 {
        book.reported(pendingReport.report)
        self.pendingReport = nil
      }
    case .failure:
      if call == stream { stream = nil }
      if methods.removeValue(forKey: call) == .execute { pendingReport = nil }
    }
  }

  func disconnected() {
    stream = nil
    beats = [:]
    methods = [:]
  }
}
