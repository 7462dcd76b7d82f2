internal import Glibc
internal import MusterLog

/// Keeps a zeroed segment ready ahead of the writer, on a thread of its own, and says when there is no space for one.
///
/// A failure here costs nothing that was written: it is tried again until it succeeds.
final class SpareKeeper: Sendable {
  private enum State {
    case used
    case preparing
    case ready
    /// Waiting before the next attempt.
    case failed
  }

  private static let retryMilliseconds = 500
  /// Between two pieces, so that the disk is free for appends.
  private static let pauseMicroseconds: UInt32 = 500

  private let storage: any Storage & Sendable
  private let bytes: Int
  private let monitor = Monitor()
  private let thread = WorkThread(isBackground: true)
  private let guarded = Guarded()

  /// Touched only under `monitor`.
  private final class Guarded: @unchecked Sendable {
    var state = State.used
    /// Somebody waits for the spare.
    var isUrgent = false
    var isStopping = false
    var problem: String?
    var observer: (@Sendable (String?) -> Void)?
    /// The observer has heard how it went at least once.
    var isTold = false
  }

  init(_ storage: any Storage & Sendable, bytes: Int) {
    self.storage = storage
    self.bytes = bytes
  }

  var isReady: Bool { monitor.change { guarded.state == .ready } }

  /// Waits for a spare that is being made.
  ///
  /// - Returns: false when there is no space for one.
  func awaitReady() -> Bool {
    monitor.change { guarded.isUrgent = true }
    defer { monitor.change { guarded.isUrgent = false } }
    return monitor.wait { guarded.state == .preparing ? nil : guarded.state == .ready }
  }

  /// The spare was taken, or there was none yet: begins to make the next.
  func prepareNext() {
    monitor.change { guarded.state = .preparing }
    thread.run { [self] in prepare() }
  }

  /// Calls `observer` when space can't be had, with the reason, and with nil when it can again; and once at first, however
  /// it goes: an earlier run may have left an alarm.
  func observe(_ observer: @escaping @Sendable (String?) -> Void) {
    let (isKnown, problem) = monitor.change {
      guarded.observer = observer
      guarded.isTold = guarded.problem != nil || guarded.state == .ready
      return (guarded.isTold, guarded.problem)
    }
    if isKnown { observer(problem) }
  }

  func stop() {
    monitor.change {
      guarded.isStopping = true
      guarded.observer = nil
    }
    thread.stop()
  }

  private var isStopping: Bool { monitor.change { guarded.isStopping } }

  private func prepare() {
    while !isStopping {
      do throws(StorageError) {
        try LogWriter.prepareSpare(storage, bytes: bytes) { pause() }
        report(.ready, problem: nil)
        return
      } catch {
        // The space that was taken goes back, so that others have it.
        try? storage.remove(Layout.spare)
        report(.failed, problem: "no space for the next segment: \(error.message)")
      }
      monitor.wait(atMost: SpareKeeper.retryMilliseconds) { guarded.isStopping }
    }
    monitor.change { guarded.state = .failed }
  }

  private func pause() {
    if monitor.change({ !guarded.isUrgent && !guarded.isStopping }) { usleep(SpareKeeper.pauseMicroseconds) }
  }

  private func report(_ state: State, problem: String?) {
    let observer = monitor.change {
      guarded.state = state
      defer {
        guarded.problem = problem
        guarded.isTold = guarded.observer != nil
      }
      return guarded.isTold && guarded.problem == problem ? nil : guarded.observer
    }
    observer?(problem)
  }
}
