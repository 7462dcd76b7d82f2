import Foundation
import MusterClient
import MusterCluster
import MusterConsistency
import MusterProtocol
import MusterWorkload

/// Clients that share keys, and watchers, while the server is killed and held: what all of them saw must be what one
/// copy of the data, used by one after the other, would have shown.
final class ConsistencyRound {
  private let keeper: ServerKeeper
  private let history: SharedHistory
  private let clients: [SharedClient]
  private let watchers: [WatchKeeper]
  private var random: SeededGenerator
  private var kills = 0
  private var holds = 0

  private static let keys = 12
  private static let settleSeconds = 60

  init(_ program: String, _ directory: String, clients: Int, seed: UInt64) throws {
    let keeper = try ServerKeeper(program, directory, data: directory + "/data")
    let history = SharedHistory(keys: ConsistencyRound.keys)
    (self.keeper, self.history) = (keeper, history)
    self.clients = (0..<clients).map {
      SharedClient(number: $0, keys: ConsistencyRound.keys, address: keeper.address, history: history, seed: seed)
    }
    watchers = WatchTopic.allCases.map { WatchKeeper($0, keeper.address) }
    random = SeededGenerator(seed: seed)
  }

  func run(seconds: Int) async throws {
    try await keeper.serve()
    let watching = watchers.map { watcher in Task { await watcher.run() } }
    let working = clients.map { client in Task { await client.run() } }
    try await disturb(seconds)
    for task in working { task.cancel() }
    for task in working { await task.value }
    let newest = try await settle()
    for task in watching { task.cancel() }
    // A watcher that waits for the next commit hears of its cancellation with it.
    keeper.end(with: SIGTERM)
    for task in watching { await task.value }
    try keeper.verifyDeep()
    try await keeper.serve()
    try await judgeWatches(through: newest)
    keeper.end(with: SIGTERM)
    if let problem = history.problem { throw TortureError(problem) }
    try history.judge()
  }

  private func disturb(_ seconds: Int) async throws {
    let end = TrueTime.microseconds() + UInt64(seconds) * 1_000_000
    while TrueTime.microseconds() < end {
      try await Task.sleep(for: .milliseconds(random.below(800)))
      if random.oneIn(6) {
        keeper.server?.send(SIGSTOP)
        try await Task.sleep(for: .milliseconds(200 + random.below(1500)))
        keeper.server?.send(SIGCONT)
        holds += 1
      } else {
        keeper.end(with: SIGKILL)
        kills += 1
        try await keeper.serve()
      }
      if let problem = history.problem { throw TortureError(problem) }
    }
  }

  // MARK: Watches

  /// Waits until every watcher was shown everything.
  private func settle() async throws -> Revision {
    let newest = try await status().revision
    let end = TrueTime.microseconds() + UInt64(ConsistencyRound.settleSeconds) * 1_000_000
    while watchers.contains(where: { $0.through < newest }) {
      guard TrueTime.microseconds() < end else {
        let late = watchers.filter { $0.through < newest }.map { "\($0.topic.name) at \($0.through)" }
        throw TortureError("watchers are not shown revision \(newest): \(late.joined(separator: ", "))")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    return newest
  }

  private func status() async throws -> ReadReply {
    guard let servers = ServerList(keeper.address) else { throw TortureError("no address") }
    let client = Client(servers, hello: Hello(principal: "torture", kind: .service, software: "torture"))
    let reply: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())), within: 30_000)
    await client.close()
    return reply
  }

  /// Compares what watchers were shown with the log, as a server that was started anew reads it from its files.
  private func judgeWatches(through newest: Revision) async throws {
    for watcher in watchers {
      let truth = WatchKeeper(watcher.topic, keeper.address)
      let reading = Task { await truth.run() }
      let end = TrueTime.microseconds() + UInt64(ConsistencyRound.settleSeconds) * 1_000_000
      while truth.through < newest, TrueTime.microseconds() < end { try await Task.sleep(for: .milliseconds(20)) }
      reading.cancel()
      let log = truth.shown.items.compactMap { item in
        if case .commit(let revision, let events) = item { (revision: revision, content: events) } else { nil }
      }
      do {
        try watcher.shown.check(against: log, through: newest)
      } catch {
        throw TortureError("the watch of \(watcher.topic.name): \(error)")
      }
    }
  }

  // MARK: The end

  var slowestStart: UInt64 { keeper.slowestStart }

  var summary: String {
    let resumed = watchers.reduce(0) { sum, watcher in
      sum
        + watcher.shown.items.count { item in
          if case .resumed = item { true } else { false }
        }
    }
    return """
      \(history.count) operations of \(clients.count) clients on \(ConsistencyRound.keys) shared keys: linearizable, key \
      by key and as one log; \(watchers.count) watchers resumed \(resumed) times: ordered, unique, reliable, atomic, \
      resumable, bookmarkable; \(kills) kills, held \(holds) times, \(keeper.summary)
      """
  }
}
