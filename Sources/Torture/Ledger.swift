import Glibc
import MusterCluster
import Synchronization

/// What was sent and what was acknowledged, as the clients saw it; also in a file of its own.
final class Ledger: Sendable {
  struct Acknowledged: Sendable {
    var client: Int
    var sequence: UInt64
    var revision: Revision
  }

  private struct Book {
    /// Of each client's present command: everything up to this revision was acknowledged before it was sent.
    var sentAfter: [Int: [UInt64: Revision]] = [:]
    /// Not yet compared with the log.
    var unchecked: [Acknowledged] = []
    var highest: Revision = 0
    var acknowledged = 0
    var reads = 0
    var problems: [String] = []
  }

  private let book = Mutex(Book())
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TortureError("the ledger \(path) cannot be written") }
  }

  deinit { close(descriptor) }

  func send(_ written: Written) {
    book.withLock { $0.sentAfter[written.client, default: [:]][written.sequence] = $0.highest }
  }

  func acknowledge(_ written: Written, at revision: Revision) {
    book.withLock {
      $0.unchecked.append(
        Acknowledged(client: written.client, sequence: written.sequence, revision: revision))
      $0.highest = max($0.highest, revision)
      $0.acknowledged += 1
    }
    let line = Array("\(written.client) \(written.sequence) \(revision)\n".utf8)
    if write(descriptor, line, line.count) != line.count { report("the ledger cannot be written") }
  }

  func noteRead() { book.withLock { $0.reads += 1 } }
  func report(_ problem: String) { book.withLock { $0.problems.append(problem) } }

  var problem: String? { book.withLock { $0.problems.first } }
  var highest: Revision { book.withLock { $0.highest } }
  var acknowledged: Int { book.withLock { $0.acknowledged } }
  var reads: Int { book.withLock { $0.reads } }

  /// The acknowledgements up to a revision, once.
  func takeUnchecked(through revision: Revision) -> [Acknowledged] {
    book.withLock { book in
      let due = book.unchecked.filter { $0.revision <= revision }
      book.unchecked.removeAll { $0.revision <= revision }
      return due
    }
  }

  /// What had been acknowledged when a command was sent; nil when it never was.
  func sentAfter(_ written: Written) -> Revision? {
    book.withLock { $0.sentAfter[written.client]?[written.sequence] }
  }
}

struct TortureError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
