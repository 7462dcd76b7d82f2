internal import MusterBytes

import ArgumentParser
import MusterDisk
import MusterLog
import MusterRendering

struct Inspect: AsyncParsableCommand {
  enum What: String, ExpressibleByArgument, CaseIterable { case segments, blocks, snapshots, recovery }

  static let configuration = CommandConfiguration(
    abstract: "Decodes the files of a data directory for a person.",
    discussion: "Example: muster inspect --data /var/lib/muster recovery")
  @Argument(help: "segments, blocks, snapshots or recovery.") var what: What = .segments
  @Option(help: "The data directory; it is only read.") var data: String
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let directory = try DataDirectory(data)
    let log = try directory.log()
    let head = DocumentHead(
      schema: "inspect-\(what.rawValue)", timeline: directory.identity.timeline,
      revision: directory.lastRevision(log), time: log.lastTime)
    switch what {
    case .segments: segments(log, head)
    case .blocks: try blocks(log, head)
    case .snapshots: try snapshots(directory.snapshots, head)
    case .recovery: try recovery(log, head)
    }
  }

  private func show(_ head: DocumentHead, _ plural: String, _ rows: [[JSON.Member]]) {
    output.show(head, plural, rows) {
      guard let first = rows.first else { return "none\n" }
      var table = Table(first.map { $0.name.uppercased() })
      for row in rows { table.add(row.map { Inspect.cell($0.value) }) }
      return table.text
    }
  }

  private static func cell(_ value: JSON) -> String {
    if case .text(let text) = value { text } else { value.line }
  }

  private func segments(_ log: LogReader, _ head: DocumentHead) {
    show(
      head, "segments",
      log.segments.map { segment in
        [
          .init("file", .text(segment.name.path)), .init("form", .text(segment.name.isSealed ? "sealed" : "live")),
          .init("first", .number(segment.name.first)), .init("last", .number(segment.lastRevision)),
          .init("blocks", .number(segment.units.reduce(0) { $0 + UInt64($1.blockCount) })),
          .init("bytes", .number(UInt64(segment.fileBytes))),
          .init("stored", .number(UInt64(segment.units.reduce(0) { $0 + $1.storedBytes }))),
        ]
      })
  }

  private func blocks(_ log: LogReader, _ head: DocumentHead) throws {
    var rows: [[JSON.Member]] = []
    for unit in log.units(from: 1, through: log.lastRevision) {
      _ = try log.forEachBlock(in: unit) { block in
        let header = block.header
        rows.append([
          .init("first", .number(header.firstRevision)), .init("last", .number(header.lastRevision)),
          .init("events", .number(UInt64(header.eventCount))), .init("time", .text(Timestamp.format(header.time))),
          .init("term", .number(header.origin.term)), .init("run", .number(header.origin.run)),
          .init("digest", .text(header.digest.hex)), .init("file", .text(unit.segment.path)),
          .init("offset", .number(UInt64(unit.offset))),
        ])
        return true
      }
    }
    show(head, "blocks", rows)
  }

  private func snapshots(_ store: SnapshotStore, _ head: DocumentHead) throws {
    var rows: [[JSON.Member]] = []
    for name in try store.list() {
      let manifest = try store.manifest(name)
      rows.append([
        .init("file", .text(name.path)), .init("kind", .text(name.isBase ? "base" : "delta")),
        .init("of", .number(manifest.revision)), .init("parent", .optional(manifest.parent)),
        .init("pages", .number(manifest.pageCount)), .init("bytes", .number(UInt64(try store.size(name)))),
        .init("digest", .text(manifest.digest.hex)),
      ])
    }
    show(head, "snapshots", rows)
  }

  private func recovery(_ log: LogReader, _ head: DocumentHead) throws {
    let plan = try RecoveryPlan.make(log)
    let members: [JSON.Member] = [
      .init("lastRevision", .number(plan.lastRevision)), .init("confirmed", .number(plan.confirmedThrough)),
      .init("run", .number(plan.lastRun)), .init("tornBytes", .number(UInt64(plan.tornBytes))),
      .init("actions", .list(plan.actions.map { .text(Inspect.words($0)) })),
    ]
    output.show(head, members) { Details.text(members) }
  }

  private static func words(_ action: RecoveryAction) -> String {
    switch action {
    case .remove(let path) where path == Layout.spare:
      "remove \(path): space made ready ahead of use, which is made ready anew"
    case .remove(let path): "remove \(path), which a crash left behind"
    case .keepAside(let file, let offset, let bytes, let copy):
      "copy \(bytes) bytes of \(file) at \(offset), begun and never acknowledged, to \(copy)"
    case .clear(let file, let offset, let bytes): "clear \(bytes) bytes of \(file) at \(offset)"
    case .rewrite(let file, let offset, let bytes): "write \(bytes) bytes of \(file) at \(offset) again, and sync them"
    case .extend(let file, let from, let to): "give \(file) its zeros back, from \(from) to \(to)"
    }
  }
}
