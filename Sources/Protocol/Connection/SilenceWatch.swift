/// Finds out whether the other end of a connection is still there: a machine that lost its power closes nothing.
///
/// Times are milliseconds of a clock that never jumps back.
struct SilenceWatch {
  /// What is to be done about the other end.
  enum Verdict { case nothing, ask, giveUp }

  /// An end that was silent for so long is asked whether it is there …
  static let askMilliseconds: UInt64 = 20_000
  /// … and given up when it is silent for so long again.
  static let giveUpMilliseconds: UInt64 = 20_000

  private var heard: UInt64
  private var asked: UInt64?

  init(now: UInt64) { heard = now }

  mutating func hear(at now: UInt64) {
    heard = now
    asked = nil
  }

  /// Our own stall is not the other end's silence: whatever the clock says, it is asked first.
  mutating func look(at now: UInt64) -> Verdict {
    if let asked { return now >= asked + SilenceWatch.giveUpMilliseconds ? .giveUp : .nothing }
    guard now >= heard + SilenceWatch.askMilliseconds else { return .nothing }
    asked = now
    return .ask
  }
}
