/// What some commits speak of, each once.
///
/// Most of it is said again soon: what was met lately is known by a small table, so that little is left to be sorted.
struct SpokenKeys {
  private static let slots = 256
  private var keys: [UInt64] = []
  /// By a hash the key that was met last, or `.max`.
  private var recent = [UInt64](repeating: .max, count: SpokenKeys.slots)

  mutating func meet(_ key: LogKey) {
    let number = key.number
    // The upper bits of a product with an odd number depend on all of its bits.
    let slot = Int(truncatingIfNeeded: (number &* 0x9E37_79B9_7F4A_7C15) >> 56)
    guard recent[slot] != number || number == .max else { return }
    recent[slot] = number
    keys.append(number)
  }

  /// All of them, ascending; nothing is known after that.
  mutating func take() -> [UInt64] {
    keys.sort()
    var distinct: [UInt64] = []
    for key in keys where distinct.last != key { distinct.append(key) }
    keys.removeAll(keepingCapacity: true)
    for slot in recent.indices { recent[slot] = .max }
    return distinct
  }
}
