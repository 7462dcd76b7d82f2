import ArgumentParser
import MusterBytes
import MusterCluster
import MusterProtocol
import MusterRendering

struct Export: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv, cloudevents, sqlite }

  static let configuration = CommandConfiguration(
    abstract: "The auditor's timeline, oldest first, into a file.",
    discussion: """
      Example: muster export --format jsonl --to timeline.jsonl --data /var/lib/muster
               muster export --format sqlite --to timeline.db && sqlite3 timeline.db 'SELECT * FROM who'
      An export that was interrupted goes on where it ended when it is run again with the same file.
      """)
  @Option(
    help:
      "jsonl: a line a commit; csv: a row an event; cloudevents: an envelope an event, each a line; sqlite: tables and views."
  )
  var format: Format
  @Option(help: "The file, or - for standard output.") var to: String
  @Flag(help: "Do not make the proof beside it, FILE.proof.") var noProof = false
  @OptionGroup var filter: ExportFilter
  @OptionGroup var place: PlaceOptions

  func run() async throws {
    var request = try filter.request()
    request.isOldestFirst = true
    let source = try place.source()
    let info = try await source.info()
    let identity = ExportIdentity(
      clusterID: info.clusterID, timeline: info.timeline, format: format.rawValue, filter: request.filter)
    let envelopes = CloudEvents(clusterID: info.clusterID, timeline: info.timeline)
    let sink: any ExportSink =
      format == .sqlite ? try SQLiteExport(to, identity) : try ExportFile(to, format, envelopes, identity)
    if let last = sink.lastRevision, last > 0 { request.from = .revision(last + 1) }
    var rows: UInt64 = 0
    // A resumed export may find that there is nothing left to say.
    if sink.lastRevision ?? 0 < info.revision {
      var progress = Progress("commits", total: 0)
      try await fill(sink, request, source) { count in
        rows += count
        progress.show(rows)
      }
      progress.end()
    }
    try sink.finish()
    let resumed = sink.lastRevision.map { ", resumed after revision \($0)" } ?? ""
    Terminal.error("exported \(rows) commits to \(to)\(resumed)\n")
    try await prove(source, identity, envelopes)
  }

  /// - Parameter done: called with how many commits were added.
  private func fill(
    _ sink: any ExportSink, _ request: LogRequest, _ source: any Source, _ done: (UInt64) -> Void
  ) async throws {
    // The stored bytes become lines without detours.
    if format == .jsonl, let directory = source as? DataSource, let file = sink as? ExportFile {
      try directory.lines(request) { lines, count in
        try file.append(lines.bytes)
        done(UInt64(count))
      }
    } else {
      _ = try await source.log(request) { commit in
        try sink.append(commit)
        done(1)
      }
    }
  }

  /// Puts the proof beside the export.
  private func prove(_ source: any Source, _ identity: ExportIdentity, _ envelopes: CloudEvents) async throws {
    guard to != "-", !noProof else { return }
    let problem = try await ExportProof.write(for: to, format, identity, envelopes, from: source)
    Terminal.error(problem.map { "no proof: \($0)\n" } ?? "proof in \(ExportProof.path(of: to))\n")
  }
}

/// The filters of `log`, without its `--to`, which here names the file.
struct ExportFilter: ParsableArguments {
  @Option(help: "From this moment on: a revision, a time, or \"10m ago\".") var from: String?
  @Option(help: "Up to this moment; --at says the same.") var until: String?
  @Option(help: "Up to this moment.") var at: String?
  @Option(help: "Only what speaks of this node.") var node: String = ""
  @Option(help: "Only what speaks of this shard (C/17).") var shard: String = ""
  @Option(help: "Only what speaks of this collection.") var collection: String = ""
  @Option(help: "Only what speaks of this configuration key.") var config: String = ""
  @Option(help: "Only what this principal did.") var principal: String = ""
  @Option(help: "Only with an event of this type.") var type: String = ""
  @Option(help: "Only what this tenant did, or what is its own.") var tenant: String = ""

  func request() throws -> LogRequest {
    var filter = FilterOptions()
    filter.from = from
    guard until == nil || at == nil else { throw Failure.usage("--until and --at say the same: give one of them") }
    filter.to = until ?? at
    filter.node = node
    filter.shard = shard
    filter.collection = collection
    filter.config = config
    filter.principal = principal
    filter.type = type
    filter.tenant = tenant
    return try filter.request()
  }
}
