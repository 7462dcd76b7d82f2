import MusterBytes
import MusterCluster
import MusterHistory
import MusterLog
import MusterProtocol
import MusterSimulatedDisk
import MusterWorkload
import Testing

@Suite struct IndexTests {
  private let recorded: RecordedHistory

  init() throws { recorded = try RecordedHistory(seed: 111, commits: 9000, nodes: 12, shards: 1500) }

  private func log(_ disk: any Storage) throws -> LogReader {
    try LogReader(disk, identity: RecordedHistory.identity, confirmed: 0)
  }

  private func touches(_ commit: Commit, _ entity: Entity, by scheme: EntityScheme = .whole) -> Bool {
    let found = FoundEntities()
    commit.encoded().withUnsafeBytes { bytes in
      try? Commit.entities(inStored: bytes, by: scheme) { found.entities.insert($0) }
    }
    return found.entities.contains(entity)
  }

  @Test func packedSegmentsAreIndexedAndWhole() throws {
    let log = try log(recorded.disk)
    let sealed = log.segments.filter(\.name.isSealed)
    #expect(sealed.count >= 2)
    #expect(sealed.reduce(0) { $0 + $1.units.count } >= 5, "there are packs to tell apart")
    for segment in sealed {
      #expect(!segment.keyUnits.isEmpty)
      #expect(try log.checkKeys(segment, against: History.keys))
    }
    _ = try Verification.run(log, SnapshotStore(recorded.disk, RecordedHistory.identity))
  }

  @Test func theIndexNamesEveryPackThatSpeaksOfAThingAndFewOthers() throws {
    let log = try log(recorded.disk)
    var random = SeededGenerator(seed: 1)
    var left = 0
    for _ in 0..<200 {
      let shard = Entity(.shard, UInt32(random.below(1500)) + 1)
      let units = try log.units(from: 1, through: log.lastRevision, matching: .anyOf([shard]))
      left += units.count
      for commit in recorded.commits where touches(commit, shard) {
        let isFound = units.contains { $0.firstRevision <= commit.revision && commit.revision <= $0.lastRevision }
        #expect(isFound, "\(shard) in \(commit.revision)")
      }
      for unit in units where unit.segment.isSealed {
        let range = Int(unit.firstRevision)...Int(unit.lastRevision)
        let isMeant = range.contains { touches(recorded.commits[$0 - 1], shard) }
        #expect(isMeant)
      }
    }
    #expect(left < 200 * log.units(from: 1, through: log.lastRevision).count)
  }

  @Test func aFilterThatMatchesNothingReadsNoBlocksOfPackedSegments() throws {
    let history = try recorded.history()
    let names = try #require(recorded.states.last)
    let sealedEnd = try #require(history.log.segments.last { $0.name.isSealed }?.lastRevision)
    var request = LogRequest()
    request.to = .revision(sealedEnd)
    request.filter.eventType = "SessionForgotten"
    let cursor = try LogCursor(request, history, names: names, clock: history.lastTime)
    while !cursor.isDone { #expect(try cursor.next(100).isEmpty) }
    let end = try cursor.end(timeline: 1)
    #expect(end.blocksRead == 0 && end.bytesRead > 0, "\(end)")
  }

  @Test func everyFlippedBitOfAnIndexIsNamedByTheCheck() throws {
    let log = try log(recorded.disk)
    let segment = try #require(log.segments.first)
    let first = try #require(segment.keyUnits.first)
    var random = SeededGenerator(seed: 3)
    for _ in 0..<60 {
      let disk = recorded.disk.copy()
      let byte = Int(first.offset) + random.below(segment.fileBytes - Int(first.offset))
      disk.flip(segment.name.path, bit: byte * 8 + random.below(8))
      #expect(throws: LogError.self, "byte \(byte)") {
        _ = try Verification.run(try self.log(disk), SnapshotStore(disk, RecordedHistory.identity))
      }
    }
  }

  @Test func aDamagedIndexIsNeverAnAnswer() throws {
    let log = try log(recorded.disk)
    let segment = try #require(log.segments.first)
    let entry = try #require(segment.keyUnits.last)
    let disk = recorded.disk.copy()
    disk.flip(segment.name.path, bit: (Int(entry.offset) + FrameHeader.byteCount + 40) * 8)
    let damaged = try self.log(disk)
    #expect(throws: LogError.self) {
      var selection = History.everything
      selection.require(anyOf: [entry.first])
      _ = try damaged.units(from: 1, through: segment.lastRevision, matching: selection)
    }
  }

  @Test func anIndexThatLiesIsFoundByTheDeepCheck() throws {
    // The whole of a segment, with the keys of another scheme's function under the number of ours.
    let disk = recorded.disk.copy()
    let live = try RecordedHistory(seed: 111, commits: 9000, nodes: 12, shards: 1500, keys: nil, isPacked: false)
    let names = try SegmentName.all(in: live.disk.list(Layout.log))
    let lying = CommitKeys(scheme: History.keys.scheme) { _, body in body(LogKey(kind: 1, id: 1)) }
    try LogWriter.seal(
      live.disk, RecordedHistory.identity, first: names[0].first, through: names[1].first - 1, keys: lying)
    let path = Layout.sealed(1)
    let bytes = try live.disk.read(path, at: 0, count: try #require(try live.disk.size(path)))
    try disk.create(path, zeros: 0)
    try disk.write(path, at: 0, bytes)
    let log = try log(disk)
    _ = try Verification.run(log, SnapshotStore(disk, RecordedHistory.identity))
    #expect(throws: HistoryError.self) {
      try History(log, SnapshotStore(disk, RecordedHistory.identity), through: recorded.last).verifyDeep { _ in }
    }
  }

  // MARK: Schemes

  /// What a person reads in an event is what it is found by.
  @Test func everyEventIsFoundByAllThatItNames() throws {
    let names = try #require(recorded.states.last)
    var kinds: Set<String> = []
    for commit in recorded.commits {
      for (event, report) in zip(commit.events, names.report(commit).events) {
        var touched = Touched()
        event.touch(&touched)
        let said = NamedThings(report)
        #expect(Set(touched.nodes.map { names.nodes[$0].name }) == said.nodes, "\(report)")
        #expect(Set(touched.shards.map { names.shardName($0) }) == said.shards, "\(report)")
        #expect(Set(touched.collections.map { names.collections[$0].name }) == said.collections, "\(report)")
        #expect(touched.nodes.allSatisfy { $0 != 0 })
        kinds.insert(event.name)
      }
    }
    #expect(kinds.contains("HandOverRequested") && kinds.contains("ConfigKeyAdded") && kinds.contains("MoveStarted"))
  }

  /// Whatever is looked for is found by an index of before too, and by a mixture of both.
  @Test func indexesOfTheFirstSchemeLeaveNothingOut() throws {
    let older = try RecordedHistory(
      seed: 111, commits: 9000, nodes: 12, shards: 1500, keys: CommitKeys(History.firstKeys))
    let history = try older.history()
    let sealed = history.log.segments.filter(\.name.isSealed)
    #expect(sealed.count >= 2 && sealed.allSatisfy { $0.keyScheme == 1 && !$0.keyUnits.isEmpty })
    let names = try #require(older.states.last)
    var isMissed = 0
    for node in 1..<names.nodes.nextID {
      var request = LogRequest()
      request.filter.node = names.nodes[node].name
      let fresh = try revisions(request, try recorded.history(), names)
      #expect(try revisions(request, history, names) == fresh)
      for commit in older.commits where touches(commit, Entity(.node, node)) {
        #expect(fresh.contains(commit.revision))
        if !touches(commit, Entity(.node, node), by: .first) { isMissed += 1 }
      }
    }
    #expect(isMissed > 0, "the first scheme missed something")
    for collection in 1..<names.collections.nextID {
      var request = LogRequest()
      request.filter.collection = names.collections[collection].name
      #expect(try revisions(request, history, names) == revisions(request, try recorded.history(), names))
    }
    for revision in stride(from: 500, to: older.last, by: 1700) {
      for node in 1...UInt32(5) {
        guard let name = names.nodes.row(node)?.name, let question = EntityName("node/\(name)") else { continue }
        let expected = try? history.blame(question, in: older.states[Int(revision)])
        #expect(expected?.fields == (try? recorded.history().blame(question, in: older.states[Int(revision)]))?.fields)
      }
    }
  }

  @Test func anIndexOfTheFirstSchemeIsCheckedByWhatItMeant() throws {
    let older = try RecordedHistory(
      seed: 111, commits: 9000, nodes: 12, shards: 1500, keys: CommitKeys(History.firstKeys))
    let history = try older.history()
    try history.verifyDeep { _ in }
    let segment = try #require(history.log.segments.first)
    #expect(try history.log.checkKeys(segment, against: History.keys))
    // The keys of the present scheme under the number of the first are a lie.
    let live = try RecordedHistory(seed: 111, commits: 9000, nodes: 12, shards: 1500, keys: nil, isPacked: false)
    let names = try SegmentName.all(in: live.disk.list(Layout.log))
    let lying = CommitKeys(
      scheme: 1, find: { bytes, body in try Commit.entities(inStored: bytes) { body(LogKey($0)) } })
    try LogWriter.seal(
      live.disk, RecordedHistory.identity, first: names[0].first, through: names[1].first - 1, keys: lying)
    #expect(throws: HistoryError.self) { try live.history().verifyDeep { _ in } }
  }

  private func revisions(_ request: LogRequest, _ history: History, _ names: State) throws -> [Revision] {
    let cursor = try LogCursor(request, history, names: names, clock: history.lastTime)
    var found: [Revision] = []
    while !cursor.isDone { found += try cursor.nextCommits(500).map(\.revision) }
    return found
  }

  @Test func everyEventIsFoundByItsNumber() {
    for commit in recorded.commits {
      for event in commit.events {
        let bytes = event.encoded()
        let tag = bytes[0] < 0x80 ? UInt32(bytes[0]) : UInt32(bytes[0] & 0x7f) | UInt32(bytes[1]) << 7
        #expect(Event.number(named: event.name) == tag >> 3)
      }
    }
    #expect(Set(Event.kinds.map(\.number)).count == Event.kinds.count)
    #expect(Event.nodeLife.count == 12)
  }
}

private final class FoundEntities {
  var entities: Set<Entity> = []
}

/// What the words of an event name.
private struct NamedThings {
  var nodes: Set<String> = []
  var shards: Set<String> = []
  var collections: Set<String> = []

  init(_ event: EventReport) {
    for field in event.fields {
      switch (field.name, field.value) {
      case ("node", .text(let name)), ("from", .text(let name)), ("to", .text(let name)): nodes.insert(name)
      case ("nodes", .texts(let names)): nodes.formUnion(names)
      case ("shard", .text(let name)), ("child", .text(let name)): shards.insert(name)
      case ("shards", .texts(let names)): shards.formUnion(names)
      case ("collection", .text(let name)): collections.insert(name)
      // Who sets a value names its key, whose scope is another event's word.
      case ("scope", .text(let scope)) where event.type == "ConfigKeyAdded":
        let parts = scope.split(separator: ":", maxSplits: 1).map(String.init)
        if parts[0] == "node" { nodes.insert(parts[1]) }
        if parts[0] == "collection" { collections.insert(parts[1]) }
      default: break
      }
    }
  }
}
