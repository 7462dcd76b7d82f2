internal import MusterAudit
internal import MusterBytes
internal import MusterCluster
internal import MusterCrashStates
internal import MusterHistory
internal import MusterLog
internal import MusterProtocol
internal import MusterWorkload

extension FuzzTarget {
  /// What a fuzzer begins with: bytes as our own writers make them.
  package func seeds() throws -> [[UInt8]] {
    switch self {
    case .frames: Seeds.conversations
    case .messages: Seeds.messages
    case .block: [try Seeds.stored().block]
    case .commit: Seeds.commits.suffix(30).map { $0.encoded() }
    case .segment: [try Seeds.stored().live]
    case .index: [try Seeds.stored().packed]
    case .snapshot: [try Seeds.stored().snapshot]
    case .proof: try Seeds.proofs()
    case .expression: Seeds.expressions.map { Array($0.utf8) }
    }
  }
}

private enum Seeds {
  static let commits: [Commit] = {
    var generator = HistoryGenerator(seed: 5, scale: .init(nodes: 8, shards: 30, rarity: 12))
    return (0..<400).map { _ in generator.next() }
  }()

  static let expressions = [
    "count(shards where leaderless) == 0", "node(\"n3\").state == up and not cluster.maintenance",
    "all(nodes where state == up, replicas < 100) or any(collections where replicas >= 3)",
    "count(shards where collection == \"orders\" and epoch > 2) <= 7",
  ]

  // MARK: Protocol

  static var conversations: [[UInt8]] {
    let hello = Hello(principal: "ada", kind: .person, software: "fuzz").encoded()
    let request = Request(.setMaintenance(SetMaintenance()), client: "c", sequence: 1).encoded()
    var writer = ByteWriter()
    append(.hello, 0, 0, hello, to: &writer)
    append(.request, 1, Method.execute.rawValue, request, to: &writer)
    append(.request, 2, Method.watch.rawValue, WatchRequest(.everything, from: 1).encoded(), to: &writer)
    append(.ping, 0, 0, [], to: &writer)
    append(.cancel, 2, 0, [], to: &writer)
    return [7, 255].map { [$0] + writer.array() }
  }

  private static func append(
    _ kind: WireKind, _ call: UInt32, _ method: UInt16, _ payload: [UInt8], to writer: inout ByteWriter
  ) {
    FrameHead(kind, length: payload.count, method: method, call: call, argument: 8).encode(into: &writer)
    writer.raw(payload)
  }

  static var messages: [[UInt8]] {
    var reply = ReadReply()
    reply.answer.status = CommitFuzz.state.statusReport()
    let first: [any Message] = [
      Request(.setMaintenance(SetMaintenance()), client: "c", sequence: 1), ExecuteReply(),
      ReadRequest(.status(StatusQuestion()), at: .revision(3)), reply,
    ]
    let all = first.enumerated().map { [UInt8($0.offset)] + $0.element.encoded() }
    return all + [[18] + Hello(principal: "ada", kind: .person, software: "fuzz").encoded()]
      + commits.suffix(3).map { [21] + $0.encoded() }
  }

  // MARK: Files

  /// A small history as it is stored.
  static func stored() throws -> (live: [UInt8], packed: [UInt8], snapshot: [UInt8], block: [UInt8]) {
    let disk = WeakDisk()
    let log = try LogDriver.create(disk)
    var state = State()
    for first in stride(from: 0, to: 100, by: 5) {
      let part = commits[first..<(first + 5)]
      for commit in part { try commit.encoded().withUnsafeBytes { try state.apply(stored: $0) } }
      if !log.hasRoom(for: 4096) && !log.isSpareReady { try log.prepareSpare() }
      try log.append(
        part.map { $0.encoded() }, time: state.time, events: part.reduce(0) { $0 + $1.events.count },
        digest: state.digest)
    }
    try LogDriver.writeSnapshot(of: state, on: disk)
    let live = try disk.read(Layout.live(1), at: 0, count: .max)
    var builder = BlockBuilder(after: .zero)
    for commit in commits.prefix(5) { builder.append(commit.encoded()) }
    let block = builder.seal(
      origin: BlockOrigin(timeline: 1, term: 1, run: 1), firstRevision: 1, time: 9, eventCount: 5, digest: SetDigest()
    ).bytes
    try log.pack(History.keys)
    let packed = try disk.read(Layout.sealed(1), at: 0, count: .max)
    let snapshot = try disk.read(Layout.snapshot(100, isBase: true), at: 0, count: .max)
    return (live, packed, snapshot, block)
  }

  // MARK: Proofs

  static func proofs() throws -> [[UInt8]] {
    let origin = Checkpoint.origin(clusterID: LogDriver.identity.clusterID, timeline: 1)
    let key = try SigningKey(name: origin, seed: [UInt8](repeating: 7, count: 32))
    let commit = commits[0].encoded()
    let note = try Checkpoint(origin: origin, size: 1, root: MerkleHash.leaf(commit)).signed(with: key)
    let proof = LogProof(commit: commit, proof: InclusionProof(index: 0, size: 1, path: []), note: note)
    let growth = GrowthProof(old: note, path: [], new: note)
    return [
      [0] + Array(proof.text.utf8), [1] + Array(growth.text.utf8), [2] + note.bytes,
      [4] + Array(repeating: 9, count: 64),
    ]
  }
}
