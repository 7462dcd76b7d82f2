import MusterBytes
import MusterCluster
import MusterControllers
import MusterWorkload
import Testing

/// Asks as a person would.
func ask(_ state: inout State, _ command: Command, id: (String, UInt64)? = nil, dryRun: Bool = false) -> Outcome {
  var request = Request(command, client: id?.0 ?? "", sequence: id?.1 ?? 0)
  request.isDryRun = dryRun
  let context = RequestContext(
    principal: "ops", kind: .person, assurance: .asserted, wallTime: 1_000_000 * (state.revision + 1))
  return state.execute(request, context, PlacementPlanner())
}

func refusal(_ outcome: Outcome) -> RefusalCode? {
  if case .refused(let refusal) = outcome { refusal.code } else { nil }
}

func commit(_ outcome: Outcome) -> Commit? {
  if case .committed(let commit) = outcome { commit } else { nil }
}

func join(_ name: String, zone: String, disk: UInt64 = 1000, beat: UInt64 = 0) -> Command {
  .joinNode(
    JoinNode(
      name: name, domain: "eu/\(zone)/r1", labels: [], capacity: [Amount("disk", disk)], address: "",
      heartbeatMilliseconds: beat))
}

func set(_ key: String, _ text: String) -> Command {
  .setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .text(text)))
}

func create(_ name: String, shards: UInt32, replicas: UInt32, spread: FaultLevel? = .zone, disk: UInt64 = 1) -> Command
{
  var policy = Policy()
  policy.replicas = replicas
  policy.spread = spread.map { [SpreadRule($0)] } ?? []
  policy.weights = [Amount("disk", disk)]
  return .createCollection(CreateCollection(name: name, shards: shards, policy: policy, labels: [], tenant: ""))
}

@Suite struct StateTests {
  @Test(arguments: [UInt64(1), 2, 3])
  func aRandomHistoryReplaysToTheSameDigestAtEveryRevision(seed: UInt64) throws {
    var generator = HistoryGenerator(seed: seed, nodes: 30, shards: 600)
    var replica = State()
    for _ in 0..<3000 {
      let made = generator.next()
      let bytes = made.encoded()
      let read = try Commit(bytes: bytes, refusingUnknownFields: true)
      #expect(read == made)
      #expect(read.encoded() == bytes)
      try replica.apply(read)
      #expect(replica.digest == generator.state.digest)
    }
    #expect(replica.digest == replica.computedDigest())
  }

  @Test func theSameSeedMakesTheSameHistory() {
    var a = HistoryGenerator(seed: 9, nodes: 10, shards: 100)
    var b = HistoryGenerator(seed: 9, nodes: 10, shards: 100)
    for _ in 0..<500 { #expect(a.next() == b.next()) }
  }

  @Test func aCopyKeepsItsRowsAndOnlyChangedPagesDiffer() throws {
    var state = State()
    for number in 0..<6 { _ = ask(&state, join("n\(number)", zone: "z\(number % 3)")) }
    _ = ask(&state, create("c", shards: 500, replicas: 3))
    let before = state
    let digest = before.computedDigest()
    let leader = state.nodeName(before.shards[7].replicas[1].node)
    #expect(commit(ask(&state, .electLeader(ElectLeader(collection: "c", index: 6, node: leader)))) != nil)
    #expect(before.computedDigest() == digest)
    #expect(before.shards[7].leader != state.shards[7].leader)
    var pages: [Int] = []
    state.shards.forEachChangedPage(since: before.shards) { pages.append($0) }
    #expect(pages == [0])
    var bytes = 0
    try state.forEachPage(changedSince: before) { _, _, page in bytes += page.count }
    #expect(bytes > 0 && bytes < 100 * 1024)
  }

  @Test func pagesMakeTheSameState() throws {
    var generator = HistoryGenerator(seed: 4, nodes: 20, shards: 300)
    for _ in 0..<2000 { _ = generator.next() }
    let state = generator.state
    var loaded = State.empty()
    try state.forEachPage(changedSince: nil) { table, page, bytes in
      try loaded.addPage(table: table.rawValue, page: page, bytes)
    }
    try loaded.finishPages(revision: state.revision, time: state.time)
    loaded.resumeDigest()
    #expect(loaded.digest == state.digest)
    for node in 1...UInt32(state.nodes.count) {
      #expect(loaded.load(node).replicas == state.load(node).replicas)
      #expect(loaded.load(node).leaders == state.load(node).leaders)
    }
    // What is derived serves decisions as before.
    var a = state
    var b = loaded
    #expect(ask(&a, create("again", shards: 5, replicas: 3)) == ask(&b, create("again", shards: 5, replicas: 3)))
  }

  @Test func mutatedEventsAreRefusedOrAppliedAndNeverTrap() throws {
    var generator = HistoryGenerator(seed: 5, nodes: 12, shards: 60)
    var random = SeededGenerator(seed: 6)
    for _ in 0..<300 { _ = generator.next() }
    var applied = 0
    for _ in 0..<4000 {
      var state = generator.state
      var bytes = generator.next().encoded()
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      guard let mutated = try? Commit(bytes: bytes) else { continue }
      if (try? state.apply(mutated)) != nil { applied += 1 }
    }
    #expect(applied > 0)
  }
}
