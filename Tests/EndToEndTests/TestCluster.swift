import Foundation
import Testing

/// A server on a free port of its own with a data directory of its own, and agents.
final class TestCluster {
  let directory: TemporaryDirectory
  private(set) var server: Running
  private(set) var address: String
  private var agents: [String: Running] = [:]

  var data: String { directory.path("data") }

  init() async throws {
    directory = try TemporaryDirectory()
    (server, address) = try #require(try await TestCluster.start(directory.path("data"), listen: "127.0.0.1:0"))
  }

  /// - Returns: nil when somebody else has the port.
  private static func start(_ data: String, listen: String) async throws -> (Running, String)? {
    let server = try Running(.muster, ["serve", "--data", data, "--listen", listen, "--http", "none"])
    try await eventually("the server to be ready") {
      if server.code != nil, server.error.contains("Address already in use") { return true }
      try #require(server.code == nil, "the server ended: \(server.error)")
      return server.error.contains("ready revision=")
    }
    guard server.code == nil else { return nil }
    let address = server.error.split(whereSeparator: \.isWhitespace).last { $0.hasPrefix("listen=") }
    return (server, String(try #require(address).dropFirst("listen=".count)))
  }

  /// The server dies as in a power cut, as far as its process goes.
  func kill() { server.finish(with: SIGKILL) }

  /// The server ends in order.
  func stop() { server.finish(with: SIGTERM) }

  /// A new server on the same files and the same port.
  func restart() async throws {
    // The system may have given the port to an outgoing connection meanwhile.
    try await eventually("the port to be free") {
      guard let started = try await TestCluster.start(data, listen: address) else { return false }
      (server, address) = started
      return true
    }
  }

  /// - Parameters:
  ///   - wrapper: a program, by its path, and its arguments, which become the agent.
  ///   - environment: of the agent.
  func startAgent(
    _ name: String, domain: String, _ more: [String] = [], wrapper: [String] = [], environment: [String: String] = [:]
  ) throws {
    let agent = ["agent", "--name", name, "--server", address, "--domain", domain] + more
    let words = wrapper + [Program.muster.path] + agent
    agents[name] = try Running(path: words[0], Array(words.dropFirst()), environment: environment)
  }

  func killAgent(_ name: String) { agents.removeValue(forKey: name)?.finish(with: SIGKILL) }

  func agent(_ name: String) -> Running? { agents[name] }

  /// Three nodes in three zones.
  func startAgents() async throws {
    for (name, zone) in [("n1", "a"), ("n2", "b"), ("n3", "c")] {
      try startAgent(name, domain: "eu/\(zone)/r1", ["--capacity", "disk=100GiB,cpu=8", "--label", "disk=ssd"])
    }
    try await eventually("three nodes") { try await json("status")["nodes"]["up"].number == 3 }
  }

  /// Flips a bit in the middle of the first frames of the live segment; returns the file's name.
  func flipBit() throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: data + "/log")
    let name = try #require(names.first { $0.hasSuffix(".live") })
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: data + "/log/" + name))
    try file.seek(toOffset: 8192 + 140)
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: 8192 + 140)
    try file.write(contentsOf: Data([byte ^ 0x10]))
    try file.close()
    return name
  }

  /// Runs a command of the command line against the server.
  func muster(_ arguments: String...) async throws -> Finished {
    try await run(.muster, arguments, environment: ["MUSTER_SERVER": address])
  }

  /// The document that a command prints; it must succeed.
  func json(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws -> Document {
    let finished = try await run(.muster, arguments, environment: ["MUSTER_SERVER": address])
    try #require(finished.code == 0, "\(arguments): \(finished.error)", sourceLocation: location)
    return try finished.document(location)
  }
}

/// Tests of whole programs. One after the other: each starts processes of its own.
@Suite(.serialized) struct EndToEnd {}
