package import MusterBytes

/// How a segment ends and where its units are.
package struct SegmentContent: Sendable {
  package var name: SegmentName
  package var fileBytes: Int
  package var units: [LogUnit]
  package var chainBefore: SHA256Value
  /// The chain value after its last block, when it is known without reading them.
  package var chainAfter: SHA256Value?
  package var eventCount: UInt64 = 0
  /// Only of a live segment: it is kept in memory, since it may get its packed form at any time.
  package var live: LiveScan?
  package var reader: LiveSegmentReader?

  package var lastRevision: UInt64 { units.last?.lastRevision ?? name.first - 1 }
}

/// What a question to the log cost.
public struct ReadCost: Equatable, Sendable {
  public var blocks: UInt64 = 0
  public var bytes: UInt64 = 0
  public init() {}
}

/// Reads the blocks of a log. It never writes: on evidence of damage it throws and leaves everything as it is.
package final class LogReader {
  package let storage: any Storage
  package let identity: LogIdentity
  package private(set) var segments: [SegmentContent] = []
  package private(set) var cost = ReadCost()
  private let isGrowing: Bool
  private var buffer = ByteWriter(capacity: 1 << 16)

  /// Opens the log and finds every unit.
  ///
  /// - Parameters:
  ///   - confirmed: the highest revision known to be durable from elsewhere, such as a snapshot.
  ///   - isGrowing: a writer may be at its end meanwhile.
  package init(
    _ storage: any Storage, identity: LogIdentity, confirmed: UInt64, isGrowing: Bool = false
  ) throws(LogError) {
    self.storage = storage
    self.identity = identity
    self.isGrowing = isGrowing
    let names = SegmentName.all(in: try reading { () throws(StorageError) in try storage.list(Layout.log) })
    try checkNoGap(names)
    for (place, name) in names.enumerated() {
      let isLast = place == names.count - 1
      let known = isLast ? confirmed : names[place + 1].first - 1
      segments.append(try open(name, confirmed: known, isLast: isLast))
      if !isLast, let last = segments.last, last.lastRevision != known {
        throw .corrupt(
          Fault(
            file: name.path, offset: last.live?.end ?? last.fileBytes, revision: last.lastRevision + 1,
            problem: "the segment ends before the next one begins, at revision \(known + 1)"))
      }
    }
    if let last = segments.last, last.lastRevision < confirmed {
      throw .corrupt(
        Fault(
          file: last.name.path, offset: last.live?.end ?? last.fileBytes, revision: last.lastRevision + 1,
          problem: "the log ends at revision \(last.lastRevision), and a snapshot of revision \(confirmed) exists"))
    }
  }

  package var firstRevision: UInt64 { segments.first?.name.first ?? 1 }
  package var lastRevision: UInt64 { segments.last?.lastRevision ?? 0 }
  package var lastTime: UInt64 { segments.last { !$0.units.isEmpty }?.units.last?.time ?? 0 }

  private func checkNoGap(_ names: [SegmentName]) throws(LogError) {
    if names.isEmpty { throw .corrupt(Fault(file: Layout.log, offset: 0, revision: 1, problem: "there is no segment")) }
    if let first = names.first, first.first != 1 {
      throw .corrupt(Fault(file: first.path, offset: 0, revision: 1, problem: "the segments before it are missing"))
    }
  }

  // MARK: Opening

  private func open(_ name: SegmentName, confirmed: UInt64, isLast: Bool) throws(LogError) -> SegmentContent {
    name.isSealed ? try openSealed(name) : try openLive(name, confirmed: confirmed, isGrowing: isLast && isGrowing)
  }

  private func openLive(_ name: SegmentName, confirmed: UInt64, isGrowing: Bool) throws(LogError) -> SegmentContent {
    let reader = try liveReader(name)
    let scan = try reader.scan(first: name.first, confirmed: confirmed, isGrowing: isGrowing)
    let units = scan.blocks.map { entry in
      LogUnit(
        segment: name, offset: entry.offset, storedBytes: Int(entry.header.storedBytes),
        firstRevision: entry.header.firstRevision, commitCount: entry.header.commitCount, blockCount: 1,
        time: entry.header.time)
    }
    return SegmentContent(
      name: name, fileBytes: scan.fileBytes, units: units, chainBefore: scan.chainBefore, live: scan,
      reader: reader)
  }

  package func liveReader(_ name: SegmentName) throws(LogError) -> LiveSegmentReader {
    let size = try size(name.path)
    let bytes = try read(name.path, 0, size)
    return LiveSegmentReader(identity: identity, path: name.path, bytes: bytes)
  }

  private func openSealed(_ name: SegmentName) throws(LogError) -> SegmentContent {
    let size = try size(name.path)
    let trailer = try read(name.path, max(0, size - SealedIndex.trailerBytes), SealedIndex.trailerBytes)
    guard let offset = SealedIndex.offset(inTrailer: trailer), offset < size else {
      throw fault(name, max(0, size - SealedIndex.trailerBytes), "the trailer of the segment cannot be read")
    }
    let index = try readIndex(name, offset)
    var content = SegmentContent(
      name: name, fileBytes: size, units: [], chainBefore: try readChainBefore(name),
      chainAfter: index.chain.withUnsafeBytes { SHA256Value($0) })
    var expected = name.first
    for pack in index.packs {
      guard pack.firstRevision == expected, pack.commitCount > 0, let at = Int(exactly: pack.offset), at < offset else {
        throw fault(name, offset, "the index of the segment has a gap", expected)
      }
      expected = pack.lastRevision + 1
      content.eventCount += pack.eventCount
      content.units.append(
        LogUnit(
          segment: name, offset: at, storedBytes: Int(pack.storedBytes), firstRevision: pack.firstRevision,
          commitCount: pack.commitCount, blockCount: pack.blockCount, time: pack.time))
    }
    return content
  }

  private func readIndex(_ name: SegmentName, _ offset: Int) throws(LogError) -> SealedIndex {
    let header = try frameHeader(name, offset, .index)
    buffer.removeAll()
    try expand(name, offset, header)
    guard let index = try? SealedIndex(bytes: buffer.bytes, refusingUnknownFields: true),
      index.chain.count == SHA256Value.byteCount
    else { throw fault(name, offset, "the index of the segment makes no sense") }
    return index
  }

  private func readChainBefore(_ name: SegmentName) throws(LogError) -> SHA256Value {
    let header = try frameHeader(name, 0, .segment)
    guard header.firstRevision == name.first else { throw fault(name, 0, "the segment does not fit its name") }
    buffer.removeAll()
    try expand(name, 0, header)
    guard buffer.count == SHA256Value.byteCount else { throw fault(name, 0, "the chain value cannot be read") }
    return SHA256Value(buffer.bytes)
  }

  package func frameHeader(_ name: SegmentName, _ offset: Int, _ kind: FrameKind) throws(LogError) -> FrameHeader {
    let bytes = try read(name.path, offset, FrameHeader.byteCount)
    switch bytes.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: name.path, version: version, flags: flags)
    case .blank: throw fault(name, offset, "a frame that was durable is not there")
    case .broken(let problem): throw fault(name, offset, problem)
    case .valid(let header):
      guard identity.owns(header) else { throw .foreign(file: name.path) }
      guard header.kind == kind, header.anchor == name.first else {
        throw fault(name, offset, "a frame stands here that belongs elsewhere")
      }
      return header
    }
  }

  /// Reads and expands a frame's content behind what `buffer` holds.
  private func expand(_ name: SegmentName, _ offset: Int, _ header: FrameHeader) throws(LogError) {
    let stored = try read(name.path, offset + FrameHeader.byteCount, Int(header.storedBytes))
    let isWhole = stored.withUnsafeBytes { Frame.expand(header, $0, into: &buffer) }
    guard isWhole else { throw fault(name, offset, "the checksum of a frame does not hold", header.firstRevision) }
  }

  // MARK: Reading

  /// The units that hold revisions `from` to `through`, in order.
  package func units(from: UInt64, through: UInt64) -> [LogUnit] {
    var found: [LogUnit] = []
    for segment in segments where segment.name.first <= through && segment.lastRevision >= from {
      // Units are sorted: skip to the first that reaches `from`.
      var low = 0
      var high = segment.units.count
      while low < high {
        let middle = (low + high) / 2
        if segment.units[middle].lastRevision < from { low = middle + 1 } else { high = middle }
      }
      while low < segment.units.count, segment.units[low].firstRevision <= through {
        found.append(segment.units[low])
        low += 1
      }
    }
    return found
  }

  /// Calls `body` with the blocks of a unit, in order, until it returns false.
  ///
  /// The memory of a block is good until `body` returns.
  package func forEachBlock(in unit: LogUnit, _ body: (BlockView) throws -> Bool) throws -> Bool {
    buffer.removeAll()
    if let live = segments.first(where: { $0.name == unit.segment })?.reader {
      try expand(unit, live)
    } else {
      try expandPack(unit)
    }
    cost.bytes += UInt64(unit.storedBytes)
    cost.blocks += UInt64(unit.blockCount)
    if unit.segment.isSealed { return try walkPack(unit, body) }
    return try body(try block(unit, buffer.bytes, unit.firstRevision))
  }

  private func expand(_ unit: LogUnit, _ live: LiveSegmentReader) throws(LogError) {
    guard case .valid(let header) = live.parse(unit.offset), live.expand(unit.offset, header, into: &buffer) else {
      throw fault(unit.segment, unit.offset, "the checksum of a frame does not hold", unit.firstRevision)
    }
  }

  private func expandPack(_ unit: LogUnit) throws(LogError) {
    let header = try frameHeader(unit.segment, unit.offset, .pack)
    guard header.firstRevision == unit.firstRevision, header.commitCount == unit.commitCount else {
      throw fault(unit.segment, unit.offset, "the frame is not the one that the index speaks of", unit.firstRevision)
    }
    try expand(unit.segment, unit.offset, header)
  }

  private func walkPack(_ unit: LogUnit, _ body: (BlockView) throws -> Bool) throws -> Bool {
    var reader = ByteReader(buffer.bytes)
    var expected = unit.firstRevision
    while !reader.isAtEnd {
      guard let bytes = try? reader.delimited() else {
        throw fault(unit.segment, unit.offset, "a block of the pack cannot be read", expected)
      }
      let view = try block(unit, bytes, expected)
      guard try body(view) else { return false }
      expected = view.header.lastRevision + 1
    }
    guard expected == unit.lastRevision + 1 else {
      throw fault(unit.segment, unit.offset, "blocks of the pack are missing", expected)
    }
    return true
  }

  private func block(
    _ unit: LogUnit, _ bytes: UnsafeRawBufferPointer, _ expected: UInt64
  ) throws(LogError) -> BlockView {
    guard let view = try? BlockView(bytes), view.header.firstRevision == expected else {
      throw fault(unit.segment, unit.offset, "a block does not follow the one before", expected)
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
  package func verifyChain() throws -> SHA256Value {
    var chain = SHA256Value.zero
    for segment in segments {
      guard segment.chainBefore == chain else {
        throw fault(segment.name, 0, "the segment does not follow the one before", segment.name.first)
      }
      for unit in segment.units {
        _ = try forEachBlock(in: unit) { view in
          if let stored = view.header.previousChain, stored != chain {
            throw fault(
              unit.segment, unit.offset, "the block does not follow the one before", view.header.firstRevision)
          }
          chain = view.chain(after: chain)
          return true
        }
      }
      if let stored = segment.chainAfter, stored != chain {
        throw fault(segment.name, segment.fileBytes, "the chain value at the end of the segment is another")
      }
    }
    return chain
  }

  // MARK: Files

  private func size(_ path: String) throws(LogError) -> Int {
    let size = try reading { () throws(StorageError) in try storage.size(path) }
    guard let size else { throw .corrupt(Fault(file: path, offset: 0, problem: "the file is missing")) }
    return size
  }

  private func read(_ path: String, _ offset: Int, _ count: Int) throws(LogError) -> [UInt8] {
    try reading { () throws(StorageError) in try storage.read(path, at: offset, count: count) }
  }

  private func fault(_ name: SegmentName, _ offset: Int, _ problem: String, _ revision: UInt64? = nil) -> LogError {
    .corrupt(Fault(file: name.path, offset: offset, revision: revision, problem: problem))
  }
}

/// Turns the errors of files into the log's own.
func reading<T>(_ body: () throws(StorageError) -> T) throws(LogError) -> T {
  do throws(StorageError) { return try body() } catch { throw .storage(error) }
}
