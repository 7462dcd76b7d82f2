/// What is known of one node's signs of life: when the last one came, and how regular they are.
///
/// Suspicion adapts to what was observed (phi accrual with a normal distribution, turned around): the silence is
/// suspicious beyond which, of so many arrivals, one in a billion would lie.
package struct Arrivals: Sendable {
  /// Deviations beyond the mean: one arrival in 10⁹ comes later.
  private static let deviations = 6.0
  /// How fast the mean and the deviation follow what is observed.
  private static let weight = 1.0 / 16
  /// Flaps are forgotten one by one after so much calm, in milliseconds.
  private static let calm: UInt64 = 300_000

  private(set) var incarnation: UInt64 = 0
  var at: UInt64
  private var mean = 0.0
  private var variance = 0.0
  /// Since when it was heard without a suspicious gap.
  private(set) var steadySince: UInt64
  /// How often it came back from silence lately.
  private(set) var flaps: UInt64 = 0
  private var lastFlap: UInt64 = 0

  package init(at now: UInt64) {
    at = now
    steadySince = now
  }

  package mutating func heard(_ incarnation: UInt64, _ now: UInt64) {
    guard incarnation >= self.incarnation else { return }
    if incarnation > self.incarnation {
      self.incarnation = incarnation
      mean = 0
      variance = 0
    } else if now > at {
      note(Double(now - at))
    }
    at = max(at, now)
  }

  private mutating func note(_ interval: Double) {
    guard mean > 0 else {
      mean = interval
      variance = interval * interval / 16
      return
    }
    // A gap that was suspicious already teaches nothing about regular ones.
    let bounded = min(interval, mean * 4)
    let difference = bounded - mean
    mean += difference * Arrivals.weight
    variance += (difference * difference - variance) * Arrivals.weight
  }

  /// The silence that is suspicious, within bounds, in milliseconds.
  package func limit(floor: UInt64, ceiling: UInt64) -> UInt64 {
    let expected = mean + Arrivals.deviations * variance.squareRoot()
    return min(max(floor, UInt64(min(expected, 1e12))), max(floor, ceiling))
  }

  func silence(_ now: UInt64) -> UInt64 { now - min(at, now) }

  // MARK: Flapping

  mutating func fellSilent(_ now: UInt64) { steadySince = now }

  /// It came back: the more often lately, the longer it must be steady before that is believed.
  mutating func cameBack(_ now: UInt64) {
    flaps = min(flaps + 1, 10)
    lastFlap = now
  }

  mutating func forgetOldFlaps(_ now: UInt64) {
    guard flaps > 0, now - min(lastFlap, now) >= Arrivals.calm else { return }
    flaps -= 1
    lastFlap = now
  }

  /// How long it must be heard steadily before it is up again, in milliseconds: nothing for the first returns.
  func hold(_ limit: UInt64) -> UInt64 { flaps < 3 ? 0 : min(limit << (flaps - 2), Arrivals.calm) }
}
