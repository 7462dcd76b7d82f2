internal import Glibc
internal import Synchronization

/// A thread that runs jobs one after the other.
package final class WorkThread: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Guarded by `mutex`.
  private var jobs: [@Sendable () -> Void] = []
  private var isStopping = false
  private var thread = pthread_t()

  /// - Parameter isBackground: the scheduler prefers other threads.
  package init(isBackground: Bool = false) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
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

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(condition)
    mutex.deallocate()
    condition.deallocate()
  }

  package func run(_ job: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(mutex)
    jobs.append(job)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Runs what waits, then ends; returns when the thread has ended.
  package func stop() {
    pthread_mutex_lock(mutex)
    isStopping = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    pthread_join(thread, nil)
  }

  private func run() {
    while let job = next() { job() }
  }

  private func next() -> (@Sendable () -> Void)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while jobs.isEmpty {
      if isStopping { return nil }
      pthread_cond_wait(condition, mutex)
    }
    return jobs.removeFirst()
  }
}
