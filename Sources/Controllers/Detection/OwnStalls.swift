internal import MusterCluster

/// Tells of this server's own stalls, in which it judged nobody, so that a person finds them afterwards: one alarm for
/// stalls that follow closely on one another, raised when it runs again. What it was is told when it is cleared.
struct OwnStalls {
  static let alarm = "own-stall"
  /// Shorter ones are forgiven and not told, in milliseconds.
  static let toldMin: UInt64 = 2000
  /// The alarm is cleared when none came for so long, in milliseconds.
  static let calm: UInt64 = 30_000

  private var count: UInt64 = 0
  private var longest: UInt64 = 0
  private var isUntold = false
  /// When the last one ended; after a start, when the server first looked.
  private var last: UInt64?

  mutating func note(_ milliseconds: UInt64, now: UInt64) {
    guard milliseconds >= OwnStalls.toldMin else { return }
    count += 1
    longest = max(longest, milliseconds)
    isUntold = true
    last = now
  }

  /// - Parameter watched: how many nodes were not judged.
  mutating func tell(watched: Int, _ state: State, now: UInt64) -> [Proposal] {
    let quiet = now - min(last ?? now, now)
    if last == nil { last = now }
    let isRaised = state.isRaised(alarm: OwnStalls.alarm)
    guard isRaised else {
      guard isUntold, watched > 0 else {
        (count, longest) = (0, 0)
        return []
      }
      return [proposal(.raiseAlarm(RaiseAlarm(name: OwnStalls.alarm, message: message)), watched)]
    }
    isUntold = false
    guard quiet >= OwnStalls.calm else { return [] }
    return [proposal(.clearAlarm(ClearAlarm(name: OwnStalls.alarm)), watched)]
  }

  private var message: String {
    "this server stood still for \(longest) ms: it was paused or overloaded, and holds the silence of that time against "
      + "no node"
  }

  private func proposal(_ command: Command, _ watched: Int) -> Proposal {
    let arguments = ["stalls=\(count)", "longest=\(longest)ms", "watched=\(watched)"]
    return Proposal(
      controller: FailureDetector.name, command: command, reason: Reason(.ownStall, arguments: arguments), cause: 0)
  }
}
