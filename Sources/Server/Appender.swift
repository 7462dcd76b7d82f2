internal import MusterDisk
internal import MusterLog
internal import NIOCore

/// Makes blocks durable: on the loop itself when few wait and the disk is fast, since handing over costs as much as
/// such a write; else on a thread of its own, so that the next block fills meanwhile.
struct Appender {
  /// A disk whose syncs take longer than this, in microseconds, is waited for elsewhere.
  private static let fastMicroseconds: UInt64 = 1500
  /// A block of more commits is written elsewhere: so many clients have more to say meanwhile.
  private static let commitsWaitedFor: UInt32 = 16

  private let journal: Journal
  private let thread = WorkThread()
  private(set) var isBusy = false
  private var parked: SealedBlock?
  /// A moving average of how long an append takes, in microseconds.
  private(set) var averageMicroseconds: UInt64 = 0
  private(set) var histogram = LatencyHistogram()

  init(_ journal: Journal) { self.journal = journal }

  /// Whether to write this block on the loop.
  func isWorthWaiting(for block: SealedBlock) -> Bool {
    averageMicroseconds <= Appender.fastMicroseconds && block.header.commitCount <= Appender.commitsWaitedFor
  }

  /// Appends and waits.
  mutating func append(_ block: SealedBlock) -> Result<Void, LogError> {
    let start = Clock.microseconds()
    let result = Appender.append(block, journal)
    note(Clock.microseconds() - start)
    return result
  }

  private static func append(_ block: SealedBlock, _ journal: Journal) -> Result<Void, LogError> {
    do throws(LogError) { return .success(try journal.append(block)) } catch { return .failure(error) }
  }

  private mutating func note(_ microseconds: UInt64) {
    averageMicroseconds = (averageMicroseconds * 15 + microseconds) / 16
    histogram.record(microseconds)
  }

  /// Keeps a block that found no space, until there is some.
  mutating func park(_ block: SealedBlock) {
    isBusy = true
    parked = block
  }

  /// The block that waits for space.
  mutating func unpark() -> SealedBlock? {
    guard let block = parked else { return nil }
    parked = nil
    isBusy = false
    return block
  }
}

extension Server {
  /// Appends on the disk's own thread and calls back on the loop.
  func appendElsewhere(_ block: SealedBlock) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    appender.runElsewhere(block, loop) { result, microseconds in
      bound.value.appended(block, result, microseconds)
    }
  }
}

extension Appender {
  mutating func runElsewhere(
    _ block: SealedBlock, _ loop: any EventLoop,
    _ done: @escaping @Sendable (Result<Void, LogError>, UInt64) -> Void
  ) {
    isBusy = true
    let journal = journal
    thread.run {
      let start = Clock.microseconds()
      let result = Appender.append(block, journal)
      let took = Clock.microseconds() - start
      loop.execute { done(result, took) }
    }
  }

  mutating func finished(_ microseconds: UInt64) {
    isBusy = false
    note(microseconds)
  }

  func stop() { thread.stop() }
}
