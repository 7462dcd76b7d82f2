internal import Glibc
internal import MusterCluster
internal import MusterDisk
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import NIOCore
internal import Synchronization

/// Reads stored files again, on a thread of its own and no faster than it is told.
final class Scrubber: Sendable {
  /// What was found so far.
  struct Counts: Sendable {
    var bytes: UInt64 = 0
    var passes: UInt64 = 0
    var faults: UInt64 = 0
    /// When the last pass ended, in microseconds since 1970.
    var lastCompleted: UInt64 = 0
    /// The state that follows the log is at this revision.
    var followed: Revision = 0
  }

  /// What a pass came to.
  struct Outcome: Sendable {
    var faults: [Fault] = []
    /// What is served is not what the log leads to.
    var divergence: String?
  }

  private struct Shared {
    var counts = Counts()
    var bytesPerSecond: UInt64 = 0
    var isStopping = false
  }

  private let journal: Journal
  private let thread = WorkThread(isBackground: true)
  private let shared = Mutex(Shared())
  private let kept = Kept()

  /// Used only on the thread.
  private final class Kept: @unchecked Sendable {
    var shadow: State?
  }

  init(_ journal: Journal) { self.journal = journal }

  var counts: Counts { shared.withLock { $0.counts } }

  func pace(_ bytesPerSecond: UInt64) { shared.withLock { $0.bytesPerSecond = bytesPerSecond } }

  /// Begins a pass over everything up to what `view` is of; `done` is called on the thread.
  func begin(_ view: State, _ done: @escaping @Sendable (Outcome) -> Void) {
    thread.run { [self] in
      if let outcome = run(view) { done(outcome) }
    }
  }

  /// - Returns: nil when it was stopped.
  private func run(_ view: State) -> Outcome? {
    guard var outcome = pass(view) else { return nil }
    if outcome.divergence != nil {
      // Only what a state made anew says, too, is no slip of the second state's own.
      kept.shadow = nil
      guard let again = pass(view) else { return nil }
      outcome = again
    }
    let followed = kept.shadow?.revision ?? 0
    shared.withLock { shared in
      shared.counts.passes += 1
      shared.counts.faults += UInt64(outcome.faults.count)
      shared.counts.lastCompleted = Clock.microseconds(CLOCK_REALTIME)
      shared.counts.followed = followed
    }
    return outcome
  }

  private func pass(_ view: State) -> Outcome? {
    var outcome = Outcome()
    do throws(LogError) {
      let history = History(try journal.reader(), journal.snapshots, through: view.revision)
      let pass = ScrubPass(history, shadow: kept.shadow)
      kept.shadow = nil
      guard read(pass, &outcome) else { return nil }
      outcome.divergence = outcome.divergence ?? pass.compare(view)
      kept.shadow = pass.shadow
    } catch {
      if case .corrupt(let fault) = error { outcome.faults.append(fault) }
    }
    return outcome
  }

  /// - Returns: false when it was stopped.
  private func read(_ pass: ScrubPass, _ outcome: inout Outcome) -> Bool {
    while true {
      switch pass.next() {
      case .done: return true
      case .fault(let fault): outcome.faults.append(fault)
      case .divergence(let revision, let problem): outcome.divergence = "at revision \(revision): \(problem)"
      case .read(let bytes): guard wait(for: bytes) else { return false }
      }
    }
  }

  private static let pauseMillisecondsMax: UInt64 = 100

  /// Waits as long as so many bytes may take; wakes to see whether it is to stop, or to go faster.
  private func wait(for bytes: Int) -> Bool {
    var left = UInt64(bytes)
    shared.withLock { $0.counts.bytes += left }
    while true {
      let (rate, isStopping) = shared.withLock { ($0.bytesPerSecond, $0.isStopping) }
      guard !isStopping else { return false }
      guard left > 0 else { return true }
      let milliseconds =
        rate == 0 ? Scrubber.pauseMillisecondsMax : min(left * 1000 / rate, Scrubber.pauseMillisecondsMax)
      if milliseconds == 0 { return true }
      Pause.milliseconds(UInt32(milliseconds))
      left -= min(left, max(1, milliseconds * rate / 1000))
    }
  }

  func stop() {
    shared.withLock { $0.isStopping = true }
    thread.stop()
  }
}
