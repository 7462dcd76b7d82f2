import Foundation
import MusterBytes
import MusterCluster
import MusterControllers
import MusterHistory
import MusterLog
import MusterProtocol
import MusterWorkload
import Testing

/// The standard compiler of Protocol Buffers, which knows our schema and nothing of our codec.
private enum Protoc {
  static let path = ["/usr/bin/protoc", "/usr/local/bin/protoc"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  static var schema: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/Protocol/Schema")
  }

  static func run(_ mode: String, _ message: String, _ input: [UInt8]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: try #require(path))
    process.arguments = ["--proto_path=\(schema.path())", "--\(mode)=muster.v1.\(message)", "muster.proto"]
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input))
    try stdin.fileHandleForWriting.close()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "protoc \(mode) \(message)")
    return Array(output)
  }
}

@Suite(.enabled(if: Protoc.path != nil, "protoc is not installed: apt-get install protobuf-compiler"))
struct SchemaTests {
  /// Our bytes, decoded to text by a standard runtime and encoded from that text again, are our bytes; and no field
  /// is unknown to the schema, or it would have no name in the text.
  private func check<M: Message>(_ message: M) throws {
    let name = String(describing: M.self)
    let bytes = message.encoded()
    let text = try Protoc.run("decode", name, bytes)
    let unnamed = String(decoding: text, as: UTF8.self).split(separator: "\n").filter {
      $0.drop { $0 == " " }.first?.isNumber == true
    }
    #expect(unnamed.isEmpty, "\(name) has fields that the schema does not name: \(unnamed)")
    let again = try Protoc.run("encode", name, text)
    #expect(again == bytes, "\(name)")
    let back = try M(bytes: again, refusingUnknownFields: true)
    #expect(back.encoded() == bytes, "\(name)")
  }

  @Test func everyReasonHasANameInTheSchema() throws {
    let text = try String(contentsOf: Protoc.schema.appending(path: "muster.proto"), encoding: .utf8)
    for kind in ReasonKind.allCases {
      let name = "REASON_KIND_" + kind.name.uppercased().replacing("-", with: "_")
      #expect(text.contains("  \(name) = \(kind.rawValue);"), "\(name)")
    }
  }

  @Test func commitsAreWhatTheSchemaSays() throws {
    var generator = HistoryGenerator(seed: 2, nodes: 10, shards: 40)
    var seen: Set<String> = []
    for _ in 0..<3000 {
      let commit = generator.next()
      let names = commit.events.map(\.name)
      guard !names.allSatisfy(seen.contains) else { continue }
      seen.formUnion(names)
      try check(commit)
    }
    #expect(seen.count >= 15, "\(seen)")
  }

  @Test func rowsAreWhatTheSchemaSays() throws {
    var generator = HistoryGenerator(seed: 3, nodes: 8, shards: 30)
    for _ in 0..<600 { _ = generator.next() }
    var state = generator.state
    for command in SchemaSamples.commands {
      var request = Request(command, client: "schema", sequence: state.revision + 1, reason: "sample")
      request.traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      let context = RequestContext(principal: "p", kind: .service, assurance: .certificate, wallTime: 5)
      if case .committed(let commit) = state.execute(request, context, PlacementPlanner()) { try check(commit) }
    }
    try check(state.cluster[1])
    try check(state.nodes[1])
    try check(state.collections[1])
    try check(state.shards[1])
    try check(state.moves[1])
    try check(state.configs[1])
    try check(state.schemas[1])
    try check(state.principals[1])
    try check(state.sessions[1])
    try check(state.alarms[1])
    try check(state.tenants[1])
    try check(state.history[1])
  }

  @Test func requestsAreWhatTheSchemaSays() throws {
    for command in SchemaSamples.commands {
      var request = Request(command, client: "app", sequence: 9, reason: "why")
      request.expectedRevision = 0
      request.expectedPlacement = 0
      request.isDryRun = true
      request.cause = 3
      try check(request)
    }
    for question in SchemaSamples.questions { try check(ReadRequest(question, at: .revision(7))) }
    for moment in [Moment.time(9), .ago(1)] { try check(ReadRequest(.status(StatusQuestion()), at: moment)) }
    var log = LogRequest()
    log.from = .revision(1)
    log.filter.node = "n"
    log.filter.eventType = "NodeJoined"
    log.filter.tenant = "t"
    log.limit = 4
    log.isOldestFirst = true
    try check(log)
    try check(DiffRequest(.revision(1), .now))
    try check(BlameRequest("node/n1", at: .revision(3)))
    try check(WhyRequest("shard/c1/0", at: .ago(3)))
    try check(BisectRequest("cluster.maintenance", from: .revision(1), to: .now))
    try check(WatchRequest(.placement, from: 5))
    try check(HeartbeatRequest([Heartbeat(node: 1, incarnation: 2)]))
    try check(AssignmentsRequest(node: 1, incarnation: 2))
    var status = ReplicaStatus(shard: 1)
    status.address = "h:1"
    status.position = ReplicaPosition(shard: 1, epoch: 2, history: 3, offset: 4)
    status.checksum = "c"
    var positions = PositionsRequest(node: 1, incarnation: 2, positions: [ReplicaPosition(shard: 1, epoch: 2)])
    positions.statuses = [status]
    try check(positions)
    try check(Hello(principal: "p", kind: .service, software: "s", clusterID: "c"))
  }

  private var explanation: ExplanationReport {
    var verdict = NodeVerdict()
    (verdict.node, verdict.hasReplica, verdict.isLeader, verdict.isAllowed) = ("n1", true, true, true)
    verdict.fullness = 250
    verdict.rules = [RuleReport(rule: "lead-on a exists", isMet: true, detail: "d", isPreference: true)]
    var report = ExplanationReport()
    report.shard.collection = "orders"
    report.nodes = [verdict]
    (report.movement, report.question) = ("an election is under way", "may a replica stand there")
    var election = ElectionReport()
    (election.epoch, election.needed, election.knowsAnswers) = (3, 2, true)
    (election.asked, election.missing, election.answered) = (["n1", "n2"], ["n3"], ["n1"])
    report.election = election
    return report
  }

  @Test func plansOfSplitsAndMergesAreWhatTheSchemaSays() throws {
    var question = PlanQuestion()
    question.shards = [SetShardCount(name: "orders", shards: 64)]
    try check(ReadRequest(.plan(question), at: .revision(7)))
    var step = PlannedStep()
    (step.shard, step.partner, step.isMerge, step.redundancy) = ("orders/1", "orders/4", true, 3)
    var plan = PlanReport()
    plan.steps = [step]
    var reply = ReadReply()
    reply.answer.plan = plan
    try check(reply)
  }

  @Test func repliesAreWhatTheSchemaSays() throws {
    var generator = HistoryGenerator(seed: 5, nodes: 8, shards: 30)
    var commits: [Commit] = []
    for _ in 0..<400 { commits.append(generator.next()) }
    let before = generator.state
    for _ in 0..<50 { commits.append(generator.next()) }
    let state = generator.state
    for question in SchemaSamples.questions {
      var reply = ReadReply()
      reply.timeline = 1
      reply.revision = state.revision
      reply.time = state.time
      reply.answer = try state.answer(question, PlacementAdvisor())
      try check(reply)
    }
    var execute = ExecuteReply()
    execute.outcome = .wouldCommit
    execute.events = commits[0].events.map { state.report($0) }
    try check(execute)
    for commit in commits.suffix(30) { try check(HistoryItem(state.report(commit))) }
    var differences: [Difference] = []
    Differ.diff(before, state) { differences.append($0) }
    for difference in differences.prefix(10) { try check(HistoryItem(difference)) }
    var blame = BlameReply()
    blame.entity = "node/n1"
    blame.fields = [BlamedField("state", .text("up"), since: 3)]
    blame.commits = [state.report(commits[3])]
    (blame.blocksRead, blame.pagesRead) = (7, 8)
    try check(blame)
    var why = WhyReply()
    why.origin = .node
    why.words = "because"
    why.chain = blame.commits
    try check(why)
    var bisect = BisectReply()
    bisect.from = 1
    bisect.to = 9
    bisect.commit = state.report(commits[5])
    bisect.statesRead = 4
    try check(bisect)
    var watch = WatchItem()
    watch.revision = 4
    watch.commit = state.report(commits[3])
    try check(watch)
    var item = AssignmentsItem()
    item.assigned = [Assignment()]
    item.assigned[0].links.source = ReplicaLink()
    item.assigned[0].links.others = [ReplicaLink()]
    item.assigned[0].links.copies = [ReplicaLink()]
    item.assigned[0].parent = 3
    item.assigned[0].range = KeyRange(residue: 3, modulus: 8)
    item.assigned[0].split = SplitOrder()
    item.assigned[0].split?.copies = [Follower()]
    item.assigned[0].mustPrune = true
    item.assigned[0].merge = MergeOrder()
    item.assigned[0].merge?.absorbed = 4
    item.assigned[0].merge?.step = .absorbing
    item.assigned[0].merge?.range = KeyRange(residue: 3, modulus: 4)
    item.assigned[0].links.absorbed = ReplicaLink()
    item.isComplete = true
    item.withdrawn = [1, 300]
    try check(item)
    try check(RPCError(.refused, "m", retryAfterMilliseconds: 0, isOutcomeUnknown: true, details: [1, 2]))
    try check(explanation)
    try check(Refusal(.unsatisfiable, "m", witness: [Witness(rule: "r", needed: 3, available: 2, detail: "d")]))
    var manifest = SnapshotManifest()
    manifest.revision = 5
    manifest.digestLow = 7
    manifest.term = 3
    manifest.chain = [UInt8](repeating: 9, count: 32)
    manifest.metadata = [1]
    var unit = SnapshotUnit()
    unit.offset = 700
    unit.table = 4
    unit.page = 2
    unit.pages = 5
    manifest.units = [SnapshotUnit(), unit]
    try check(manifest)
    var ancestor = Ancestor()
    ancestor.clusterID = "00112233445566778899aabbccddeeff"
    ancestor.timeline = 1
    ancestor.revision = 9
    ancestor.lastRevision = 8
    ancestor.chain = [UInt8](repeating: 9, count: 32)
    try check(Ancestry([ancestor]))
    var backup = BackupManifest()
    backup.clusterID = ancestor.clusterID
    backup.timeline = 2
    backup.lastRevision = 300
    backup.chain = ancestor.chain
    backup.time = 5
    backup.ancestors = [ancestor]
    var horizon = Horizon()
    horizon.revision = 20
    horizon.digestHigh = 3
    horizon.cutAt = 25
    backup.horizon = horizon
    try check(backup)
    var file = BackupFile()
    file.name = "log/x"
    file.bytes = 7
    file.firstRevision = 1
    file.lastRevision = 300
    file.chain = ancestor.chain
    try check(BackupRead(file))
    try check(BackupRequest())
  }
}

private enum SchemaSamples {
  static var commands: [Command] {
    var policy = Policy()
    policy.replicas = 1
    policy.spread = [SpreadRule(.rack, isPreference: true)]
    policy.required = [Label("disk", "ssd")]
    policy.weights = [Amount("disk", 5)]
    policy.allowsUncleanElection = true
    policy.rules = [LabelRule("disk", .isIn, ["ssd", "nvme"]), LabelRule("old", .existsNot)]
    policy.apart = ["c9"]
    var schema = ConfigSchema()
    schema.type = .integer
    schema.minimum = -5
    schema.maximum = 0
    schema.description = "d"
    var texts = ConfigSchema()
    texts.allowed = ["a", "b"]
    var replicas = ReportReplicas()
    replicas.node = 1
    replicas.incarnation = 1
    replicas.opened = [1, 2]
    replicas.followers = [FollowerWord(shard: 3, node: 2, epoch: 1, isInSync: true)]
    replicas.fellBehind = [4]
    replicas.gone = [4]
    replicas.yields = [Yield(shard: 1, epoch: 2, heir: 3, since: 4)]
    replicas.minima = [MinimumWord(shard: 1, epoch: 2, raise: 3)]
    replicas.splits = [SplitWord(shard: 2, epoch: 3, since: 5, nodes: [1, 2])]
    replicas.pauses = [PauseWord(shard: 6, epoch: 2, since: 9)]
    replicas.absorbs = [AbsorbWord(shard: 7, epoch: 2, since: 9, absorbedEpoch: 3, hasEverything: true)]
    replicas.pruned = [PruneWord(shard: 5, epoch: 1, range: KeyRange(residue: 1, modulus: 4))]
    var retention = RetentionPolicy()
    retention.logSeconds = 86400
    retention.snapshotBytes = 1 << 30
    var began = TimelineBegan()
    began.parentCluster = "00112233445566778899aabbccddeeff"
    began.parentTimeline = 1
    began.revision = 9
    began.chain = [UInt8](repeating: 9, count: 32)
    var cut = HistoryCut()
    cut.horizon = 7
    cut.digestLow = 4
    cut.firstRevision = 3
    cut.chain = began.chain
    cut.names = began.chain
    let node = JoinNode(
      name: "fresh", domain: "eu/a/r", labels: [Label("disk", "ssd")], capacity: [Amount("disk", 50)], address: "h:1",
      heartbeatMilliseconds: 500)
    return [
      .joinNode(node), .leaveNode(LeaveNode(node: 1, incarnation: 1)),
      .cordonNode(CordonNode(name: "fresh", isOn: true)),
      .cordonNode(CordonNode(name: "fresh", isOn: false)), .drainNode(DrainNode(name: "fresh", isOn: true)),
      .drainNode(DrainNode(name: "fresh", isOn: false)), .finishDrain(FinishDrain(node: 2)), .joinNode(node),
      .reportNodeHealth(ReportNodeHealth(node: 2, incarnation: 1, state: .suspect, silentMilliseconds: 9)),
      .reportReplicas(replicas), .setMaintenance(SetMaintenance(isOn: true)),
      .createCollection(
        CreateCollection(name: "fresh", shards: 2, policy: policy, labels: [Label("a", "")], tenant: "")),
      .changeCollection(ChangeCollection(name: "fresh", policy: policy, labels: [Label("a", "2")])),
      .splitShard(SplitShard(collection: "fresh", index: 1)), .setShardCount(SetShardCount(name: "fresh", shards: 5)),
      .mergeShards(MergeShards(collection: "fresh", index: 1)),
      .placeShards(PlaceShards(collection: 1)), .deleteCollection(DeleteCollection(name: "fresh")),
      .electLeader(ElectLeader(collection: "c1", index: 1, node: "n1")),
      .startMove(StartMove(collection: "c1", index: 0, source: "n0", target: "n1")),
      .advanceMove(AdvanceMove(move: 1, step: .waiting, isPaused: true)),
      .advanceMove(AdvanceMove(move: 1, step: .cancelled)), .startElections(StartElections(shards: [1, 2])),
      .concludeElection(ConcludeElection(shard: 1, node: 1, epoch: 2, isUnclean: true)),
      .rebuildReplica(RebuildReplica(shard: 1, node: 1)), .shrinkInSync(ShrinkInSync(node: 1, shards: [1])),
      .setBalancing(SetBalancing(mode: .running)),
      .recoverShard(RecoverShard(collection: "c1", index: 0, node: "n1", isBegunEmpty: true)),
      .setSchema(SetSchema(key: "s/i", schema: schema)), .setSchema(SetSchema(key: "s/t", schema: texts)),
      .setConfig(SetConfig(key: "s/i", scope: ScopeName(.cluster), value: .integer(-3), expectedVersion: 0)),
      .setConfig(SetConfig(key: "b", scope: ScopeName(.node, "fresh"), value: .boolean(false))),
      .setConfig(SetConfig(key: "c", scope: ScopeName(.cluster), value: .bytes([0, 255]))),
      .setConfig(SetConfig(key: "t", scope: ScopeName(.cluster), value: .text(""))),
      .deleteConfig(DeleteConfig(key: "t", scope: ScopeName(.cluster))),
      .raiseAlarm(RaiseAlarm(name: "a/b", message: "m")), .clearAlarm(ClearAlarm(name: "a/b")),
      .createTenant(CreateTenant(name: "t")), .setSchema(SetSchema(key: "t/secret", schema: sensitive)),
      .setConfig(SetConfig(key: "t/secret", scope: ScopeName(.tenant, "t"), value: .sealed(sealed))),
      .eraseTenant(EraseTenant(tenant: "t")), .eraseTenant(EraseTenant(tenant: "")),
      .setRetention(SetRetention(retention)), .beginTimeline(BeginTimeline(began)), .cutHistory(CutHistory(cut)),
      .beginTimeline(BeginTimeline(began, cut: cut)),
      .batch(Batch([.setMaintenance(SetMaintenance(isOn: false))])),
      .removeNode(RemoveNode(name: "fresh")),
    ]
  }

  private static var sensitive: ConfigSchema {
    var schema = ConfigSchema()
    schema.isSensitive = true
    return schema
  }

  private static var sealed: SealedValue {
    var value = SealedValue()
    (value.tenant, value.key, value.content) = (1, 1, [UInt8](1...40))
    return value
  }

  private static var planQuestion: PlanQuestion {
    var question = PlanQuestion()
    question.drain = ["n1"]
    question.add = [
      JoinNode(
        name: "n99", domain: "eu/z9", labels: [], capacity: [Amount("disk", 1)], address: "", heartbeatMilliseconds: 0)
    ]
    var policy = Policy()
    policy.replicas = 1
    question.change = [ChangeCollection(name: "c1", policy: policy, labels: [Label("a", "b")])]
    return question
  }

  static var questions: [Question] {
    var configs = ConfigsQuestion()
    configs.isEveryScope = true
    configs.isRevealed = true
    return [
      .status(StatusQuestion()), .nodes(NodesQuestion()), .collections(CollectionsQuestion()),
      .shards(ShardsQuestion(collection: "", node: "n1")), .shards(ShardsQuestion(collection: "c1", index: 0)),
      .configs(configs), .schemas(SchemasQuestion()), .session(SessionQuestion(client: "operator")),
      .explain(ExplainQuestion(collection: "c1", index: 0)), .plan(planQuestion), .recovery(RecoveryQuestion()),
      .retention(RetentionQuestion()),
      .tenants(TenantsQuestion()),
      .check(CheckQuestion("count(nodes) > 0")),
    ]
  }
}
