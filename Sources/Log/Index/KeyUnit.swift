package import MusterBytes

/// A unit of an index, expanded.
struct KeyContent {
  /// Of 16 KiB each.
  static let keptMax = 128

  var keys: UInt32
  var bytes: [UInt8]
}

/// Walks the keys of one unit of an index.
package enum KeyUnit {
  /// Calls `body` with every key and its packs, in ascending order, until it returns false.
  ///
  /// - Parameters:
  ///   - bytes: the unit.
  ///   - first: the key that the directory says it begins with.
  ///   - keys: how many the header says it holds.
  ///   - packCount: of the segment.
  /// - Returns: false when more bytes follow than it should hold.
  /// - Throws: when the bytes make no sense.
  package static func walk(
    _ bytes: UnsafeRawBufferPointer, first: UInt64, keys: UInt32, packCount: Int,
    _ body: (UInt64, [UInt32]) -> Bool
  ) throws(WireError) -> Bool {
    var reader = ByteReader(bytes)
    var key = first
    var packs: [UInt32] = []
    for place in 0..<keys {
      let step = try reader.varint()
      let (sum, overflow) = key.addingReportingOverflow(step)
      guard !overflow, (step == 0) == (place == 0) else { throw WireError.outOfRange(field: 0) }
      key = sum
      packs.removeAll(keepingCapacity: true)
      try readPacks(&reader, packCount, &packs)
      if !body(key, packs) { return true }
    }
    return reader.isAtEnd
  }

  private static func readPacks(_ reader: inout ByteReader, _ packCount: Int, _ packs: inout [UInt32]) throws(WireError)
  {
    var next = 0
    while true {
      let word = try reader.varint()
      guard let gap = Int(exactly: word >> 1), gap < packCount - next else { throw WireError.outOfRange(field: 0) }
      packs.append(UInt32(next + gap))
      next += gap + 1
      if word & 1 == 1 { return }
    }
  }
}

/// A set of the packs of one segment.
struct PackSet: Equatable, Sendable {
  private var words: [UInt64]

  init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

  func contains(_ pack: Int) -> Bool { words[pack >> 6] >> UInt64(pack & 63) & 1 == 1 }

  mutating func insert(_ pack: Int) { words[pack >> 6] |= 1 << UInt64(pack & 63) }

  mutating func formIntersection(_ other: PackSet) {
    for place in words.indices { words[place] &= other.words[place] }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
}
