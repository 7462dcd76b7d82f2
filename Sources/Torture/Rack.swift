import Foundation
import MusterCluster
import MusterWorkload

/// A server, its clients, the ledger and the auditor.
final class Rack {
  private let program: String
  private let data: String
  private let messages: String
  private let address: String
  private let ledger: Ledger
  private let auditor: LogAuditor
  private let workers: [Worker]
  private var tasks: [Task<Void, Never>] = []
  private var server: ServerProcess?
  private var random: SeededGenerator
  private var starts: [UInt64] = []
  private var killed = 0
  private var killedStarting = 0
  private var notes: [String] = []

  /// Longer than a start takes on the slowest machine.
  private static let startSecondsMax = 120

  init(_ program: String, _ directory: String, data: String, clients: Int, pause: UInt64, seed: UInt64) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    self.program = program
    self.data = data
    messages = directory + "/messages"
    let address = "127.0.0.1:\(try Rack.freePort())"
    self.address = address
    let ledger = try Ledger(directory + "/ledger")
    self.ledger = ledger
    auditor = LogAuditor(ledger)
    workers = (0..<clients).map { Worker(number: $0, address: address, ledger: ledger, pauseMilliseconds: pause) }
    random = SeededGenerator(seed: seed)
  }

  /// A port that was free just now.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    guard code == 0 else { throw TortureError("there is no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  // MARK: The server

  private func spawn(_ tracer: [String] = []) throws -> ServerProcess {
    let started = try ServerProcess(
      program, ["serve", "--data", data, "--listen", address, "--http", "none"], tracer: tracer, messages: messages)
    server = started
    return started
  }

  /// Starts it with nothing in its way, and waits until it serves.
  private func serve() async throws {
    let started = try spawn()
    guard let took = await started.ready(seconds: Rack.startSecondsMax) else {
      throw TortureError("the server does not start: \(started.said)")
    }
    starts.append(took)
  }

  func start() async throws {
    try await serve()
    tasks = workers.map { worker in Task { await worker.run() } }
  }

  /// Everything that was acknowledged is in the log, and nothing else.
  private func audit() async throws {
    if let problem = ledger.problem { throw TortureError(problem) }
    try await auditor.follow(address, through: ledger.highest)
    try auditor.settle()
  }

  private func pause(milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }

  // MARK: What is done to it

  func killAgainAndAgain(seconds: Int) async throws {
    let end = Monotonic.microseconds() + UInt64(seconds) * 1_000_000
    while Monotonic.microseconds() < end {
      try await pause(milliseconds: random.below(random.oneIn(4) ? 1500 : 250))
      server?.end(with: SIGKILL)
      killed += 1
      while random.oneIn(4) {
        // Also while it recovers from the last one.
        let starting = try spawn()
        try await pause(milliseconds: random.below(60))
        starting.end(with: SIGKILL)
        killed += 1
        killedStarting += 1
      }
      try await serve()
      try await audit()
    }
  }

  func stopAndContinue(seconds: Int) async throws {
    server?.send(SIGSTOP)
    try await pause(milliseconds: seconds * 1000)
    server?.send(SIGCONT)
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
    server?.end(with: SIGKILL)
    let traced = try spawn(fault.tracer(&random))
    let began = await traced.ready(seconds: 20) != nil
    let before = ledger.acknowledged
    if began {
      for _ in 0..<25 where !traced.hasEnded { try await pause(milliseconds: 100) }
    }
    let went = ledger.acknowledged - before
    let end = traced.hasEnded ? "ended with \(traced.exitCode.map(String.init) ?? "a signal")" : "went on"
    traced.end(with: SIGKILL)
    try await serve()
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
    guard let server, !server.hasEnded else { throw TortureError("a full disk ended the server") }
    disk.empty()
    try await waitForProgress(beyond: before)
    try await audit()
    notes.append("disk full at revision \(ledger.highest), and written again without a restart")
  }

  // MARK: The end

  /// Stops the clients and the server, checks its files, and reads everything once more.
  func finish() async throws {
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    try await audit()
    server?.end(with: SIGTERM)
    let verify = Process()
    verify.executableURL = URL(fileURLWithPath: program)
    verify.arguments = ["verify", "--data", data, "--deep"]
    verify.standardOutput = FileHandle.nullDevice
    try verify.run()
    verify.waitUntilExit()
    guard verify.terminationStatus == 0 else { throw TortureError("verify --deep finds the files damaged") }
    try await serve()
    let again = LogAuditor(ledger)
    try await again.follow(address, through: auditor.next - 1)
    guard again.hashes == auditor.hashes else { throw TortureError("a commit is another than it once was") }
    server?.end(with: SIGTERM)
  }

  var slowestStart: UInt64 { starts.max() ?? 0 }

  var summary: String {
    let sorted = starts.sorted()
    let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    let figures = """
      \(killed) kills (\(killedStarting) of them of a start), \(ledger.acknowledged) commands acknowledged by \
      \(workers.count) clients, \(ledger.reads) reads, \(auditor.next - 1) revisions; \(starts.count) starts, median \
      \(median / 1000) ms, slowest \(slowestStart / 1000) ms; verify --deep ok
      """
    return ([figures] + notes.map { "  " + $0 }).joined(separator: "\n")
  }
}
