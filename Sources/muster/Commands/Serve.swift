import ArgumentParser
import Dispatch
import Glibc
import MusterConsole
import MusterDisk
import MusterKernel
import MusterLog
import MusterRendering
import MusterServer
import MusterVault
import NIOCore
import NIOPosix

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The control plane. Creates the directory only when it is absent or empty.",
    discussion: "Example: muster serve --data /var/lib/muster --listen 127.0.0.1:7400")
  @Option(help: "The data directory.") var data: String
  @Option(help: "Where clients connect; loopback only.") var listen = "127.0.0.1:7400"
  @Option(help: "Where /metrics, /healthz and /readyz are; loopback only; none for none.") var http = "127.0.0.1:7401"
  @Option(help: "Start only if the directory is of this cluster.") var expectCluster: String?
  @Option(help: "Where the keys of sensitive values are kept (default DATA/keys).") var keys: String?
  @Option(help: "The file of the key that checkpoints are signed with; made when absent. Without it: in the directory.")
  var signingKey: String?
  @Option(help: "A file elsewhere for a copy of the newest checkpoint, so that a rollback of the directory is noticed.")
  var checkpointCopy: String?
  @Option(help: "How often a checkpoint is signed when something changed: 60s; 0s for only when one is asked for.")
  var checkpointEvery = "60s"
  @Option(help: "A file of `name = value` lines for these options; the command line wins.") var config: String?

  func run() async throws {
    let settings = try ServeSettings(self)
    let address = try parsed(settings.listen)
    let console = settings.http == "none" ? nil : try parsed(settings.http)
    let journal = try Startup.open(data, expected: expectCluster)
    report(journal.recovery)
    let kernel = try Startup.kernel(journal, version: Connection.software)
    let vault = try FileVault(FileStorage(root: keys ?? data + "/keys"))
    let auditor = try Auditor(journal, auditing)
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let running = try await RunningServer.start(journal, kernel, vault, auditor, on: loop, address, console)
    Terminal.error("ready revision=\(journal.lastRevision) listen=\(address.host):\(running.port)\n")
    await Signals.wait()
    try await running.stop()
  }

  func validate() throws {
    guard Quantity.parseDuration(checkpointEvery) != nil else {
      throw ValidationError("--checkpoint-every is a duration such as 60s or 5m, not \"\(checkpointEvery)\"")
    }
  }

  private var auditing: AuditSettings {
    var settings = AuditSettings()
    settings.signingKey = signingKey
    settings.checkpointCopy = checkpointCopy
    settings.intervalSeconds = Int64(clamping: (Quantity.parseDuration(checkpointEvery) ?? 0) / 1_000_000)
    return settings
  }

  private func parsed(_ text: String) throws -> ListenAddress {
    do throws(ServerError) { return try ListenAddress(text) } catch { throw Failure.usage("\(error)") }
  }

  /// Says what a crash left behind, if it did.
  private func report(_ plan: RecoveryPlan) {
    if plan.tornBytes > 0 {
      Terminal.error("recovered: a write of \(plan.tornBytes) bytes was cut short and is kept in \(data)/broken\n")
    }
  }
}

/// The options of `serve` with those of its file beneath them.
struct ServeSettings {
  var listen: String
  var http: String

  init(_ command: Serve) throws {
    listen = command.listen
    http = command.http
    guard let path = command.config else { return }
    let text = String(decoding: try ConfigText.read(path), as: UTF8.self)
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split(separator: "=", maxSplits: 1).map {
        $0.filter { $0 != " " && $0 != "\t" }
      }
      if words.isEmpty || words == [""] { continue }
      guard words.count == 2, words[0] == "listen" || words[0] == "http" else {
        throw Failure.usage("\(path), line \(number + 1): `listen = HOST:PORT` or `http = HOST:PORT`")
      }
      if words[0] == "listen", command.listen == "127.0.0.1:7400" { listen = words[1] }
      if words[0] == "http", command.http == "127.0.0.1:7401" { http = words[1] }
    }
  }
}

/// Waits for the signals that end a process in order.
enum Signals {
  static func wait() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let queue = DispatchQueue(label: "signals")
      let once = Once(continuation)
      for number in [SIGTERM, SIGINT] {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { once.resume() }
        source.resume()
        once.keep(source)
      }
    }
  }

  /// Used only on the signals' queue, after it was set up.
  private final class Once: @unchecked Sendable {
    private var continuation: CheckedContinuation<Void, Never>?
    private var sources: [any DispatchSourceSignal] = []

    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

    func keep(_ source: any DispatchSourceSignal) { sources.append(source) }

    func resume() {
      continuation?.resume()
      continuation = nil
    }
  }
}
