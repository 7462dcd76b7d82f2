import MusterAudit
import MusterDisk
import MusterHistory
import MusterLog
import Synchronization

/// Everything that can be proved of a data directory by replaying it, on several threads.
struct DeepCheck {
  /// Each piece begins with a snapshot that must be loaded; the more there are, the more evenly threads are done.
  private static let piecesPerThread = 3

  private let directory: DataDirectory
  private let contents: LogContents

  init(_ directory: DataDirectory, _ contents: LogContents) {
    self.directory = directory
    self.contents = contents
  }

  private enum Piece: Sendable {
    case tree(Checkpoint)
    case replay(DeepPiece)
    case keys(SegmentPacks)
  }

  /// - Parameter kept: what was signed of the tree of commits, if anything was.
  func run(_ kept: Checkpoint?) throws {
    let history = DeepCheck.history(directory, contents)
    let replays = try history.deepPieces(DeepCheck.piecesPerThread * ParallelWork.threads)
    let tree = kept.map { Piece.tree($0) }
    let rest = history.packs(apartFrom: replays).map { Piece.keys($0) }
    let pieces = (tree.map { [$0] } ?? []) + replays.map { .replay($0) } + rest
    let progress = SharedProgress(total: history.last)
    defer { progress.end() }
    let readers = { @Sendable [directory, contents] in DeepCheck.history(directory, contents) }
    _ = try ParallelWork.run(pieces.count, worker: readers) { [directory] history, place in
      switch pieces[place] {
      case .tree(let kept): try history.verify(kept, AuditFiles(directory.storage))
      case .replay(let piece): try history.verify(piece) { progress.add(UInt64($0.commitCount)) }
      case .keys(let rest): try history.verifyKeys(of: rest)
      }
    }
  }

  private static func history(_ directory: DataDirectory, _ contents: LogContents) -> History {
    let log = LogReader(directory.storage, sharing: contents)
    return History(log, directory.snapshots, through: log.lastRevision)
  }
}

/// How far several threads are together.
private final class SharedProgress: Sendable {
  private let state: Mutex<(shown: Progress, done: UInt64)>

  init(total: UInt64) { state = Mutex((Progress("revisions", total: total), 0)) }

  func add(_ revisions: UInt64) {
    state.withLock {
      $0.done += revisions
      $0.shown.show($0.done)
    }
  }

  func end() { state.withLock { $0.shown.end() } }
}
