internal import MusterBytes

/// A file of a disk that knows what was written and what is durable of it.
final class WeakFile {
  static let sectorBytes = 512

  /// What was done to the bytes and is not synced.
  enum Pending {
    case empty
    case write(offset: Int, bytes: [UInt8])
  }

  private(set) var live: [UInt8]
  private var durable: [UInt8]
  private var pending: [Pending] = []
  /// What a crash may leave, as long as nothing changes.
  private var known: Choices?

  init(durable bytes: [UInt8]) {
    live = bytes
    durable = bytes
  }

  func empty() {
    live = []
    note(.empty)
  }

  func write(at offset: Int, _ bytes: [UInt8]) {
    let growth = offset + bytes.count - live.count
    if growth > 0 { live += [UInt8](repeating: 0, count: growth) }
    live.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    note(.write(offset: offset, bytes: bytes))
  }

  func sync() {
    durable = live
    pending = []
    known = nil
  }

  private func note(_ change: Pending) {
    pending.append(change)
    known = nil
  }

  // MARK: What a crash may leave

  /// The forms that a file may have: its length, and of each sector that was written what it may hold.
  struct Choices {
    var sizes: [Int]
    /// Ascending by place in the file. The first form of each is the durable one, the last the newest.
    var sectors: [(index: Int, forms: [[UInt8]])]
    /// The durable bytes, with zeros up to the longest size.
    var base: [UInt8]
    /// Of each sector of `base`.
    var baseDigests: [SetDigest]
    var baseDigest: SetDigest
  }

  var choices: Choices {
    if let known { return known }
    let made = makeChoices()
    known = made
    return made
  }

  private func makeChoices() -> Choices {
    var current = durable
    var sizes = [durable.count]
    var forms: [Int: [[UInt8]]] = [:]
    for change in pending {
      switch change {
      case .empty:
        // Where the length stays what it was, the bytes may be zeros or what they were.
        for sector in 0..<WeakFile.sectors(current.count) { note(sector, [], &forms) }
        current = []
      case .write(let offset, let bytes):
        let growth = offset + bytes.count - current.count
        if growth > 0 { current += [UInt8](repeating: 0, count: growth) }
        current.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        let first = offset / WeakFile.sectorBytes
        for sector in first..<max(first, WeakFile.sectors(offset + bytes.count)) {
          note(sector, WeakFile.sector(sector, of: current), &forms)
        }
      }
      if sizes.last != current.count {
        // The length may have come a part of the way.
        let middle = WeakFile.sectors((sizes[sizes.count - 1] + current.count) / 2) * WeakFile.sectorBytes
        sizes += [middle, current.count]
      }
    }
    return assemble(sizes, forms)
  }

  private func assemble(_ sizes: [Int], _ forms: [Int: [[UInt8]]]) -> Choices {
    var unique: [Int] = []
    for size in sizes where !unique.contains(size) { unique.append(size) }
    var base = durable
    base += [UInt8](repeating: 0, count: max(0, (unique.max() ?? 0) - durable.count))
    let digests = (0..<WeakFile.sectors(base.count)).map {
      WeakFile.digest($0, WeakFile.sector($0, of: base)[...])
    }
    let sectors = forms.keys.sorted().compactMap { index in
      forms[index].flatMap { $0.count > 1 ? (index: index, forms: $0) : nil }
    }
    return Choices(
      sizes: unique, sectors: sectors, base: base, baseDigests: digests,
      baseDigest: digests.reduce(into: SetDigest()) { $0 += $1 })
  }

  private func note(_ sector: Int, _ bytes: [UInt8], _ forms: inout [Int: [[UInt8]]]) {
    let form = bytes + [UInt8](repeating: 0, count: WeakFile.sectorBytes - bytes.count)
    var known = forms[sector] ?? [WeakFile.sector(sector, of: durable)]
    if !known.contains(form) { known.append(form) }
    forms[sector] = known
  }

  static func sectors(_ bytes: Int) -> Int { (bytes + sectorBytes - 1) / sectorBytes }

  /// A sector with zeros behind the end of the file.
  private static func sector(_ index: Int, of bytes: [UInt8]) -> [UInt8] {
    let start = min(index * sectorBytes, bytes.count)
    let part = bytes[start..<min(start + sectorBytes, bytes.count)]
    return Array(part) + [UInt8](repeating: 0, count: sectorBytes - part.count)
  }

  static func digest(_ index: Int, _ bytes: ArraySlice<UInt8>) -> SetDigest {
    bytes.withUnsafeBytes { SetDigest(row: $0, seed: UInt32(truncatingIfNeeded: index)) }
  }
}

extension WeakFile.Choices {
  /// How many choices there are: the size's, then each sector's.
  var counts: [Int] { [sizes.count] + sectors.map(\.forms.count) }

  /// The file as it is when these were chosen, and the digest of its content.
  func pick(_ chosen: ArraySlice<Int>) -> (bytes: [UInt8], digest: SetDigest) {
    let size = sizes[chosen[chosen.startIndex]]
    var bytes = base
    var digest = baseDigest
    for (place, sector) in sectors.enumerated() {
      let form = sector.forms[chosen[chosen.startIndex + 1 + place]]
      let start = sector.index * WeakFile.sectorBytes
      guard start < bytes.count else { continue }
      let end = min(start + WeakFile.sectorBytes, bytes.count)
      bytes.replaceSubrange(start..<end, with: form[..<(end - start)])
      digest -= baseDigests[sector.index]
      digest += WeakFile.digest(sector.index, form[...])
    }
    if size < bytes.count {
      // Sectors behind the end do not count, and of the last one only what is there.
      bytes.removeLast(bytes.count - size)
      digest = (0..<WeakFile.sectors(size)).reduce(into: SetDigest()) { sum, index in
        let start = index * WeakFile.sectorBytes
        let part = bytes[start..<min(start + WeakFile.sectorBytes, size)]
        let padding = [UInt8](repeating: 0, count: WeakFile.sectorBytes - part.count)
        sum += WeakFile.digest(index, (part + padding)[...])
      }
    }
    digest += WeakFile.digest(Int(UInt32.max), Array("\(size)".utf8)[...])
    return (bytes, digest)
  }
}
