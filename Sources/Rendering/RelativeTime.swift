/// How long ago something was, for people.
package enum RelativeTime {
  private static let units: [(name: String, seconds: UInt64)] = [
    ("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1),
  ]

  /// `3 hours ago`, `just now`; `in 2 minutes` when the clocks disagree.
  package static func words(_ time: UInt64, now: UInt64) -> String {
    let seconds = (max(time, now) - min(time, now)) / 1_000_000
    guard let unit = units.first(where: { seconds >= $0.seconds }) else { return "just now" }
    let count = seconds / unit.seconds
    let span = "\(count) \(unit.name)\(count == 1 ? "" : "s")"
    return time > now ? "in \(span)" : "\(span) ago"
  }
}
