import ArgumentParser
import Foundation
import MusterWorkload

/// Kills a real server again and again under real clients, and compares its log with what they were told.
@main struct TortureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "torture",
    abstract: "Kills, stops and starves a real `muster serve` under load, and checks that it never lies.",
    discussion: "Example: Tools/torture --seconds 600")
  @Option(help: "How long the server is killed again and again.") var seconds = 60
  @Option(help: "Clients that write at once.") var clients = 8
  @Option(help: "What a client waits between two commands, in milliseconds.") var pause: UInt64 = 0
  @Option(help: "How many faults are injected, each kind in turn; 0 for none.") var faults = Fault.all.count
  @Option(help: "How long the server is held by SIGSTOP, in seconds; 0 for not at all.") var stopSeconds = 5
  @Option(help: "Megabytes of a disk that fills and empties; 0 for none.") var diskMegabytes = 96
  @Option(
    help: "How long clients that share keys are compared with one copy used by one after the other; 0 for not at all.")
  var consistencySeconds = 20
  @Option(help: "How long the server's clocks jump and drift while it is killed; 0 for not at all.")
  var clockSeconds = 20
  @Option(help: "A start may take so many milliseconds; 0 for any.") var restartLimit = 2000
  @Option(help: "Which random moments.") var seed = UInt64.random(in: 0..<1_000_000)
  @Option(help: "The program.") var muster = TortureCommand.beside("muster")

  private static func beside(_ name: String) -> String {
    let own = CommandLine.arguments[0]
    return own.contains("/") ? String(own[..<(own.lastIndex(of: "/") ?? own.endIndex)]) + "/" + name : name
  }

  func run() async throws {
    print("torture --seed \(seed) --seconds \(seconds) --clients \(clients)")
    let directory = NSTemporaryDirectory() + "/torture-\(getpid())"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    do {
      try await kills(directory)
      try await consistency(directory)
      try await clocks(directory)
      try await fullDisk(directory)
    } catch {
      print("BROKEN: \(error)\nthe directory is kept: \(directory)")
      throw ExitCode(1)
    }
    try? FileManager.default.removeItem(atPath: directory)
    print("Zero lost, zero duplicated, zero reordered.")
  }

  private func kills(_ directory: String) async throws {
    let rack = try Rack(
      muster, directory + "/kills", data: directory + "/kills/data", clients: clients, pause: pause, seed: seed)
    try await rack.start()
    try await rack.killAgainAndAgain(seconds: seconds)
    if stopSeconds > 0 { try await rack.stopAndContinue(seconds: stopSeconds) }
    if faults > 0 {
      if Fault.isPossible() {
        var random = SeededGenerator(seed: seed)
        let kinds = Fault.all.shuffled(using: &random)
        for number in 0..<faults { try await rack.inject(kinds[number % kinds.count]) }
      } else {
        print("SKIPPED: injected faults: strace is not installed or may not trace here")
      }
    }
    try await rack.finish()
    try report(rack.summary, rack.slowestStart)
  }

  private func consistency(_ directory: String) async throws {
    guard consistencySeconds > 0 else { return }
    let round = try ConsistencyRound(muster, directory + "/shared", clients: clients, seed: seed ^ 2)
    try await round.run(seconds: consistencySeconds)
    try report(round.summary, round.slowestStart)
  }

  private func clocks(_ directory: String) async throws {
    guard clockSeconds > 0 else { return }
    let environment = ["LD_PRELOAD=\(TortureCommand.beside("libSkewedClock.so"))", "MUSTER_SKEW_SEED=\(seed + 1)"]
    let rack = try Rack(
      muster, directory + "/clocks", data: directory + "/clocks/data", clients: clients, pause: pause, seed: seed ^ 3,
      environment: environment)
    try await rack.start()
    try await rack.killAgainAndAgain(seconds: (clockSeconds + 1) / 2)
    try await rack.watchClocks(seconds: clockSeconds / 2)
    try await rack.finish()
    try report(rack.summary, rack.slowestStart)
  }

  private func fullDisk(_ directory: String) async throws {
    guard diskMegabytes > 0 else { return }
    guard let disk = SmallDisk(directory + "/disk", megabytes: diskMegabytes) else {
      return print("SKIPPED: the disk that fills: nothing may be mounted here")
    }
    let rack = try Rack(
      muster, directory + "/full", data: disk.path + "/data", clients: clients, pause: pause, seed: seed ^ 1)
    try await rack.start()
    for _ in 0..<2 { try await rack.fillAndEmpty(disk) }
    try await rack.finish()
    try report(rack.summary, rack.slowestStart)
  }

  private func report(_ summary: String, _ slowestStart: UInt64) throws {
    print(summary)
    if restartLimit > 0, slowestStart > UInt64(restartLimit) * 1000 {
      throw TortureError("a start took \(slowestStart / 1000) ms, and may take \(restartLimit)")
    }
  }
}
