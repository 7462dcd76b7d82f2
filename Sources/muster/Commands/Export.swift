import ArgumentParser
import Glibc
import MusterBytes
import MusterCluster
import MusterRendering

struct Export: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case jsonl, csv, cloudevents }

  static let configuration = CommandConfiguration(
    abstract: "The auditor's timeline, oldest first, into a file.",
    discussion: """
      Example: muster export --format jsonl --to timeline.jsonl --data /var/lib/muster
      An export that was interrupted goes on where it ended when it is run again with the same file.
      """)
  @Option(help: "jsonl: a line a commit; csv: a row an event; cloudevents: an envelope an event, each a line.")
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
    let file = try ExportFile(to, format, CloudEvents(clusterID: info.clusterID, timeline: info.timeline))
    if let last = file.lastRevision, last > 0 { request.from = .revision(last + 1) }
    var rows: UInt64 = 0
    if format == .csv && file.isEmpty { try file.append(CSV.heading) }
    // A resumed export may find that there is nothing left to say.
    if let last = file.lastRevision, last >= info.revision {
      report(0, file)
      return try await prove(source)
    }
    var progress = Progress("commits", total: 0)
    if format == .jsonl, let directory = source as? DataSource {
      try directory.lines(request) { lines, count in
        try file.append(lines.bytes)
        rows += UInt64(count)
        progress.show(rows)
      }
    } else {
      _ = try await source.log(request) { commit in
        try file.append(commit)
        rows += 1
        progress.show(rows)
      }
    }
    progress.end()
    try file.finish()
    report(rows, file)
    try await prove(source)
  }

  /// Puts the proof beside the export.
  private func prove(_ source: any Source) async throws {
    guard to != "-", !noProof, let rows = ExportedRows.Format(rawValue: format.rawValue) else { return }
    let problem = try await ExportProof.write(for: to, rows, from: source)
    Terminal.error(problem.map { "no proof: \($0)\n" } ?? "proof in \(ExportProof.path(of: to))\n")
  }

  private func report(_ rows: UInt64, _ file: ExportFile) {
    let resumed = file.lastRevision.map { ", resumed after revision \($0)" } ?? ""
    Terminal.error("exported \(rows) commits to \(to)\(resumed)\n")
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

import MusterProtocol

/// A file that an export is appended to. What an interruption left of the last commit is cut off, and written again.
final class ExportFile {
  private let descriptor: Int32
  private let format: Export.Format
  private let envelopes: CloudEvents
  private var pending = ByteWriter(capacity: 2 * bytesAtOnce)
  private static let bytesAtOnce = 1 << 16
  private(set) var lastRevision: UInt64?
  private(set) var isEmpty = true

  init(_ path: String, _ format: Export.Format, _ envelopes: CloudEvents) throws {
    self.format = format
    self.envelopes = envelopes
    guard path != "-" else {
      descriptor = 1
      return
    }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(.refused, "\(path): \(String(cString: strerror(errno)))") }
    try resume(path)
  }

  /// Finds the last whole line and the revision it is of.
  private func resume(_ path: String) throws {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size > 0 else { return }
    let start = max(0, size - (4 << 20))
    var tail = [UInt8](repeating: 0, count: size - start)
    guard pread(descriptor, &tail, tail.count, off_t(start)) == tail.count else {
      throw Failure(.refused, "\(path) cannot be read")
    }
    guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else { throw notOurs(path) }
    var keep = end + 1
    var lines = tail[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if start > 0 { lines.removeFirst() }
    guard let last = lines.last, let revision = revision(last) else { throw notOurs(path) }
    if format != .jsonl, revision > 0 {
      // Rows of the last commit may be missing: it is written again.
      for line in lines.reversed() where self.revision(line) == revision { keep -= line.count + 1 }
      lastRevision = revision - 1
    } else {
      lastRevision = revision
    }
    isEmpty = start + keep == 0
    guard ftruncate(descriptor, off_t(start + keep)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw Failure(.refused, "\(path): \(String(cString: strerror(errno)))")
    }
  }

  private func notOurs(_ path: String) -> Failure {
    Failure(.refused, "\(path) exists and is no export of this format; choose another file")
  }

  /// The revision that a line begins with; 0 for a heading.
  private func revision(_ line: ArraySlice<UInt8>) -> UInt64? {
    let text = String(decoding: line, as: UTF8.self)
    switch format {
    case .csv: return text.hasPrefix("revision,") ? 0 : UInt64(text.prefix { $0 != "," })
    case .cloudevents: return envelopes.revision(ofLine: text)
    case .jsonl:
      let mark = "{\"revision\":"
      guard text.hasPrefix(mark) else { return nil }
      return UInt64(text.dropFirst(mark.count).prefix { $0 != "," })
    }
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    pending.raw(bytes)
    if pending.count >= ExportFile.bytesAtOnce { try flush() }
  }

  func append(_ text: String) throws {
    pending.utf8(text)
    if pending.count >= ExportFile.bytesAtOnce { try flush() }
  }

  /// A commit in the form of the export.
  func append(_ commit: CommitReport) throws {
    switch format {
    case .cloudevents: try append(envelopes.lines(commit))
    case .csv: try append(CSV.rows(commit))
    case .jsonl:
      commit.json.write(to: &pending)
      try append("\n")
    }
  }

  private func flush() throws {
    var rest = pending.bytes
    while rest.count > 0 {
      let put = write(descriptor, rest.baseAddress, rest.count)
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        throw failure
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[put...])
    }
    pending.removeAll()
  }

  /// Says why, and that nothing is lost: what was written is gone on from.
  private var failure: Failure {
    Failure(
      .refused,
      "the export cannot be written: \(String(cString: strerror(errno))); the same command goes on from what is there")
  }

  func finish() throws {
    try flush()
    guard descriptor == 1 || fsync(descriptor) == 0 else {
      throw failure
    }
  }
}
