internal import MusterBytes
internal import MusterCluster
internal import MusterControllers
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import MusterProtocol
internal import MusterWorkload

/// Judges a run by the blocks that became durable and by what peers were told, and by nothing else.
final class Oracle {
  /// The state as the log makes it, folded here a second time.
  private(set) var state = State()
  private var record = LogRecord()
  private var chain = SHA256Value.zero
  private var promises = PlacementPromises()
  /// The highest revision that anybody was told of.
  private(set) var seen: Revision = 0
  /// The newest states after a block, for answers about the present.
  private var recent: [State] = []
  private static let recentMax = 64

  // For the report.
  private(set) var acknowledged = 0
  private(set) var watched = 0
  private(set) var readings = 0

  var last: Revision { record.last }

  func anyRevision(_ random: inout SeededGenerator) -> Revision? {
    last == 0 ? nil : 1 + UInt64(random.below(Int(last)))
  }

  // MARK: The log

  /// A block is durable: what it says becomes the truth.
  func durable(_ block: SealedBlock, _ world: Simulation) {
    do {
      try block.bytes.withUnsafeBytes { bytes in
        let view = try BlockView(bytes)
        guard view.header.previousChain == chain else {
          return world.fail("the block of revision \(view.header.firstRevision) does not follow the one before")
        }
        chain = view.chain(after: chain)
        _ = try view.forEachCommit { bytes, _ in
          append(try Commit(bytes: bytes, refusingUnknownFields: true), world)
          return true
        }
        if state.digest != view.header.digest {
          world.fail("at revision \(state.revision) the log says another digest than replay makes")
        }
      }
    } catch {
      world.fail("a block that became durable cannot be read: \(error)")
    }
    remember()
  }

  private func remember() {
    recent.append(state)
    if recent.count > Oracle.recentMax { recent.removeFirst() }
  }

  private func append(_ commit: Commit, _ world: Simulation) {
    guard commit.revision == last + 1 else {
      return world.fail("revision \(commit.revision) follows revision \(last)")
    }
    if commit.time < record.time(last) { world.fail("log time went back at revision \(commit.revision)") }
    if commit.wallOffset < 0 { world.marks.sometimes(.clockWentBack) }
    let before = state
    do throws(ApplyError) { try state.apply(commit) } catch {
      return world.fail("revision \(commit.revision) does not apply: \(error)")
    }
    if let problem = promises.broken(by: commit, from: before, to: state) {
      world.fail("\(problem) (\(Oracle.words(state.report(commit))))")
    }
    world.noteEvents(commit, before)
    let topics = WatchTopic.allCases.reduce(into: UInt8(0)) { bits, topic in
      if commit.filtered(to: topic) != nil { bits |= 1 << UInt8(topic.rawValue) }
    }
    let words = state.report(commit)
    if let incarnation = world.reporters.removeValue(forKey: words.requestID) {
      checkReporter(commit, words, incarnation, before, world)
    }
    let report = LogRecord.digest(of: words)
    if let other = record.append(commit, digest: state.digest, topics: topics, report: report) {
      world.fail("one request was executed at revision \(other) and again at \(commit.revision)")
    }
  }

  /// What a process says counts only while nobody replaced it.
  private func checkReporter(
    _ commit: Commit, _ words: CommitReport, _ incarnation: UInt64, _ before: State, _ world: Simulation
  ) {
    let node = before.nodeID(named: words.principal).map { before.nodes[$0] }
    guard node?.incarnation != incarnation else { return }
    world.fail("at revision \(commit.revision) incarnation \(incarnation) of \(words.principal) was obeyed")
  }

  /// `repair, replica-missing: ReplicaAdded shard=c1/4 node=n3`
  private static func words(_ report: CommitReport) -> String {
    let events = report.events.map { event in
      event.type + event.fields.map { " \($0.name)=\(words($0.value))" }.joined()
    }
    return "\(report.principal), \(report.reason.kind.name): \(events.joined(separator: "; "))"
  }

  private static func words(_ value: FieldValue) -> String {
    switch value {
    case .text(let text): text
    case .number(let number): String(number)
    case .texts(let texts): texts.joined(separator: ",")
    case .flag(let flag): flag ? "yes" : "no"
    default: "\(value)"
    }
  }

  /// The last commits in words, as far as the disk still has them.
  func story(_ disk: any Storage) -> [String] {
    guard let log = try? LogReader.openChanging(disk, SimulatedServer.identity) else { return [] }
    let history = History(log, SnapshotStore(disk, SimulatedServer.identity), through: log.lastRevision)
    var words: [String] = []
    try? history.forEachCommit(from: max(history.last, Oracle.storyMax) - Oracle.storyMax + 1, through: history.last) {
      words.append("\($0.revision) \(Oracle.words(state.report($0)))")
      return true
    }
    return words
  }

  private static let storyMax: UInt64 = 2000

  // MARK: A start

  /// A server recovered: it has all that was durable, and it is the same.
  func restarted(_ server: SimulatedServer, _ world: Simulation) throws {
    let view = server.kernel.view
    guard view.revision >= last else {
      return world.fail(
        "the log ends at revision \(view.revision), revision \(last) was durable and \(seen) was told of")
    }
    if view.revision > last {
      world.marks.sometimes(.moreDurableThanTold)
      try SimulatedServer.history(server.disk).forEachCommit(from: last + 1, through: view.revision) {
        append($0, world)
        return true
      }
      chain = server.writer.chain
      remember()
    }
    if server.writer.chain != chain { world.fail("after a start the chain is another at revision \(last)") }
    if view.digest != state.digest { world.fail("after a start the state is another at revision \(last)") }
  }

  /// The state at a revision that was durable long ago is what it was.
  func compareAgain(_ disk: any Storage, _ world: Simulation) throws {
    guard let revision = anyRevision(&world.random) else { return }
    let log = try LogReader.openChanging(disk, SimulatedServer.identity)
    let history = History(log, SnapshotStore(disk, SimulatedServer.identity), through: log.lastRevision)
    world.marks.sometimes(.stateComparedAgain)
    guard try history.state(at: revision).digest == record.digest(revision) else {
      return world.fail("the state at revision \(revision) is not what it was")
    }
  }

  // MARK: Answers

  /// A command was answered.
  func answered(_ request: Request, _ reply: ExecuteReply, _ world: Simulation) {
    let name = "\(request.client):\(request.sequence)"
    guard told(reply.revision, "the answer to \(name)", world) else { return }
    guard reply.outcome == .committed || reply.outcome == .repeated else { return }
    guard reply.commit <= reply.revision else {
      return world.fail("\(name) became revision \(reply.commit), which its answer at \(reply.revision) cannot know")
    }
    acknowledged += 1
    guard let id = record.request(reply.commit), id.sequence == request.sequence,
      state.sessions[id.session].client == request.client
    else { return world.fail("\(name) was acknowledged as revision \(reply.commit), and the log has another there") }
    if reply.outcome == .committed, reply.time != record.time(reply.revision) {
      world.fail("\(name) was told another time than revision \(reply.revision) has")
    }
  }

  /// Somebody was told of a revision: it is durable.
  private func told(_ revision: Revision, _ what: String, _ world: Simulation) -> Bool {
    guard revision <= last else {
      world.fail("\(what) speaks of revision \(revision), and only \(last) is durable")
      return false
    }
    seen = max(seen, revision)
    return true
  }

  /// A question was answered.
  ///
  /// - Parameter floor: the highest revision that anybody knew of when it was asked.
  func read(_ request: ReadRequest, _ bytes: [UInt8], floor: Revision, _ world: Simulation) {
    guard let reply = try? ReadReply(bytes: bytes) else { return world.fail("an answer cannot be read") }
    guard told(reply.revision, "an answer", world) else { return }
    readings += 1
    if case .revision(let asked) = request.at {
      world.marks.sometimes(.readOfThePast)
      if reply.revision != asked { world.fail("revision \(asked) was asked for, and \(reply.revision) answered") }
    } else if reply.revision < floor {
      world.fail("revision \(floor) was known before a question was asked that revision \(reply.revision) answers")
    }
    if reply.time != record.time(reply.revision) { world.fail("an answer has another time than its revision") }
    switch request.question {
    case .status:
      guard reply.answer.status?.digest == record.digest(reply.revision)?.hex || reply.revision == 0 else {
        return world.fail("the state at revision \(reply.revision) was shown as another than it was")
      }
    case .configs:
      guard let then = recent.last(where: { $0.revision == reply.revision }) else { return }
      let expected = try? then.answer(request.question, PlacementAdvisor())
      if expected?.configs != reply.answer.configs {
        world.fail("configuration at revision \(reply.revision) was shown as other than it was")
      }
    default: break
    }
  }

  /// A question, or a stream, was refused.
  func readFailed(_ error: RPCError, _ world: Simulation) {
    switch error.code {
    case .corruption where world.wasDamagedLately: world.marks.sometimes(.rotToldToReader)
    case .corruption, .internalFault, .noSuchMoment, .invalidArgument, .unknownMethod:
      world.fail("a question was answered with \(error.code.name): \(error.message)")
    default: break
    }
  }

  /// An element of a watch came.
  ///
  /// - Parameter next: the first revision that the watcher has not seen.
  func watched(_ item: WatchItem, _ topic: WatchTopic, next: Revision, _ world: Simulation) {
    guard told(item.revision, "a watch", world) else { return }
    guard item.revision >= next || item.commit == nil else {
      return world.fail("a watcher of \(topic.name) that wants revision \(next) was shown \(item.revision)")
    }
    let lane = Int(topic.rawValue)
    let passed = item.commit == nil ? item.revision + 1 : item.revision
    for revision in next..<max(next, passed) where record.has(lane, at: revision) {
      return world.fail("a watcher of \(topic.name) was never shown revision \(revision)")
    }
    guard let commit = item.commit else { return }
    watched += 1
    guard record.has(lane, at: item.revision) else {
      return world.fail("a watcher of \(topic.name) was shown revision \(item.revision), which is none of it")
    }
    if topic == .everything, LogRecord.digest(of: commit) != record.report(item.revision) {
      world.fail("a watcher was shown revision \(item.revision) as other than it is")
    }
  }

  /// An element of the log came.
  func audited(_ commit: CommitReport, _ expected: Revision, _ world: Simulation) {
    guard told(commit.revision, "the log", world) else { return }
    guard commit.revision == expected, LogRecord.digest(of: commit) == record.report(expected) else {
      return world.fail(
        "the log shows revision \(commit.revision), where \(expected) should stand, or another than it was")
    }
  }

  // MARK: The end

  /// Looks at everything that is left, when all is over.
  func judge(_ history: History, _ world: Simulation) throws {
    guard history.last == last else { return world.fail("the log ends at \(history.last), and \(last) was durable") }
    try history.verifyDeep { _ in }
    try history.forEachCommit(from: 1, through: last) { [self] commit in
      guard LogRecord.digest(of: state.report(commit)) == record.report(commit.revision) else {
        world.fail("revision \(commit.revision) is not what it was")
        return false
      }
      return true
    }
  }
}
