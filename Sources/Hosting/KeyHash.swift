extension HostedKeys {
  public func holds(_ key: [UInt8]) -> Bool { holds(hash: HostedKeys.hash(of: key)) }

  /// The low 64 bits of MurmurHash3 x64 128 (Appleby, 2011) with seed 0: the same in every language.
  public static func hash(of key: [UInt8]) -> UInt64 {
    var low: UInt64 = 0
    var high: UInt64 = 0
    let whole = key.count & ~15
    for start in stride(from: 0, to: whole, by: 16) {
      low ^= first(word(key, start, 8))
      low = (rotated(low, 27) &+ high) &* 5 &+ 0x52dc_e729
      high ^= second(word(key, start + 8, 8))
      high = (rotated(high, 31) &+ low) &* 5 &+ 0x3849_5ab5
    }
    let rest = key.count - whole
    if rest > 8 { high ^= second(word(key, whole + 8, rest - 8)) }
    if rest > 0 { low ^= first(word(key, whole, min(rest, 8))) }
    low ^= UInt64(key.count)
    high ^= UInt64(key.count)
    low &+= high
    high &+= low
    return finished(low) &+ finished(high)
  }

  private static func first(_ word: UInt64) -> UInt64 {
    rotated(word &* 0x87c3_7b91_1142_53d5, 31) &* 0x4cf5_ad43_2745_937f
  }

  private static func second(_ word: UInt64) -> UInt64 {
    rotated(word &* 0x4cf5_ad43_2745_937f, 33) &* 0x87c3_7b91_1142_53d5
  }

  private static func word(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    for place in 0..<count { word |= UInt64(bytes[start + place]) << UInt64(8 * place) }
    return word
  }

  private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

  private static func finished(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
    value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return value ^ value >> 33
  }
}
