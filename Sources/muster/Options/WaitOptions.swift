import ArgumentParser
import MusterRendering
import MusterServer

/// What a command takes whose effect needs time after the commit.
struct WaitOptions: ParsableArguments {
  private static let pauseMillisecondsMax: UInt64 = 1000

  @Flag(help: "Come back only when it is done.")
  var wait = false

  @Option(help: "How long to wait at most: 30s, 5m, 1h30m.")
  var timeout = "5m"

  func validate() throws {
    guard Quantity.parseDuration(timeout) != nil else {
      throw ValidationError("--timeout is a duration such as 30s, 5m or 1h30m, not \"\(timeout)\"")
    }
  }

  /// Looks again and again until nothing is missing. A server that restarts meanwhile is waited for, too.
  ///
  /// - Parameter missing: what is not done yet, or nil when all is.
  func until(_ source: any Source, _ missing: (any Source) async throws -> String?) async throws {
    guard wait else { return }
    let deadline = Clock.microseconds() + (Quantity.parseDuration(timeout) ?? 0)
    var pause: UInt64 = 20
    while let problem = try await look(source, missing) {
      guard Clock.microseconds() < deadline else {
        throw Failure(.refused, "not done after \(timeout): \(problem); it was accepted, and may go on")
      }
      try await Task.sleep(for: .milliseconds(pause))
      pause = min(pause * 2, WaitOptions.pauseMillisecondsMax)
    }
  }

  private func look(_ source: any Source, _ missing: (any Source) async throws -> String?) async throws -> String? {
    do {
      return try await missing(source)
    } catch let failure as Failure where failure.code == .notReachable {
      return failure.message
    }
  }
}
