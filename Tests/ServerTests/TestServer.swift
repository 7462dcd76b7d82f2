import Glibc
import MusterClient
import MusterCluster
import MusterDisk
import MusterKernel
import MusterProtocol
import MusterServer
import NIOCore
import NIOPosix
import Synchronization

/// A real server in this process, on a port and a directory of its own.
final class TestServer: Sendable {
  let port: Int
  let directory: String
  private let loop: any EventLoop
  private let server: NIOLoopBound<Server>
  private let diverged: Divergence

  /// What the server that is tested said of itself when it found that what it shows is not what the log leads to.
  private final class Divergence: Sendable {
    private let first = Mutex<(problem: String, metrics: String)?>(nil)

    var value: (problem: String, metrics: String)? { first.withLock { $0 } }

    func note(_ problem: String, _ metrics: String) { first.withLock { $0 = $0 ?? (problem, metrics) } }
  }

  /// - Parameters:
  ///   - directory: of a server that was stopped; nil for a new one.
  ///   - port: 0 for any.
  ///   - makeKernel: makes the kernel from the log.
  static func start(
    _ directory: String? = nil, port: Int = 0,
    _ makeKernel: (Journal) throws -> Kernel = { try Startup.kernel($0, version: "muster test") }
  ) async throws -> TestServer {
    let directory = directory ?? newDirectory()
    let journal = try Startup.open(directory, expected: nil)
    let kernel = Sealed(try makeKernel(journal))
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let auditor = try Auditor(journal)
    let diverged = Divergence()
    // Before it starts: the first pass may be over before anything else is asked of it.
    let server = try await loop.submit {
      let server = Server(journal, kernel.value, auditor, on: loop)
      server.onDivergence = { [unowned server] in diverged.note($0, server.metrics()) }
      return NIOLoopBound(server, eventLoop: loop)
    }.get()
    let address = try ListenAddress("127.0.0.1:\(port)")
    let bound = try await loop.flatSubmit { server.value.start(address) }.get()
    return TestServer(bound, directory, loop, server, diverged)
  }

  /// A port that no outgoing connection is given by the system meanwhile: for a server that comes back to it.
  static func lastingPort() -> Int {
    for _ in 0..<200 {
      let port = Int.random(in: 20_000..<32_000)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let isFree = withUnsafeBytes(of: &address) { raw in
        bind(descriptor, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) == 0
      }
      if isFree { return port }
    }
    return 0
  }

  /// Why the server would have stopped serving: what it shows is not what the log leads to.
  var divergence: String? { diverged.value?.problem }

  /// What the server counted by then.
  var metricsAtDivergence: String { diverged.value?.metrics ?? "" }

  func metrics() async throws -> String { try await loop.submit { self.server.value.metrics() }.get() }

  private init(
    _ port: Int, _ directory: String, _ loop: any EventLoop, _ server: NIOLoopBound<Server>, _ diverged: Divergence
  ) {
    self.diverged = diverged
    self.port = port
    self.directory = directory
    self.loop = loop
    self.server = server
  }

  func stop() async throws { try await loop.submit { try self.server.value.stop() }.get() }

  /// Stops, and forgets everything.
  func end() async throws {
    try await stop()
    removeTree(String(directory.dropLast("/data".count)))
  }

  var connectionCount: Int {
    get async throws { try await loop.submit { self.server.value.connectionCount }.get() }
  }

  func client() -> Client { Client(ServerList("127.0.0.1:\(port)")!, hello: testHello) }
}

let testHello = Hello(principal: "ada", kind: .person, software: "test")

/// Hands the kernel to the loop that owns it from then on.
private struct Sealed<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

func newDirectory() -> String {
  var template = Array("/tmp/muster-server-tests.XXXXXX".utf8CString)
  guard let made = mkdtemp(&template) else { preconditionFailure("no directory can be made in /tmp") }
  return String(cString: made) + "/data"
}

/// Removes a directory and everything in it.
private func removeTree(_ path: String) {
  if let directory = opendir(path) {
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != "." && name != ".." { removeTree("\(path)/\(name)") }
    }
    closedir(directory)
  }
  remove(path)
}

/// A command that makes one commit.
func setConfig(_ key: String, _ value: [UInt8], sequence: UInt64 = 0) -> Request {
  Request(
    .setConfig(SetConfig(key: key, scope: ScopeName(), value: .bytes(value))), client: sequence == 0 ? "" : "test",
    sequence: sequence)
}
