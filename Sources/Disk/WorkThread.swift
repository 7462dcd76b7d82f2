internal import Glibc

/// A thread that runs jobs one after the other.
package final class WorkThread: @unchecked Sendable {
  private let monitor = Monitor()
  /// Guarded by `monitor`, as the two below.
  private var jobs: [@Sendable () -> Void] = []
  private var isStopping = false
  private var isJoined = false
  private var thread = pthread_t()

  /// - Parameter isBackground: the scheduler prefers other threads.
  package init(isBackground: Bool = false) {
    let this = Unmanaged.passRetained(Start(self, isBackground)).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { raw in
        if let raw {
          let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
          // On Linux 0 is the calling thread.
          if start.isBackground { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
          start.thread.run()
        }
        return nil
      }, this)
    precondition(code == 0, "a thread can be started")
  }

  private final class Start {
    let thread: WorkThread
    let isBackground: Bool
    init(_ thread: WorkThread, _ isBackground: Bool) {
      self.thread = thread
      self.isBackground = isBackground
    }
  }

  package func run(_ job: @escaping @Sendable () -> Void) {
    monitor.change { jobs.append(job) }
  }

  /// Runs what waits, then ends; returns when the thread has ended. A second call does nothing.
  package func stop() {
    let isFirst = monitor.change {
      defer { isJoined = true }
      isStopping = true
      return !isJoined
    }
    if isFirst { pthread_join(thread, nil) }
  }

  private func run() {
    while let job = next() { job() }
  }

  private func next() -> (@Sendable () -> Void)? {
    monitor.wait { () -> (@Sendable () -> Void)?? in
      if !jobs.isEmpty { return jobs.removeFirst() }
      return isStopping ? .some(nil) : nil
    }
  }
}
