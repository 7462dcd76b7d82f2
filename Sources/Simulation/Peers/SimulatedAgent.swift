internal import MusterBytes
internal import MusterCluster
internal import MusterPeers
internal import MusterProtocol
internal import MusterWorkload

/// A node: joins, beats, takes assignments and carries them out on modelled data, by the real agent's book and the real
/// pilot of each replica.
final class SimulatedAgent: Peer {
  private let domain: String
  private let heartbeat: UInt64
  /// Microseconds between two looks at its replicas.
  private let pace: UInt64
  private let requester = Requester()
  private(set) var identity: Heartbeat?
  private var book = AssignmentBook()
  private var pilots: [ShardID: ReplicaPilot] = [:]
  /// The keys of `pilots`, sorted.
  private(set) var shards: [ShardID] = []
  private var promises: [ShardID: ReplicaPosition] = [:]
  private var pendingReport: ReportReplicas?
  /// What the process before this one would still have said.
  private var lastWords: ReportReplicas?
  /// Positions that were told once, and arrive once more.
  private var oldPositions: [ShardID: ReplicaPosition] = [:]
  private var told: [ShardID: ReplicaStatus] = [:]
  private var hasTidiedUp = false
  /// Nothing runs before.
  private var startsAt: UInt64 = 0

  private var nextTag: UInt64 = 0
  private var stream: (call: UInt32, tag: UInt64)?
  private var streamCredit: UInt32 = 0
  private var beat: UInt64?
  private var nextBeat: UInt64 = 0
  private var telling: (tag: UInt64, request: PositionsRequest)?
  private var nextStep: UInt64 = 0
  private var lastSequence: UInt64 = 0

  private static let window: UInt32 = 16
  private static let deadlineMilliseconds: UInt32 = 3000

  init(_ number: Int, _ index: Int, _ swarm: Swarm, _ world: Simulation) {
    domain = "eu/z\(index % swarm.zones)/r\(index)"
    heartbeat = swarm.heartbeatMilliseconds
    pace = 300_000 + UInt64(index % 7) * 30_000
    super.init(number, "n\(index)", .node, world)
  }

  private var data: ModelledData { world.data }

  // MARK: Its process

  /// The process ends, and starts anew after a while.
  ///
  /// - Parameter withHost: its databases too.
  func restart(after delay: UInt64, withHost: Bool) {
    dropConnection()
    requester.forget()
    if let identity { lastWords = words(of: identity) }
    identity = nil
    book = AssignmentBook()
    forgetReplicas()
    hasTidiedUp = false
    stream = nil
    beat = nil
    telling = nil
    pendingReport = nil
    if withHost { data.restart(name) }
    startsAt = world.now + delay
    plan(in: delay)
  }

  /// All that a process might say of what it hosts.
  private func words(of identity: Heartbeat) -> ReportReplicas {
    let led = shards.compactMap { book.assigned[$0] }.filter { $0.role == .leader && !$0.isElecting }
    let words = led.flatMap { assignment in
      assignment.followers.map {
        FollowerWord(shard: assignment.shard, node: $0.node, epoch: assignment.epoch, isInSync: !$0.isInSync)
      }
    }
    return ReportReplicas(
      node: identity.node, incarnation: identity.incarnation, opened: shards, followers: words, fellBehind: [])
  }

  private func forgetReplicas() {
    pilots = [:]
    shards = []
    promises = [:]
    told = [:]
    oldPositions = [:]
  }

  override func act() -> UInt64 {
    let now = world.now
    data.frozen.remove(name)
    guard now >= startsAt else { return startsAt - now }
    if !endpoint.isUsable {
      stream = nil
      beat = nil
      telling = nil
    }
    guard let identity else {
      if requester.isIdle { join() }
      requester.send(self)
      return min(requester.delay(now) ?? 300_000, 300_000)
    }
    if now >= nextStep { step(identity) }
    follow(identity)
    sendBeat(identity)
    tell(identity)
    report(identity)
    return min(nextStep, nextBeat) - min(now, min(nextStep, nextBeat)) + 1
  }

  private func join() {
    let join = JoinNode(
      name: name, domain: domain, labels: [], capacity: [], address: "", heartbeatMilliseconds: heartbeat,
      abilities: [.splits, .merges], identity: "disk-of-\(name)")
    requester.begin(Request(.joinNode(join), client: "agent.\(name)", sequence: sequence()))
  }

  /// By the wall clock, as the real agent does it.
  private func sequence() -> UInt64 {
    lastSequence = max(lastSequence + 1, clock.wall(world.now))
    return lastSequence
  }

  private func tag() -> UInt64 {
    nextTag += 1
    return nextTag
  }

  /// What its replica of a shard is about; nil when it has none.
  func words(_ shard: ShardID) -> String? {
    guard let pilot = pilots[shard] else { return nil }
    let replica = data.replica(shard, on: name)
    return "\(name) \(pilot.assignment.role.name) of epoch \(pilot.assignment.epoch): \(pilot.next) \(pilot.problem), "
      + "\(replica?.log.count ?? 0) writes, attached \(replica?.attached ?? 0), promised \(replica?.promised ?? 0)"
  }

  // MARK: What is told

  private func sendBeat(_ identity: Heartbeat) {
    guard world.now >= nextBeat else { return }
    nextBeat = world.now + heartbeat * 1000
    guard beat == nil else { return }
    let tag = tag()
    let payload = HeartbeatRequest([identity]).encoded()
    if call(.heartbeat, payload, tag: tag, argument: SimulatedAgent.deadlineMilliseconds) != nil { beat = tag }
  }

  private func follow(_ identity: Heartbeat) {
    if let stream {
      guard streamCredit < SimulatedAgent.window / 2 else { return }
      endpoint.grant(stream.call, SimulatedAgent.window - streamCredit)
      streamCredit = SimulatedAgent.window
      return
    }
    let tag = tag()
    let request = AssignmentsRequest(node: identity.node, incarnation: identity.incarnation)
    guard let call = call(.assignments, request.encoded(), tag: tag, argument: SimulatedAgent.window) else { return }
    stream = (call, tag)
    streamCredit = SimulatedAgent.window
    book.restart()
    told = [:]
  }

  /// Positions that elections wait for, and statuses that changed.
  private func tell(_ identity: Heartbeat) {
    guard telling == nil else { return }
    let positions = book.waitingElections.compactMap { shard, epoch in
      promises[shard].flatMap { $0.epoch == epoch ? $0 : nil }
    }
    var request = PositionsRequest(node: identity.node, incarnation: identity.incarnation, positions: positions)
    for shard in shards {
      guard let pilot = pilots[shard] else { continue }
      var status = ReplicaStatus(shard: shard)
      status.address = name
      status.problem = pilot.problem
      if told[shard] != status { request.statuses.append(status) }
    }
    for position in positions { oldPositions[position.shard] = position }
    guard !request.positions.isEmpty || !request.statuses.isEmpty else { return }
    let tag = tag()
    let argument = SimulatedAgent.deadlineMilliseconds
    if call(.positions, request.encoded(), tag: tag, argument: argument) != nil { telling = (tag, request) }
  }

  /// What was said in an election that is over comes once more, in the next one, before what is true there.
  func sayAgain(_ shard: ShardID) {
    guard let identity, endpoint.isUsable, let position = oldPositions.removeValue(forKey: shard) else { return }
    let request = PositionsRequest(node: identity.node, incarnation: identity.incarnation, positions: [position])
    world.marks.sometimes(.positionEchoed)
    // Nobody waits for the answer.
    _ = call(.positions, request.encoded(), tag: tag(), argument: SimulatedAgent.deadlineMilliseconds)
    world.flush(self)
  }

  private func report(_ identity: Heartbeat) {
    if requester.isIdle, let words = lastWords, world.random.oneIn(3) {
      lastWords = nil
      begin(words)
    }
    if requester.isIdle, let report = book.nextReport(node: identity.node, incarnation: identity.incarnation) {
      pendingReport = report
      begin(report)
    }
    requester.send(self)
  }

  private func begin(_ report: ReportReplicas) {
    var request = Request(.reportReplicas(report), client: "agent.\(name)", sequence: sequence())
    request.cause = report.cause
    world.reporters["\(request.client):\(request.sequence)"] = report.incarnation
    world.waylay(report, of: self)
    requester.begin(request)
  }

  // MARK: What is heard

  override func hear(_ incoming: Incoming) {
    let request = requester.pending
    if let verdict = requester.hear(incoming, self) { return hear(verdict, of: request) }
    switch incoming {
    case .reply(let tag, let bytes):
      if tag == beat { hearBeat(bytes) }
      if let telling, tag == telling.tag {
        for position in telling.request.positions { book.told(position) }
        for status in telling.request.statuses { told[status.shard] = status }
        self.telling = nil
      }
    case .item(let tag, let bytes):
      guard tag == stream?.tag else { return }
      streamCredit -= min(streamCredit, 1)
      guard let item = try? AssignmentsItem(bytes: bytes) else { return world.fail("assignments cannot be read") }
      apply(item)
    case .failed(let tag, let failure):
      if tag == beat { beat = nil }
      if tag == telling?.tag { telling = nil }
      if tag == stream?.tag {
        stream = nil
        // As the real agent does: it was replaced, and stops.
        if case .answered(let error) = failure, error.code == .refused { replaced() }
      }
    case .end(let tag): if tag == stream?.tag { stream = nil }
    case .greeted: break
    }
  }

  private func hear(_ verdict: Verdict, of request: Request?) {
    switch verdict {
    case .done(let reply):
      if let request { world.oracle.answered(request, reply, world) }
      if let pendingReport {
        book.reported(pendingReport)
        self.pendingReport = nil
      } else if reply.node != 0 {
        identity = Heartbeat(node: reply.node, incarnation: reply.incarnation)
        nextStep = world.now
      }
    case .refused(let refusal):
      if case .reportReplicas(let report) = request?.command, report.incarnation != identity?.incarnation { return }
      pendingReport = nil
      if refusal?.code == .fenced { replaced() }
    }
  }

  private func hearBeat(_ bytes: [UInt8]) {
    beat = nil
    guard let identity, let reply = try? HeartbeatReply(bytes: bytes) else { return }
    if reply.fenced.contains(identity.node) { replaced() }
  }

  /// Another process joined under the name, or the node was removed: this process ends, and its supervisor starts it
  /// anew.
  private func replaced() {
    world.marks.sometimes(.refusedAsFenced)
    restart(after: 1_000_000 + UInt64(world.random.below(5_000_000)), withHost: true)
  }

  // MARK: Replicas

  private func apply(_ item: AssignmentsItem) {
    _ = book.apply(item)
    var gone = item.withdrawn
    if item.isComplete {
      gone += shards.filter { book.assigned[$0] == nil }
      if !hasTidiedUp { data.keepOnly(Set(book.assigned.keys), on: name) }
      hasTidiedUp = true
    }
    for shard in gone where book.assigned[shard] == nil {
      pilots[shard] = nil
      promises[shard] = nil
      told[shard] = nil
      data.drop(shard, on: name)
    }
    for assignment in item.assigned {
      if pilots[assignment.shard] == nil {
        pilots[assignment.shard] = ReplicaPilot(assignment)
      } else {
        pilots[assignment.shard]?.assign(assignment)
        // It may have been said before, and not been heard.
        if !assignment.isOpened, pilots[assignment.shard]?.isReady == true { book.opened(assignment.shard) }
      }
    }
    shards = pilots.keys.sorted()
    nextStep = world.now
  }

  private func step(_ identity: Heartbeat) {
    nextStep = world.now + pace
    let milliseconds = milliseconds
    for shard in shards {
      // What was done is looked at at once; what failed is not tried in a hurry.
      for _ in 0..<3 {
        guard let assignment = pilots[shard]?.assignment else { break }
        let step = pilots[shard]!.next
        let news = data.drive(&pilots[shard]!, on: name, milliseconds)
        hear(news, about: assignment)
        if case .look = step { break }
      }
    }
    data.flow(shards, on: name, world.now / 1000, &world.random)
  }

  private func hear(_ news: [ReplicaPilot.News], about assignment: Assignment) {
    for item in news {
      switch item {
      case .opened: book.opened(assignment.shard)
      case .position(let position): promises[assignment.shard] = position
      case .follower(let follower, let isInSync): book.note(assignment, follower: follower, isInSync: isInSync)
      case .yielded: book.yielded(assignment)
      case .minimumHeld: book.heldMinimum(assignment)
      case .splitReady(let nodes): book.splitReady(assignment, nodes: nodes)
      case .pruned: book.pruned(assignment)
      case .paused: book.paused(assignment)
      case .absorbed(let hasEverything): book.absorbed(assignment, hasEverything: hasEverything)
      case .lost(let isGone): book.lost(assignment, isGone: isGone)
      }
    }
  }
}
