import MusterBytes
import MusterCluster
import MusterHistory
import MusterKernel
import MusterLog
import MusterProtocol
import MusterRendering
import MusterWorkload

/// What is counted exactly, and is the same wherever it runs.
enum Counters {
  static func measure() throws -> String {
    var members: [JSON.Member] = []
    for perTick in [1, Work.perTick, 64] { members.append(try syncs(perTick)) }
    members += try history()
    return JSON.object(members).line
  }

  /// Syncs for each commit when so many come at a time, in thousandths.
  private static func syncs(_ perTick: Int) throws -> JSON.Member {
    let server = try InProcessServer()
    var requests = Requests()
    let count = 64 * 50
    requests.commits(count, perTick: perTick)
    try Requests.hello.withUnsafeBytes { try server.tick($0) }
    let before = server.storage.syncs
    for tick in requests.ticks { try tick.withUnsafeBytes { try server.tick($0) } }
    precondition(server.answers == UInt64(count) && server.failures == 0, "every change was committed")
    let perThousand = (server.storage.syncs - before) * 1000 / UInt64(count)
    return JSON.Member("syncsPerThousandCommits\(perTick)", .number(perThousand))
  }

  private static func history() throws -> [JSON.Member] {
    let storage = MemoryStorage()
    let written = try GeneratedLog.write(storage, events: 400_000)
    let stored = try storage.list("log").filter { $0.hasSuffix(".sealed") }.reduce(0) { sum, name in
      sum + UInt64(try storage.size("log/\(name)") ?? 0)
    }
    let past = try GeneratedLog.past(storage)
    let newest = written.revision
    let then = try between(storage)
    return [
      JSON.Member("storedBytesPerHundredEvents", .number(stored * 100 / written.sealedEvents)),
      JSON.Member("blocksForOneCommit", .number(try past.cost { _ = try $0.commit(newest / 2) })),
      JSON.Member("blocksForShardsThen", .number(try past.cost { try shardsThen($0, then) })),
      JSON.Member("blocksForStateThen", .number(try past.cost { _ = try $0.state(at: then) })),
      JSON.Member("blocksForNodeLog", .number(try past.cost(nodeLog))),
    ]
  }

  /// Halfway from one snapshot to the next, so that what is counted does not depend on where snapshots happen to fall.
  private static func between(_ storage: MemoryStorage) throws -> Revision {
    let snapshots = try GeneratedLog.past(storage).snapshots()
    let (older, newer) = (snapshots[snapshots.count / 3], snapshots[snapshots.count / 3 + 1])
    return older + (newer - older) / 2
  }

  private static func shardsThen(_ history: History, _ revision: Revision) throws {
    _ = try history.state(at: revision, following: Question.shards(ShardsQuestion()).parts)
  }

  /// The newest five commits that speak of one node.
  private static func nodeLog(_ history: History) throws {
    let now = try history.state(at: history.last)
    var request = LogRequest()
    request.filter.node = now.nodeName(3)
    request.limit = 5
    let cursor = try LogCursor(request, history, names: now, clock: now.time)
    var found = 0
    while !cursor.isDone { found += try cursor.next(5).count }
    precondition(found == 5, "a node has a history")
  }
}
