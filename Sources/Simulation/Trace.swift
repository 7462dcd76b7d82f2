internal import MusterBytes

/// A digest of everything that happened, in order.
struct Trace {
  private var low: UInt64 = 0x243f_6a88_85a3_08d3
  private var high: UInt64 = 0x1319_8a2e_0370_7344

  mutating func note(_ a: UInt64, _ b: UInt64, _ c: UInt64) {
    low = (low ^ a) &* 0x9e37_79b9_7f4a_7c15
    low = (low ^ (low >> 29) ^ b) &* 0xbf58_476d_1ce4_e5b9
    high = (high ^ low ^ c) &* 0x94d0_49bb_1331_11eb
    high ^= high >> 31
  }

  var hex: String { SetDigest(low: low, high: high).hex }
}

extension Happening {
  /// What kind it is, and of what.
  var summary: (UInt64, UInt64) {
    switch self {
    case .wake(let peer, let plan): (1 | UInt64(peer) << 8, plan)
    case .connect(let peer, let attempt): (2 | UInt64(peer) << 8, attempt)
    case .arrive(let wire, let end): (3 | UInt64(end.rawValue) << 8, wire)
    case .hangUp(let wire, let end): (4 | UInt64(end.rawValue) << 8, wire)
    case .server(let life, let task): (5 | UInt64(task.rawValue) << 8, life)
    case .restart: (6, 0)
    case .fault(let fault): (7, UInt64(fault.rawValue.utf8.count))
    case .relief: (8, 0)
    case .calm: (9, 0)
    case .look: (10, 0)
    }
  }
}
