import ArgumentParser
import Glibc
import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import MusterRendering
import Synchronization

/// Set when the load shall end: signal handlers may do no more than this.
private let isOver = Atomic(false)

/// Writes to a collection of Redis shards as an application would, each write waited for, and afterwards looks whether
/// everything that was acknowledged is there.
@main
struct RedisLoad: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redis-load",
    abstract: "Writes to Redis shards with WAIT, then checks that nothing acknowledged is lost.",
    discussion: """
      Example: redis-load --collection orders --seconds 30
      SIGTERM ends the writing, and the checking begins. Exits 1 when anything is lost.
      """)
  @Option(help: "HOST:PORT[,HOST:PORT…] of the control plane.") var server = "127.0.0.1:7400"
  @Option(help: "The collection.") var collection: String
  @Option(help: "How long to write.") var seconds = 3600
  @Option(help: "How many replicas beside the leader must have a write: the collection's --min-in-sync less one.")
  var wait = 1
  @Option(help: "Milliseconds between the writes to a shard.") var pause = 2

  func run() async throws {
    guard let servers = ServerList(server) else { throw ValidationError("\(server) is no list of servers") }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGTERM) { _ in isOver.store(true, ordering: .relaxed) }
    let hello = Hello(principal: "redis-load", kind: .service, software: "redis-load")
    let router = Router(servers, hello: hello, collection: collection)
    let following = Task { try await router.run() }
    defer { following.cancel() }
    let shards = try await router.count()
    let end = ContinuousClock.now + .seconds(seconds)
    let writers = await withTaskGroup(of: ShardWriter.self) { group in
      for index in 0..<shards {
        group.addTask {
          var writer = ShardWriter(index, of: shards, router)
          while !isOver.load(ordering: .relaxed), ContinuousClock.now < end {
            await writer.write(acknowledgements: wait)
            try? await Task.sleep(for: .milliseconds(pause))
          }
          await writer.check()
          return writer
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let lost = writers.reduce(0) { $0 + $1.lost }
    report(writers.sorted { $0.index < $1.index }, lost)
    if lost > 0 { throw ExitCode(1) }
  }

  private func report(_ writers: [ShardWriter], _ lost: Int) {
    let document = JSON.members([
      "acknowledged": .number(UInt64(writers.reduce(0) { $0 + $1.acknowledged })),
      "refused": .number(UInt64(writers.reduce(0) { $0 + $1.refused })), "lost": .number(UInt64(lost)),
      "longestGapMilliseconds": .number(writers.map(\.longestGap).max() ?? 0),
      "shards": .list(
        writers.map {
          .members([
            "shard": .text("\(collection)/\($0.index)"), "acknowledged": .number(UInt64($0.acknowledged)),
            "longestGapMilliseconds": .number($0.longestGap), "lost": .number(UInt64($0.lost)),
          ])
        }),
    ])
    var line = ByteWriter()
    document.write(to: &line)
    print(String(decoding: line.array(), as: UTF8.self))
  }
}
