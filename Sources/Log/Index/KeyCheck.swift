/// What the index of a segment says of each of its packs, to be compared with what their commits speak of.
package struct KeyCheck {
  /// Which keys the index has.
  package let scheme: UInt32
  private let segment: SegmentContent
  /// By packs.
  private let stored: [[UInt64]]
  private var pack = 0
  private var said = KeySet()
  private var isSaid = true

  /// - Returns: nil when there is no index of these keys, nor of those from before.
  package init?(_ segment: SegmentContent, _ log: LogReader, _ keys: CommitKeys) throws(LogError) {
    guard keys.finder(of: segment.keyScheme) != nil else { return nil }
    scheme = segment.keyScheme
    self.segment = segment
    var stored: [[UInt64]] = Array(repeating: [], count: segment.units.count)
    for number in segment.keyUnits.indices {
      try log.readKeys(segment, number) { key, packs in
        for pack in packs { stored[Int(pack)].append(key) }
        return true
      }
    }
    self.stored = stored
  }

  /// Begins with a pack.
  package mutating func begin(_ pack: Int) {
    self.pack = pack
    said.begin(stored[pack])
    isSaid = true
  }

  /// A commit of the pack speaks of this.
  package mutating func meet(_ key: LogKey) { if !said.meet(key.number) { isSaid = false } }

  /// All commits of the pack were read.
  ///
  /// - Throws: when the index says more or less than they do.
  package func end() throws(LogError) {
    guard isSaid && said.wereAllMet else {
      let unit = segment.units[pack]
      throw segment.name.fault(
        unit.offset, "the index does not say what the commits of this pack speak of", unit.firstRevision)
    }
  }
}
