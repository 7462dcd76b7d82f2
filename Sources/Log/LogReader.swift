package import MusterBytes

/// Reads the blocks of a log. It never writes: on evidence of damage it throws and leaves everything as it is.
package final class LogReader {
  package let storage: any Storage
  package let identity: LogIdentity
  /// Where the history begins that is kept; nil while it is all of it.
  package let horizon: Horizon?
  package private(set) var segments: [SegmentContent] = []
  package internal(set) var cost = ReadCost()
  let files: SegmentFiles
  /// What units without an index speak of, as far as it was asked for.
  var rebuiltKeys: [LogUnitPlace: [UInt64]] = [:]
  /// Whoever asks will ask again: what live units speak of is found once, and remembered.
  package var remembersKeys = false
  /// Units of indexes that were read: questions come together.
  var keyContents: [LogUnitPlace: KeyContent] = [:]
  private var buffer = ByteWriter(capacity: 1 << 16)

  /// Opens the log and finds every unit.
  ///
  /// - Parameters:
  ///   - confirmed: the highest revision known to be durable from elsewhere, such as a snapshot.
  ///   - isGrowing: a writer may be at its end meanwhile.
  ///   - older: a reader of the same files from before; what it found need not be looked for again.
  package init(
    _ storage: any Storage, identity: LogIdentity, confirmed: UInt64, isGrowing: Bool = false,
    reusing older: LogReader? = nil
  ) throws(LogError) {
    self.storage = storage
    self.identity = identity
    files = SegmentFiles(storage: storage, identity: identity)
    horizon = try Horizon.read(storage, identity)
    let first = horizon?.firstRevision ?? 1
    // What lies before the horizon is about to be deleted.
    let names = SegmentName.all(in: try reading { () throws(StorageError) in try storage.list(Layout.log) })
      .filter { $0.first >= first }
    try checkNoGap(names, from: first)
    for (place, name) in names.enumerated() {
      let isLast = place == names.count - 1
      let known = isLast ? confirmed : names[place + 1].first - 1
      let segment = try files.open(
        name, confirmed: known, isGrowing: isLast && isGrowing, before: older?.segment(named: name))
      segments.append(segment)
      guard place > 0 || segment.chainBefore == beginning else {
        throw segment.name.fault(0, "the segment does not follow what was cut before it", segment.name.first)
      }
      guard isLast || segment.lastRevision == known else {
        throw segment.fault("the segment ends before the next one begins, at revision \(known + 1)")
      }
    }
    if let older {
      let living = segments.filter { !$0.name.isSealed }.map(\.name)
      rebuiltKeys = older.rebuiltKeys.filter { living.contains($0.key.segment) }
    }
    if let last = segments.last, last.lastRevision < confirmed {
      throw last.fault("the log ends at revision \(last.lastRevision), and a snapshot of revision \(confirmed) exists")
    }
  }

  /// Opens one segment alone, to look at nothing else.
  package init(
    _ storage: any Storage, identity: LogIdentity, only name: SegmentName, confirmed: UInt64 = 0
  ) throws(LogError) {
    self.storage = storage
    self.identity = identity
    files = SegmentFiles(storage: storage, identity: identity)
    horizon = nil
    segments = [try files.open(name, confirmed: confirmed, isGrowing: false, before: nil)]
  }

  /// Reads the same files as another reader, for another thread; nothing is looked for again.
  package init(_ storage: any Storage, sharing contents: LogContents) {
    self.storage = storage
    identity = contents.identity
    horizon = contents.horizon
    files = SegmentFiles(storage: storage, identity: contents.identity)
    segments = contents.segments
  }

  /// The oldest revision that is kept.
  package var oldestRevision: UInt64 { horizon?.revision ?? 1 }
  /// The chain value before the first segment.
  private var beginning: SHA256Value { contents.beginning }
  package var firstRevision: UInt64 { segments.first?.name.first ?? 1 }
  package var lastRevision: UInt64 { segments.last?.lastRevision ?? 0 }
  package var lastTime: UInt64 { segments.last { !$0.units.isEmpty }?.units.last?.time ?? 0 }

  private func checkNoGap(_ names: [SegmentName], from first: UInt64) throws(LogError) {
    guard let oldest = names.first else {
      throw .corrupt(Fault(file: Layout.log, offset: 0, revision: first, problem: "there is no segment"))
    }
    guard oldest.first == first else {
      throw .corrupt(
        Fault(file: oldest.path, offset: 0, revision: first, problem: "the segments before it are missing"))
    }
  }

  /// The segment of this name, if it was found when this was opened.
  private func segment(named name: SegmentName) -> SegmentContent? {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].name.first < name.first { low = middle + 1 } else { high = middle }
    }
    return low < segments.count && segments[low].name == name ? segments[low] : nil
  }

  // MARK: Reading

  /// The units that hold revisions `from` to `through`, in order.
  package func units(from: UInt64, through: UInt64) -> [LogUnit] {
    var found: [LogUnit] = []
    for segment in segments where segment.name.first <= through && segment.lastRevision >= from {
      found += segment.units[segment.places(from: from, through: through)]
    }
    return found
  }

  /// Calls `body` with the blocks of a unit, in order, until it returns false.
  ///
  /// The memory of a block is good until `body` returns.
  package func forEachBlock(in unit: LogUnit, _ body: (BlockView) throws -> Bool) throws -> Bool {
    buffer.removeAll()
    if let live = segment(named: unit.segment)?.bytes {
      try expand(unit, live)
    } else {
      try files.expandPack(unit, into: &buffer)
    }
    cost.bytes += UInt64(unit.storedBytes)
    cost.blocks += UInt64(unit.blockCount)
    if unit.segment.isSealed { return try walkPack(unit, body) }
    return try body(try block(unit, buffer.bytes, unit.firstRevision))
  }

  private func expand(_ unit: LogUnit, _ live: LiveBytes) throws(LogError) {
    guard case .valid(let header) = live.parse(unit.offset), live.expand(unit.offset, header, into: &buffer) else {
      throw fault(unit, "the checksum of a frame does not hold", unit.firstRevision)
    }
  }

  private func walkPack(_ unit: LogUnit, _ body: (BlockView) throws -> Bool) throws -> Bool {
    var reader = ByteReader(buffer.bytes)
    var expected = unit.firstRevision
    while !reader.isAtEnd {
      guard let bytes = try? reader.delimited() else {
        throw fault(unit, "a block of the pack cannot be read", expected)
      }
      let view = try block(unit, bytes, expected)
      guard try body(view) else { return false }
      expected = view.header.lastRevision + 1
    }
    guard expected == unit.lastRevision + 1 else {
      throw fault(unit, "blocks of the pack are missing", expected)
    }
    return true
  }

  private func block(
    _ unit: LogUnit, _ bytes: UnsafeRawBufferPointer, _ expected: UInt64
  ) throws(LogError) -> BlockView {
    guard let view = try? BlockView(bytes), view.header.firstRevision == expected else {
      throw fault(unit, "a block does not follow the one before", expected)
    }
    return view
  }

  /// Calls `body` with every block that holds a revision of the range, in order, until it returns false.
  package func forEachBlock(from: UInt64, through: UInt64, _ body: (BlockView) throws -> Bool) throws {
    for unit in units(from: from, through: through) {
      let goesOn = try forEachBlock(in: unit) { view in
        if view.header.lastRevision < from { return true }
        if view.header.firstRevision > through { return false }
        return try body(view)
      }
      if !goesOn { return }
    }
  }

  /// Checks every frame, block and chain value, and returns the chain value after the last block.
  ///
  /// - Parameter each: called with every block's header and its own chain value.
  package func verifyChain(_ each: (BlockHeader, SHA256Value) throws -> Void = { _, _ in }) throws -> SHA256Value {
    var chain = beginning
    for segment in segments {
      guard segment.chainBefore == chain else {
        throw segment.name.fault(0, "the segment does not follow the one before", segment.name.first)
      }
      chain = try verifyChain(of: segment, each)
    }
    return chain
  }

  /// Checks every frame, block, chain value and key of one segment, and returns the chain value after its last block.
  package func verifyChain(
    of segment: SegmentContent, _ each: (BlockHeader, SHA256Value) throws -> Void = { _, _ in }
  ) throws -> SHA256Value {
    var chain = segment.chainBefore
    for unit in segment.units {
      _ = try forEachBlock(in: unit) { view in
        if let stored = view.header.previousChain, stored != chain {
          throw fault(unit, "the block does not follow the one before", view.header.firstRevision)
        }
        guard view.header.origin.timeline == identity.timeline(ofBlockAt: view.header.firstRevision) else {
          throw fault(unit, "the block is of another timeline", view.header.firstRevision)
        }
        chain = view.chain(after: chain)
        try each(view.header, chain)
        return true
      }
    }
    try verifyKeys(segment)
    if let stored = segment.chainAfter, stored != chain {
      throw segment.name.fault(segment.fileBytes, "the chain value at the end of the segment is another")
    }
    return chain
  }

  /// Checks the checksum of every frame of a packed segment, and that they lie one behind the other up to its end.
  func verifyFrames(of segment: SegmentContent) throws(LogError) {
    try FrameWalk(storage: storage, identity: identity, path: segment.name.path, anchor: segment.name.first)
      .run(through: segment.fileBytes - SealedIndex.trailerBytes)
  }

  private func fault(_ unit: LogUnit, _ problem: String, _ revision: UInt64) -> LogError {
    unit.segment.fault(unit.offset, problem, revision)
  }
}

/// Turns the errors of files into the log's own.
func reading<T>(_ body: () throws(StorageError) -> T) throws(LogError) -> T {
  do throws(StorageError) { return try body() } catch { throw .storage(error) }
}
