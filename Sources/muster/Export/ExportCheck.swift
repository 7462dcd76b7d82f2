import MusterAudit
import MusterBytes
import MusterCluster
import MusterHistory
import MusterProtocol
import MusterRendering

/// Checks an export against its proof, in one walk through both files.
struct ExportCheck {
  private let proof: ReadFile
  private let rows: any ExportedRows
  /// The cluster and timeline that the rows are of.
  private let origin: String
  private var proven: ProvenCommits
  private(set) var format = ""
  private(set) var commits: UInt64 = 0
  private(set) var note: SignedNote?
  /// What is shown, as far as it stands together.
  private(set) var shown = RevisionRanges()

  /// - Parameters:
  ///   - export: where the export is; nil for beside the proof.
  ///   - heldSize: the size of a checkpoint that somebody holds.
  init(_ path: String, export: String?, heldSize: UInt64?) throws {
    proof = try ReadFile(path)
    proof.skip(try proof.peek(ProofRecord.heading.utf8.count).count)
    proven = ProvenCommits(heldSize: heldSize)
    let head = try ExportCheck.record(proof)
    format = head?.format ?? ""
    let name = export ?? (path.hasSuffix(".proof") ? String(path.dropLast(".proof".count)) : "")
    guard !name.isEmpty else {
      throw Failure.usage("\(path) does not say by its name which export it proves: give --export")
    }
    origin = head?.origin ?? ""
    guard let kind = Export.Format(rawValue: format), let envelopes = CloudEvents(origin: origin) else {
      throw ExportCheck.malformed("it does not say of what it is")
    }
    rows = try kind.rows(name, envelopes)
  }

  /// The root at the size that was asked for, when the proof passes there.
  var heldRoot: SHA256Value? { proven.heldRoot }

  /// True when every commit up to the checkpoint is shown.
  var isComplete: Bool { commits > 0 && shown.ranges == [1...proven.size] }

  /// Walks through the proof and the rows.
  mutating func run() throws {
    while let record = try ExportCheck.record(proof) {
      guard note == nil else { throw ExportCheck.malformed("something stands behind its checkpoint") }
      if !record.note.isEmpty {
        note = try SignedNote(record.note)
      } else {
        guard let part = record.expanded else { throw ExportCheck.malformed("a part of it cannot be expanded") }
        try take(part)
      }
    }
    guard let note else { throw ExportCheck.malformed("it ends before its checkpoint") }
    let checkpoint = try Checkpoint(note)
    guard proven.size == checkpoint.size, proven.root == checkpoint.root else {
      throw AuditError.wrong(
        "the commits of the proof are not those of its checkpoint: the proof or the log was altered")
    }
    guard proven.areNamesProved else {
      throw AuditError.wrong("no commit of the proof says that its names were given: they were altered")
    }
    guard checkpoint.origin == origin else {
      throw AuditError.wrong("the export is of \(origin), and its checkpoint of \(checkpoint.origin)")
    }
    if let left = try rows.nextRevision() {
      throw AuditError.wrong("the row of revision \(left) is not proved: it was added, moved or doubled")
    }
  }

  private mutating func take(_ part: ProofPart) throws {
    var (commits, shown) = (commits, shown)
    try proven.take(part) { [rows] commit, names in
      guard try rows.nextRevision() == commit.revision else { return }
      var report = names.report(commit)
      if try !rows.take(report) {
        // A client that had been forgotten when the export was made is shown by the number of its session.
        if commit.session != 0 { report.requestID = "#\(commit.session):\(commit.sequence)" }
        guard try rows.take(report) else {
          throw AuditError.wrong("the row of revision \(commit.revision) is not what its commit says: it was altered")
        }
      }
      commits += 1
      shown.append(commit.revision...commit.revision)
    }
    (self.commits, self.shown) = (commits, shown)
  }

  private static func record(_ file: ReadFile) throws -> ProofRecord? {
    let head = Array(try file.peek(10))
    guard !head.isEmpty else { return nil }
    let (length, size) = try head.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      guard let length = try? reader.varint(), length <= UInt64(ProofRecord.bytesMax) else {
        throw malformed("a record of it is too long")
      }
      return (Int(length), raw.count - reader.remaining)
    }
    let whole = Array(try file.peek(size + length).dropFirst(size))
    file.skip(size + length)
    guard whole.count == length, let record = try? ProofRecord(bytes: whole, refusingUnknownFields: true) else {
      throw malformed("a record of it cannot be read")
    }
    return record
  }

  private static func malformed(_ problem: String) -> AuditError { .malformed("proof of an export", problem) }
}
