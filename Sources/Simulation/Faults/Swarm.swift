internal import MusterWorkload

/// Which faults a run has, and how bad each is. Every seed draws its own: runs with everything at once never get deep,
/// and runs with a little of everything never meet the worst of anything (Groce et al., Swarm Testing, 2012).
struct Swarm {
  /// By fault: how many times rarer or more frequent than usual, in quarters.
  private var quarters: [Fault: Int] = [:]

  // How this cluster is built.
  let heartbeatMilliseconds: UInt64
  let segmentBytes: Int
  let eventsBetweenSnapshots: UInt64
  /// Microseconds from end to end.
  let latency: Int
  let zones: Int
  let balances: Bool

  init(_ allowed: Set<Fault>, _ random: inout SeededGenerator) {
    for fault in Fault.allCases {
      let (isDrawn, intensity) = (random.below(100) < 55, [1, 2, 4, 4, 8][random.below(5)])
      if isDrawn, allowed.contains(fault) { quarters[fault] = intensity }
    }
    heartbeatMilliseconds = [500, 500, 1000, 2000][random.below(4)]
    segmentBytes = (64 << 10) << random.below(3)
    eventsBetweenSnapshots = UInt64([40, 150, 600, 200_000][random.below(4)])
    latency = [150, 500, 2000, 20_000][random.below(4)]
    zones = 3 + random.below(3)
    balances = random.oneIn(2)
  }

  func has(_ fault: Fault) -> Bool { quarters[fault] != nil }

  /// The time until a fault happens next, in microseconds; nil when this run is spared.
  func delay(_ fault: Fault, _ random: inout SeededGenerator) -> UInt64? {
    guard let quarters = quarters[fault], fault.meanSeconds > 0 else { return nil }
    let mean = fault.meanSeconds * 4_000_000 / quarters
    return UInt64(mean / 8 + random.below(mean * 7 / 4))
  }

  /// Whether it befalls this message.
  func befalls(_ fault: Fault, _ random: inout SeededGenerator) -> Bool {
    guard let quarters = quarters[fault] else { return false }
    return random.below(400) < quarters
  }
}
