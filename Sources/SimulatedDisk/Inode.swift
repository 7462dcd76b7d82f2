internal import MusterWorkload

/// A file's bytes as programs see them, and as they are on the platter.
final class Inode {
  private(set) var live: [UInt8]
  private(set) var durable: [UInt8] = []
  /// What was written and not synced since.
  private var dirty: [Range<Int>]
  /// A sync failed: what was written before it counts as clean, and is not on the platter.
  private var hasLostWrites = false

  static let sectorBytes = 512

  init(zeros: Int) {
    live = [UInt8](repeating: 0, count: zeros)
    dirty = zeros > 0 ? [0..<zeros] : []
  }

  /// One whose bytes are all durable.
  init(durable bytes: [UInt8]) {
    live = bytes
    durable = bytes
    dirty = []
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard bytes.count > 0 else { return }
    let end = offset + bytes.count
    if end > live.count { live += [UInt8](repeating: 0, count: end - live.count) }
    live.withUnsafeMutableBytes { target in
      UnsafeMutableRawBufferPointer(rebasing: target[offset..<end]).copyMemory(from: bytes)
    }
    dirty.append(offset..<end)
  }

  func sync() {
    for range in dirty { persist(range) }
    dirty = []
  }

  /// What was dirty counts as clean from now on, though nothing of it was written.
  func failSync() {
    guard !dirty.isEmpty else { return }
    dirty = []
    hasLostWrites = true
  }

  private func persist(_ range: Range<Int>) {
    let end = min(range.upperBound, live.count)
    if end > durable.count { durable += [UInt8](repeating: 0, count: end - durable.count) }
    guard range.lowerBound < end else { return }
    durable.withUnsafeMutableBytes { target in
      live.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: target[range.lowerBound..<end])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range.lowerBound..<end]))
      }
    }
  }

  /// The machine lost its power: of what was not synced each sector is kept or lost, and so is the file's length.
  func crash(_ random: inout SeededGenerator) {
    if hasLostWrites {
      // Nobody will ever write these: they go back to what the platter has.
      for place in 0..<min(durable.count, live.count) where !isDirty(place) { live[place] = durable[place] }
      if live.count > durable.count, dirty.isEmpty { live.removeLast(live.count - durable.count) }
    }
    if !dirty.isEmpty { mix(&random) }
    durable = live
    dirty = []
    hasLostWrites = false
  }

  private func isDirty(_ place: Int) -> Bool { dirty.contains { $0.contains(place) } }

  private func mix(_ random: inout SeededGenerator) {
    if live.count > durable.count, random.oneIn(8) { live.removeLast(live.count - durable.count) }
    var sectors: Set<Int> = []
    for range in dirty where range.lowerBound < live.count {
      for sector in (range.lowerBound / Inode.sectorBytes)...((range.upperBound - 1) / Inode.sectorBytes) {
        guard sectors.insert(sector).inserted, random.oneIn(2) else { continue }
        let start = sector * Inode.sectorBytes
        for place in start..<min(start + Inode.sectorBytes, live.count) {
          live[place] = place < durable.count ? durable[place] : 0
        }
      }
    }
  }

  // MARK: Damage

  /// Changes one bit as rot would: in memory and on the platter.
  func flip(bit: Int) {
    guard bit / 8 < live.count else { return }
    live[bit / 8] ^= 1 << (bit % 8)
    if bit / 8 < durable.count { durable[bit / 8] = live[bit / 8] }
  }

  /// Puts other bytes there, in memory and on the platter.
  func overwrite(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    for (place, byte) in zip(offset..., bytes) where place < live.count {
      live[place] = byte
      if place < durable.count { durable[place] = byte }
    }
  }

  func truncate(to length: Int) {
    live = Array(live.prefix(length))
    durable = live
    dirty = []
  }
}
