internal import Glibc
internal import Synchronization

/// Work that falls into pieces which do not depend on each other, on as many threads as there are processors.
package enum ParallelWork {
  /// More would only hold more memory.
  private static let threadsMax = 16

  package static var threads: Int { min(threadsMax, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Does pieces 0 to `count` - 1, and returns what each came to, in their order. When some fail, the error is that of the
  /// first of them: pieces are begun in their order, and none after one has failed.
  ///
  /// - Parameters:
  ///   - worker: makes what a thread works with; each has its own.
  ///   - body: does one piece.
  package static func run<Worker, Outcome: Sendable>(
    _ count: Int, worker: @escaping @Sendable () throws -> Worker,
    _ body: @escaping @Sendable (Worker, Int) throws -> Outcome
  ) throws -> [Outcome] {
    let pieces = Pieces<Outcome>(count)
    let work: @Sendable () -> Void = {
      pieces.work(worker, body)
    }
    let threads = (1..<max(1, min(count, ParallelWork.threads))).map { _ in WorkThread() }
    for thread in threads { thread.run(work) }
    work()
    for thread in threads { thread.stop() }
    return try pieces.outcomes()
  }
}

/// What is still to be done, and what was.
private final class Pieces<Outcome: Sendable>: Sendable {
  private struct Progress {
    var next = 0
    var done: [Outcome?]
    var failure: (place: Int, error: any Error)?
  }

  private let progress: Mutex<Progress>

  init(_ count: Int) { progress = Mutex(Progress(done: Array(repeating: nil, count: count))) }

  func work<Worker>(_ worker: () throws -> Worker, _ body: (Worker, Int) throws -> Outcome) {
    var mine: Worker?
    while let place = take() {
      do {
        let ready = if let mine { mine } else { try worker() }
        mine = ready
        let outcome = try body(ready, place)
        progress.withLock { $0.done[place] = outcome }
      } catch {
        progress.withLock { if $0.failure.map({ place < $0.place }) ?? true { $0.failure = (place, error) } }
      }
    }
  }

  private func take() -> Int? {
    progress.withLock {
      guard $0.failure == nil, $0.next < $0.done.count else { return nil }
      $0.next += 1
      return $0.next - 1
    }
  }

  func outcomes() throws -> [Outcome] {
    let (done, failure) = progress.withLock { ($0.done, $0.failure) }
    if let failure { throw failure.error }
    return done.compactMap { $0 }
  }
}
