import ArgumentParser
import Glibc
import MusterClient
import MusterRendering

@main
struct ImportOpenB: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import-openb",
    abstract: "Replays the nodes and workloads of a production cluster against a server.",
    discussion: """
      Every node joins with its capacity, spread over 3 zones and 30 racks; every workload is a collection of one shard \
      with its demands as weights, created and deleted in the order of the trace. cpu and gpu are in thousandths, \
      memory is in bytes. What does not fit is refused with its witness and counted.

      An import that was interrupted goes on where it ended when it is run again.

      Example:
        muster serve --data /tmp/openb &
        import-openb --from ../shared/data/openb
        import-openb --from ../shared/data/openb --keep        # on another, empty cluster: fills it
      """)

  @Option(help: "HOST:PORT[,HOST:PORT…].") var server = "127.0.0.1:7400"
  @Option(help: "The directory with nodes.csv and pods.csv.") var from = "../shared/data/openb"
  @Flag(help: "Delete nothing: the cluster fills up.") var keep = false
  @Option(help: "The client's part of the request ids.") var session = "openb"
  @Option(help: "How long, in seconds, a server that does not answer is waited for.") var patience = 60

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    guard let servers = ServerList(server) else { throw ValidationError("\(server) is no list of HOST:PORT") }
    let replay = Replay(try Trace(directory: from), deletes: !keep)
    var importer = Importer(servers, session: session, patienceSeconds: patience)
    try await importer.run(replay) { done, all in
      if isatty(2) == 1, done % 100 == 0 || done == all { say("\r\(done) of \(all)\(done == all ? "\n" : "")") }
    }
    print(try await importer.report(on: replay).line)
  }

  private func say(_ text: String) {
    var copy = text
    _ = copy.withUTF8 { write(2, $0.baseAddress, $0.count) }
  }
}
