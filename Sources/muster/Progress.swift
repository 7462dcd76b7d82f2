import Glibc
import MusterServer

/// How far long work is: done, rate and time left, on one line of a terminal, and nothing in a pipe.
struct Progress {
  private static let intervalMicroseconds: UInt64 = 200_000

  private let what: String
  private let total: UInt64
  private let isShown: Bool
  private let start = Clock.microseconds()
  private var last: UInt64 = 0

  /// - Parameters:
  ///   - what: the plural of what is counted: `revisions`.
  ///   - total: how many there will be; 0 when nobody knows.
  init(_ what: String, total: UInt64) {
    self.what = what
    self.total = total
    isShown = isatty(2) == 1
  }

  mutating func show(_ done: UInt64) {
    guard isShown else { return }
    let now = Clock.microseconds()
    guard now - last >= Progress.intervalMicroseconds else { return }
    last = now
    Terminal.error("\r\(Progress.line(what, done, of: total, elapsed: now - start))\u{1b}[K")
  }

  /// Clears the line.
  func end() { if isShown && last > 0 { Terminal.error("\r\u{1b}[K") } }

  /// `1200 of 5000 revisions, 600/s, 6 s left`
  static func line(_ what: String, _ done: UInt64, of total: UInt64, elapsed: UInt64) -> String {
    let rate = elapsed == 0 ? 0 : UInt64(Double(done) * 1_000_000 / Double(elapsed))
    guard total > 0 else { return "\(done) \(what), \(rate)/s" }
    let left = rate == 0 ? "" : ", \((max(total, done) - done) / rate) s left"
    return "\(done) of \(total) \(what), \(rate)/s\(left)"
  }
}
