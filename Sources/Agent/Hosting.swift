internal import NIOPosix
package import MusterHosting

/// What keeps the data of an agent's replicas, and how it is cared for.
package struct Hosting: Sendable {
  package var host: any ShardHost
  /// How often a replica's checksum is made; nil for never.
  package var checksums: Duration?
  /// Told the cluster that the agent is about to join: data of another one must not be touched.
  package var bind: @Sendable (String) throws -> Void

  package init(
    _ host: any ShardHost, checksums: Duration? = nil, bind: @escaping @Sendable (String) throws -> Void = { _ in }
  ) {
    self.host = host
    self.checksums = checksums
    self.bind = bind
  }
}

/// Threads for what hosts do. They may block: heartbeats are not on these.
final class HostExecutor: TaskExecutor {
  private static let threads = 16
  private let pool = NIOThreadPool(numberOfThreads: HostExecutor.threads)

  init() { pool.start() }

  deinit { pool.shutdownGracefully { _ in } }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    pool.submit { [self] _ in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
