import ArgumentParser
import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import MusterRendering

struct WatchCommand: AsyncParsableCommand {
  enum Topic: String, ExpressibleByArgument, CaseIterable { case placement, members, config }

  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "A stream of changes as they happen, or from a revision on.",
    discussion: "Example: muster watch placement --from 1200")
  @Argument(help: "placement, members or config; without it everything.") var topic: Topic?
  @Option(help: "The first revision to show; without it what comes from now on.") var from: UInt64?
  @Option(help: "HOST:PORT[,HOST:PORT…] (default 127.0.0.1:7400, or MUSTER_SERVER).") var server: String?
  @Option(help: "jsonl (default), or table.") var output: OutputFormat = .jsonl

  func run() async throws {
    let topics: [Topic: WatchTopic] = [.placement: .placement, .members: .members, .config: .config]
    let request = WatchRequest(topic.flatMap { topics[$0] } ?? .everything, from: from)
    let client = try Connection(server).client
    var seen: UInt64?
    do {
      try await client.stream(.watch, request).forEach { element in
        if case .item(let bytes) = element {
          let item = try WatchItem(bytes: bytes)
          seen = item.revision
          show(item)
        }
        return true
      }
    } catch {
      var failure = ServerSource.harmless(error)
      if let seen { failure.message += "; go on with --from \(seen + 1)" }
      throw failure
    }
  }

  /// Marks without a commit say only how far everything was shown; people need not see them.
  private func show(_ item: WatchItem) {
    guard output != .table else {
      if let commit = item.commit { Terminal.out(LogPrinter.words(commit)) }
      return
    }
    let head: [JSON.Member] = [.init("timeline", .number(item.timeline)), .init("revision", .number(item.revision))]
    guard let commit = item.commit else {
      Terminal.out(JSON.object(head + [.init("mark", .flag(true))]).line + "\n")
      return
    }
    Terminal.out(JSON.object(head + commit.members.filter { $0.name != "revision" }).line + "\n")
  }
}
