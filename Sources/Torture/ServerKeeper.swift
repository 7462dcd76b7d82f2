import Foundation

/// Starts a server on a directory, again and again, and remembers how long that took.
final class ServerKeeper {
  let address: String
  private let program: String
  private let data: String
  private let messages: String
  private let environment: [String]
  private(set) var server: ServerProcess?
  private(set) var starts: [UInt64] = []

  /// Longer than a start takes on the slowest machine.
  private static let startSecondsMax = 120

  /// - Parameters:
  ///   - directory: where what the server says is kept; `data` is its own.
  ///   - environment: `NAME=VALUE` for the server, besides our own.
  init(_ program: String, _ directory: String, data: String, environment: [String] = []) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    self.program = program
    self.data = data
    self.environment = environment
    messages = directory + "/messages"
    address = "127.0.0.1:\(try ServerKeeper.freePort())"
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

  func spawn(_ tracer: [String] = []) throws -> ServerProcess {
    let started = try ServerProcess(
      program, ["serve", "--data", data, "--listen", address, "--http", "none"], tracer: tracer,
      environment: environment, messages: messages)
    server = started
    return started
  }

  /// Starts it with nothing in its way, and waits until it serves.
  func serve() async throws {
    let started = try spawn()
    guard let took = await started.ready(seconds: ServerKeeper.startSecondsMax) else {
      throw TortureError("the server does not start: \(started.said)")
    }
    starts.append(took)
  }

  /// No server is left behind, however a round ends.
  deinit { server?.end(with: SIGKILL) }

  func end(with signal: Int32) { server?.end(with: signal) }

  func verifyDeep() throws {
    let verify = Process()
    verify.executableURL = URL(fileURLWithPath: program)
    verify.arguments = ["verify", "--data", data, "--deep"]
    verify.standardOutput = FileHandle.nullDevice
    try verify.run()
    verify.waitUntilExit()
    guard verify.terminationStatus == 0 else { throw TortureError("verify --deep finds the files damaged") }
  }

  var slowestStart: UInt64 { starts.max() ?? 0 }

  /// `12 starts, median 80 ms, slowest 210 ms`
  var summary: String {
    let sorted = starts.sorted()
    let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    return "\(starts.count) starts, median \(median / 1000) ms, slowest \(slowestStart / 1000) ms"
  }
}
