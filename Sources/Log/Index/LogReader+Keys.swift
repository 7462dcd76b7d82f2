internal import MusterBytes

// Finding units by what their commits speak of.

extension LogReader {
  /// The units of a segment that hold revisions `from` to `through` and may hold what is looked for, in order: all of
  /// them where there is no index of those keys, or those that are left when it was rebuilt.
  ///
  /// - Parameter rebuilding: reads what has no index once, and remembers what it speaks of: for several questions about
  ///   the same range.
  package func units(
    in segment: SegmentContent, from: UInt64, through: UInt64, matching selection: LogSelection,
    rebuilding: Bool = false
  ) throws(LogError) -> [LogUnit] {
    let places = segment.places(from: from, through: through)
    guard !places.isEmpty, !selection.isEverything else { return Array(segment.units[places]) }
    guard let packs = try packs(in: segment, matching: selection) else {
      let units = segment.units[places]
      return rebuilding
        ? try units.filtered { unit throws(LogError) in
          selection.accepts(try spoken(in: unit, selection.keys))
        } : Array(units)
    }
    return places.lazy.filter { packs.contains($0) }.map { segment.units[$0] }
  }

  /// The units that hold revisions of the range and may hold what is looked for, in order.
  package func units(
    from: UInt64, through: UInt64, matching selection: LogSelection, rebuilding: Bool = false
  ) throws(LogError) -> [LogUnit] {
    var found: [LogUnit] = []
    for segment in segments where segment.name.first <= through && segment.lastRevision >= from {
      found += try units(in: segment, from: from, through: through, matching: selection, rebuilding: rebuilding)
    }
    return found
  }

  /// The packs of a segment that speak of what is looked for; nil when its index cannot say.
  private func packs(in segment: SegmentContent, matching selection: LogSelection) throws(LogError) -> PackSet? {
    var result: PackSet?
    for group in selection.groups {
      guard let group = selection.keys.ranges(group, in: segment.keyScheme) else { return nil }
      let found = try packs(in: segment, meeting: group.sorted { $0.lowerBound < $1.lowerBound })
      if result == nil { result = found } else { result?.formIntersection(found) }
      if result?.isEmpty == true { return result }
    }
    return result
  }

  /// - Parameter ranges: by ascending lower bounds.
  private func packs(in segment: SegmentContent, meeting ranges: [ClosedRange<LogKey>]) throws(LogError) -> PackSet {
    var set = PackSet(count: segment.units.count)
    var range = 0
    var unit = 0
    while range < ranges.count, unit < segment.keyUnits.count {
      unit = max(unit, segment.keyUnit(holding: ranges[range].lowerBound))
      guard unit < segment.keyUnits.count else { break }
      // Units may be passed over, ranges may not: the unit ends where the next one begins.
      let end = unit + 1 < segment.keyUnits.count ? segment.keyUnits[unit + 1].first.number : .max
      try readKeys(segment, unit) { key, packs in
        while range < ranges.count, ranges[range].upperBound.number < key { range += 1 }
        guard range < ranges.count else { return false }
        if ranges[range].lowerBound.number <= key { for pack in packs { set.insert(Int(pack)) } }
        return true
      }
      while range < ranges.count, ranges[range].upperBound.number < end { range += 1 }
      unit += 1
    }
    return set
  }

  /// Calls `body` with every key of a unit and the packs that speak of it, in order, until it returns false.
  func readKeys(
    _ segment: SegmentContent, _ number: Int, _ body: (UInt64, [UInt32]) -> Bool
  ) throws(LogError) {
    let entry = segment.keyUnits[number]
    guard let offset = Int(exactly: entry.offset) else {
      throw segment.name.fault(segment.indexOffset, "the index of the segment makes no sense")
    }
    let content = try keyContent(segment.name, offset)
    let isSound = content.bytes.withUnsafeBytes { raw in
      try? KeyUnit.walk(
        raw, first: entry.first.number, keys: content.keys, packCount: segment.units.count, body)
    }
    guard isSound == true else { throw segment.name.fault(offset, "the keys of the segment make no sense") }
  }

  private func keyContent(_ name: SegmentName, _ offset: Int) throws(LogError) -> KeyContent {
    let place = LogUnitPlace(segment: name, offset: offset)
    if let known = keyContents[place] { return known }
    let header = try files.frameHeader(name, offset, .keys)
    var content = ByteWriter(capacity: Int(header.rawBytes))
    try files.expand(name, offset, header, into: &content)
    cost.pages += 1
    cost.bytes += UInt64(FrameHeader.byteCount) + UInt64(header.storedBytes)
    let fresh = KeyContent(keys: header.parts, bytes: content.array())
    if keyContents.count >= KeyContent.keptMax { keyContents.removeAll() }
    keyContents[place] = fresh
    return fresh
  }

  /// Checks every unit of every index: checksums, order, and that it speaks of packs that are there.
  package func verifyKeys(_ segment: SegmentContent) throws(LogError) {
    // What was read before is read again: it is the file that is checked.
    keyContents.removeAll()
    for number in segment.keyUnits.indices {
      let next = number + 1 < segment.keyUnits.count ? segment.keyUnits[number + 1].first.number : nil
      var last: UInt64 = 0
      try readKeys(segment, number) { key, _ in
        last = key
        return true
      }
      if let next, last >= next {
        throw segment.name.fault(segment.indexOffset, "the keys of the segment are out of order")
      }
    }
  }

  /// Compares what the index of a segment says with what its commits speak of, as its scheme has it.
  ///
  /// - Parameter packs: the numbers of those that are compared; nil for all.
  /// - Returns: false when there is no index of these keys, nor of those from before.
  package func checkKeys(
    _ segment: SegmentContent, against keys: CommitKeys, packs: [Int]? = nil
  ) throws -> Bool {
    guard let find = keys.finder(of: segment.keyScheme), var check = try KeyCheck(segment, self, keys) else {
      return false
    }
    for pack in packs ?? Array(segment.units.indices) {
      check.begin(pack)
      _ = try forEachBlock(in: segment.units[pack]) { view in
        try view.forEachCommit { bytes, _ in
          try find(bytes) { check.meet($0) }
          return true
        }
      }
      try check.end()
    }
    return true
  }

  /// What the commits of a unit speak of, ascending.
  private func findKeys(in unit: LogUnit, _ keys: CommitKeys) throws -> [UInt64] {
    var spoken = SpokenKeys()
    _ = try forEachBlock(in: unit) { view in
      try view.forEachCommit { bytes, _ in
        try keys.find(bytes) { spoken.meet($0) }
        return true
      }
    }
    return spoken.take()
  }

  /// The same of a unit without an index, as it was found the first time.
  private func spoken(in unit: LogUnit, _ keys: CommitKeys) throws(LogError) -> [UInt64] {
    if let known = rebuiltKeys[unit.place] { return known }
    do {
      let found = try findKeys(in: unit, keys)
      rebuiltKeys[unit.place] = found
      return found
    } catch let error as LogError {
      throw error
    } catch {
      throw unit.segment.fault(unit.offset, "a commit cannot be read: \(error)", unit.firstRevision)
    }
  }
}

extension ArraySlice<LogUnit> {
  fileprivate func filtered(_ isIncluded: (LogUnit) throws(LogError) -> Bool) throws(LogError) -> [LogUnit] {
    var found: [LogUnit] = []
    for unit in self where try isIncluded(unit) { found.append(unit) }
    return found
  }
}

extension SegmentContent {
  /// The unit that holds a key, or where it would be.
  fileprivate func keyUnit(holding key: LogKey) -> Int {
    var low = 0
    var high = keyUnits.count
    while low < high {
      let middle = (low + high) / 2
      if keyUnits[middle].first <= key { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }
}
