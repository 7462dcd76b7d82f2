/// Keys that must be met, each at least once, and no others: for comparing without sorting what is met over and over.
struct KeySet {
  /// Open addressing; as long as a power of two, and never more than half full.
  private var keys: [UInt64] = []
  private var marks: [Mark] = []
  private var unmet = 0

  private enum Mark: UInt8 { case free, unmet, met }

  /// Begins with these keys, each of them unmet.
  mutating func begin(_ wanted: [UInt64]) {
    var size = 64
    while size < 2 * wanted.count { size *= 2 }
    if keys.count != size { keys = [UInt64](repeating: 0, count: size) }
    marks = [Mark](repeating: .free, count: size)
    unmet = 0
    for key in wanted {
      let place = place(of: key)
      if marks[place] == .free { unmet += 1 }
      keys[place] = key
      marks[place] = .unmet
    }
  }

  /// - Returns: false for a key that is none of them.
  mutating func meet(_ key: UInt64) -> Bool {
    let place = place(of: key)
    switch marks[place] {
    case .free: return false
    case .met: return true
    case .unmet:
      marks[place] = .met
      unmet -= 1
      return true
    }
  }

  var wereAllMet: Bool { unmet == 0 }

  /// Where a key is, or the free place where it would be.
  private func place(of key: UInt64) -> Int {
    let mask = keys.count - 1
    // Keys are kinds and dense numbers: a multiplication spreads them.
    var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while marks[place] != .free, keys[place] != key { place = (place + 1) & mask }
    return place
  }
}
