import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures a server, or a data directory, and verifies what comes back.",
    discussion: "Example: muster bench append --clients 64 --seconds 10 --output json",
    subcommands: [Append.self, Read.self, Heartbeat.self, Watch.self, Replay.self, AsOf.self, Generate.self])

  /// Prints a result: its fields, a line each, or as one document.
  static func show(_ members: [JSON.Member], _ output: OutputOptions) {
    if output.format == .table {
      Terminal.out(Details.text(members.filter { $0.name != "schema" }))
    } else {
      Terminal.out(JSON.object(members).line + "\n")
    }
  }
}

extension Measurement {
  /// Prints what was measured; what came back wrong makes the command fail.
  func show(_ operation: String, _ load: LoadOptions, elapsed: UInt64, _ more: [JSON.Member] = []) throws {
    Bench.show(members(operation, clients: load.clients, elapsed: elapsed, more), load.output)
    if let firstError { throw Failure(.refused, "\(errors) operations failed; the first: \(firstError)") }
  }
}

extension LoadOptions {
  /// - Throws: when so many values do not fit a commit, or are not one batch.
  func validateCommands() throws {
    guard (1...100).contains(eventsPerCommand), eventsPerCommand * (valueBytes + 64) < Limits.commitBytes else {
      throw ValidationError("1 to 100 events with values that fit a commit of \(Limits.commitBytes) bytes")
    }
  }
}

/// How much load, for how long.
struct LoadOptions: ParsableArguments {
  @Option(help: "HOST:PORT (default 127.0.0.1:7400, or MUSTER_SERVER).") var server: String?
  @Option(help: "Clients that ask at the same time.") var clients = 1
  @Option(help: "Connections that they share; without it one each.") var connections: Int?
  @Option(help: "Requests that each client has in flight.") var pipeline = 1
  @Option(help: "Events in each command (of heartbeat: nodes in each request).") var eventsPerCommand = 1
  @Option(help: "Bytes in each value that is written or read.") var valueBytes = 256
  @Option(help: "How long, in seconds, up to 600.") var seconds = 5
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...4000).contains(clients), (1...600).contains(seconds), (1...1024).contains(pipeline),
      (1...clients).contains(connections ?? clients)
    else { throw ValidationError("1 to 4000 clients, no more connections than clients, 1 to 600 seconds") }
    guard (1...40_000).contains(valueBytes), (1...HeartbeatRequest.beatsMax).contains(eventsPerCommand) else {
      throw ValidationError("values of 1 to 40,000 bytes, 1 to \(HeartbeatRequest.beatsMax) events in a command")
    }
  }
}
