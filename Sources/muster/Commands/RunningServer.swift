import Glibc
import MusterCluster
import MusterConsole
import MusterDisk
import MusterKernel
import MusterLog
import MusterServer
import NIOCore
import NIOPosix

/// A server that listens, and its console.
struct RunningServer {
  let server: NIOLoopBound<Server>
  let port: Int

  static func start(
    _ journal: Journal, _ kernel: Kernel, _ vault: any Vault, _ auditor: Auditor, on loop: any EventLoop,
    _ address: ListenAddress, _ console: ListenAddress?
  ) async throws -> RunningServer {
    let box = Handover(kernel)
    let server = try await loop.submit {
      let server = Server(journal, box.take(), auditor, on: loop)
      server.onFailure = fail
      try server.keep(vault)
      return NIOLoopBound(server, eventLoop: loop)
    }.get()
    do {
      let port = try await loop.flatSubmit { server.value.start(address) }.get()
      if let console { try await startConsole(server, loop, console) }
      return RunningServer(server: server, port: port)
    } catch {
      throw Failure(.refused, "cannot listen on \(address.host):\(address.port): \(error)")
    }
  }

  /// A sync that failed is final: what is on disk is unknown until the next start looks.
  private static func fail(_ error: LogError) {
    Terminal.error("muster: the log cannot be written any more: \(error)\n")
    exit(1)
  }

  private static func startConsole(
    _ server: NIOLoopBound<Server>, _ loop: any EventLoop, _ address: ListenAddress
  ) async throws {
    try await loop.flatSubmit {
      let pages = ConsolePages(
        metrics: { server.value.metrics() }, healthy: { (true, "ok\n") },
        ready: {
          let problem = server.value.kernel.readOnlyBecause
          return problem.isEmpty ? (true, "ready\n") : (false, "read-only: \(problem)\n")
        })
      return Console.start(host: address.host, port: address.port, on: loop, pages).map { _ in }
    }.get()
  }

  func stop() async throws {
    let loop = server
    try await loop.eventLoop.submit { try loop.value.stop() }.get()
  }
}

/// Hands something over to another thread once.
private final class Handover<Value>: @unchecked Sendable {
  private let value: Value
  init(_ value: Value) { self.value = value }
  func take() -> Value { value }
}
