/// A place in the files where what should be there is not.
public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
  public var file: String
  /// Where in the file, in bytes.
  public var offset: Int
  /// The first revision that cannot be read, when it is known.
  public var revision: UInt64?
  public var problem: String

  public init(file: String, offset: Int, revision: UInt64? = nil, problem: String) {
    self.file = file
    self.offset = offset
    self.revision = revision
    self.problem = problem
  }

  public var description: String {
    let about = revision.map { ", revision \($0)" } ?? ""
    return "\(file) at byte \(offset)\(about): \(problem)"
  }
}

/// What can be wrong with a log. Each says what it means for whoever meets it.
public enum LogError: Error, Equatable, Sendable {
  /// Bytes that were durable cannot be read. Nothing was changed.
  case corrupt(Fault)
  /// The files were written by a newer version.
  case newer(file: String, version: UInt16, flags: UInt32)
  /// A snapshot was dropped after it was listed: a reader looks again.
  case vanished(file: String)
  /// A file belongs to another cluster or another timeline.
  case foreign(file: String)
  /// There is no log here.
  case absent
  /// There is something here already.
  case occupied
  /// No space is left that was prepared for writing. Nothing was written.
  case full
  /// A sync failed earlier: what is on disk is unknown, and only a restart finds out.
  case poisoned(StorageError)
  case storage(StorageError)
  /// The directory is a backup: who served from it would write a second history of the same cluster.
  case isBackup
  /// A backup reaches further than what is to be backed up: that was rolled back, or is another copy.
  case behind(there: UInt64, here: UInt64)
  /// A file was packed or cut while it was about to be read.
  case gone(file: String)
  /// Two copies of one cluster have different blocks that end with this revision.
  case forked(revision: UInt64)
}

extension LogError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .corrupt(let fault):
      "corruption: \(fault). Nothing was changed. Repair from a backup or another copy, or restore"
    case .newer(let file, let version, let flags):
      "\(file) was written by a newer version (format \(version), flags \(flags)); use that version or a newer one"
    case .vanished(let file): "\(file) was dropped while it was read"
    case .foreign(let file): "\(file) belongs to another cluster or timeline"
    case .absent: "there is no journal here; `muster serve --data` creates one in an absent or empty directory"
    case .occupied: "the directory is not empty; choose an absent or empty one"
    case .full: "no prepared space is left on the disk; free some, and writing goes on"
    case .poisoned(let error): "an earlier write failed (\(error)); restart to find out what is on disk"
    case .storage(let error): "\(error)"
    case .isBackup: "this is a backup, which is only read; `muster restore` makes a data directory from it"
    case .behind(let there, let here):
      "the backup reaches revision \(there) and the journal only \(here): it was rolled back, or is another copy. "
        + "Back it up to a directory of its own"
    case .gone(let file): "\(file) was replaced meanwhile; run this again"
    case .forked(let revision):
      "the two have different histories up to revision \(revision): both were written to since they were one"
    }
  }
}
