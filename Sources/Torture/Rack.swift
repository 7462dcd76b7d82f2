import Foundation
import MusterCluster
import MusterWorkload

/// A server, its clients, the ledger and the auditor.
final class Rack {
  private let keeper: ServerKeeper
  private let ledger: Ledger
  private let auditor: LogAuditor
  private let workers: [Worker]
  private var tasks: [Task<Void, Never>] = []
  private var random: SeededGenerator
  private var killed = 0
  private var killedStarting = 0
  private var notes: [String] = []

  init(
    _ program: String, _ directory: String, data: String, clients: Int, pause: UInt64, seed: UInt64,
    environment: [String] = []
  ) throws {
    keeper = try ServerKeeper(program, directory, data: data, environment: environment)
    let address = keeper.address
    let ledger = try Ledger(directory + "/ledger")
    self.ledger = ledger
    auditor = LogAuditor(ledger)
    workers = (0..<clients).map { Worker(number: $0, address: address, ledger: ledger, pauseMilliseconds: pause) }
    random = SeededGenerator(seed: seed)
  }

  func start() async throws {
    try await keeper.serve()
    tasks = workers.map { worker in Task { await worker.run() } }
  }

  /// Everything that was acknowledged is in the log, and nothing else.
  private func audit() async throws {
    if let problem = ledger.problem { throw TortureError(problem) }
    try await auditor.follow(keeper.address, through: ledger.highest)
    try auditor.settle()
  }

  private func pause(milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }

  // MARK: What is done to it

  func killAgainAndAgain(seconds: Int) async throws {
    let end = TrueTime.microseconds() + UInt64(seconds) * 1_000_000
    while TrueTime.microseconds() < end {
      try await pause(milliseconds: random.below(random.oneIn(4) ? 1500 : 250))
      keeper.end(with: SIGKILL)
      killed += 1
      while random.oneIn(4) {
        // Also while it recovers from the last one.
        let starting = try keeper.spawn()
        try await pause(milliseconds: random.below(60))
        starting.end(with: SIGKILL)
        killed += 1
        killedStarting += 1
      }
      try await keeper.serve()
      try await audit()
    }
  }

  func stopAndContinue(seconds: Int) async throws {
    keeper.server?.send(SIGSTOP)
    try await pause(milliseconds: seconds * 1000)
    keeper.server?.send(SIGCONT)
    let before = ledger.acknowledged
    try await waitForProgress(beyond: before)
    try await audit()
    notes.append("held for \(seconds) s")
  }

  private func waitForProgress(beyond count: Int) async throws {
    for _ in 0..<6000 where ledger.acknowledged <= count + workers.count {
      try await pause(milliseconds: 10)
      if let problem = ledger.problem { throw TortureError(problem) }
    }
    guard ledger.acknowledged > count else { throw TortureError("nothing is acknowledged any more") }
  }

  /// Runs the server with a fault in its way, then without.
  func inject(_ fault: Fault) async throws {
    keeper.end(with: SIGKILL)
    let traced = try keeper.spawn(fault.tracer(&random))
    let began = await traced.ready(seconds: 20) != nil
    let before = ledger.acknowledged
    if began {
      for _ in 0..<25 where !traced.hasEnded { try await pause(milliseconds: 100) }
    }
    let went = ledger.acknowledged - before
    let end = traced.hasEnded ? "ended with \(traced.exitCode.map(String.init) ?? "a signal")" : "went on"
    traced.end(with: SIGKILL)
    try await keeper.serve()
    try await audit()
    notes.append("\(fault.name): \(began ? "\(went) acknowledged, " : "not ready, ")\(end)")
  }

  /// The disk fills until nothing is acknowledged any more, and empties.
  func fillAndEmpty(_ disk: SmallDisk) async throws {
    disk.fill()
    var before = -1
    var rounds = 0
    while ledger.acknowledged != before {
      before = ledger.acknowledged
      try await pause(milliseconds: 2000)
      disk.fill()
      rounds += 1
      guard rounds < 60 else { throw TortureError("a full disk stops nothing") }
    }
    guard let server = keeper.server, !server.hasEnded else { throw TortureError("a full disk ended the server") }
    disk.empty()
    try await waitForProgress(beyond: before)
    try await audit()
    notes.append("disk full at revision \(ledger.highest), and written again without a restart")
  }

  /// Leaves the server alone for a while, and finds that its wall clock went back meanwhile.
  func watchClocks(seconds: Int) async throws {
    for _ in 0..<seconds {
      try await pause(milliseconds: 1000)
      try await audit()
    }
    guard auditor.wallTimeWentBack > 0 else { throw TortureError("the server's clocks are right") }
    let furthest = auditor.wallTimeFurthest / 1_000_000
    let count = auditor.wallTimeWentBack
    notes.append("wall clock went back \(count) times, furthest off by \(furthest) s; log time never went back")
  }

  // MARK: The end

  /// Stops the clients and the server, checks its files, and reads everything once more.
  func finish() async throws {
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    try await audit()
    keeper.end(with: SIGTERM)
    try keeper.verifyDeep()
    try await keeper.serve()
    let again = LogAuditor(ledger)
    try await again.follow(keeper.address, through: auditor.next - 1)
    guard again.hashes == auditor.hashes else { throw TortureError("a commit is another than it once was") }
    keeper.end(with: SIGTERM)
  }

  var slowestStart: UInt64 { keeper.slowestStart }

  var summary: String {
    let figures = """
      \(killed) kills (\(killedStarting) of them of a start), \(ledger.acknowledged) commands acknowledged by \
      \(workers.count) clients, \(ledger.reads) reads, \(auditor.next - 1) revisions; \(keeper.summary); \
      verify --deep ok
      """
    return ([figures] + notes.map { "  " + $0 }).joined(separator: "\n")
  }
}
