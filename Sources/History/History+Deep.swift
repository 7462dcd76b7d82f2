internal import MusterBytes
package import MusterCluster
package import MusterLog

/// A stretch of the past that is replayed by itself: from a snapshot up to a revision where the next one begins.
///
/// All of them together prove what one replay from the beginning does: each ends with the state that the snapshot holds
/// with which the next one begins.
package struct DeepPiece: Sendable {
  /// The snapshot that it begins with; nil for where the log begins.
  var start: Revision?
  var through: Revision
}

/// Packs of a segment, by their numbers.
package struct SegmentPacks: Sendable {
  let segment: SegmentContent
  let packs: [Int]
}

extension History {
  /// Replays everything from the beginning, and compares: the digest after every block with the one that the log has,
  /// every snapshot with the state that it claims to be, and every index with what the commits speak of.
  ///
  /// - Parameter each: called after every block with its last revision.
  package func verifyDeep(_ each: (Revision) -> Void) throws(HistoryError) {
    let pieces = try deepPieces(1)
    for piece in pieces { try verify(piece) { each($0.lastRevision) } }
    for rest in packs(apartFrom: pieces) { try verifyKeys(of: rest) }
  }

  /// The past in at most so many pieces of about the same number of commits, in their order.
  package func deepPieces(_ count: Int) throws(HistoryError) -> [DeepPiece] {
    let oldest = log.horizon?.revision ?? 0
    let share = max(1, (last - min(oldest, last)) / UInt64(max(1, count)))
    var pieces = [DeepPiece(start: nil, through: last)]
    var next = oldest + share
    for manifest in try manifests() where pieces.count < count && manifest.revision >= next && manifest.revision < last
    {
      pieces[pieces.count - 1].through = manifest.revision
      pieces.append(DeepPiece(start: manifest.revision, through: last))
      next = manifest.revision + share
    }
    return pieces
  }

  /// The packs that no piece holds whole: replay does not compare them with the index.
  package func packs(apartFrom pieces: [DeepPiece]) -> [SegmentPacks] {
    let ranges = pieces.map { revisions(of: $0) }
    return log.segments.compactMap { segment in
      let packs = segment.units.indices.filter { pack in
        let unit = segment.units[pack]
        return !ranges.contains { $0.contains(unit.firstRevision) && $0.contains(unit.lastRevision) }
      }
      return packs.isEmpty || !segment.name.isSealed ? nil : SegmentPacks(segment: segment, packs: packs)
    }
  }

  /// Checks what the index of a segment says of some of its packs against their commits.
  package func verifyKeys(of some: SegmentPacks) throws(HistoryError) {
    try reading { [self] in _ = try log.checkKeys(some.segment, against: History.keys, packs: some.packs) }
  }

  /// What is replayed in a piece.
  private func revisions(of piece: DeepPiece) -> Range<Revision> {
    let from = piece.start.map { $0 + 1 } ?? max(log.horizon?.revision ?? 0, 1)
    return from..<max(from, piece.through + 1)
  }

  /// Replays one piece, and compares the index of every pack that it holds whole with what the commits speak of.
  ///
  /// - Parameter each: called after every block with its header.
  package func verify(_ piece: DeepPiece, _ each: (BlockHeader) -> Void) throws(HistoryError) {
    let oldest = log.horizon?.revision ?? 0
    var unchecked = try manifests().drop { $0.revision < (piece.start.map { $0 + 1 } ?? oldest) }
      .prefix { $0.revision <= piece.through }
    var state = try beginning(of: piece)
    // The state of the last snapshot that was compared, or that this begins with.
    var older = piece.start == nil ? nil : state
    try replaying(&state) { [self] state in
      try forEachBlock(of: piece) { block, check in
        try History.apply(block, to: &state, comparing: &check)
        try History.check(state, against: block.header)
        if let manifest = unchecked.first, manifest.revision <= state.revision {
          try self.check(manifest, against: state, after: older)
          unchecked.removeFirst()
          older = state
        }
        each(block.header)
      }
    }
    if let manifest = unchecked.first {
      throw .divergence(manifest.revision, "the snapshot is of a revision at which no block ends")
    }
  }

  /// Calls `body` with every block of a piece, and with the check of its pack's index, when the piece holds all of that.
  private func forEachBlock(
    of piece: DeepPiece, _ body: (BlockView, inout KeyCheck?) throws -> Void
  ) throws {
    let range = revisions(of: piece)
    for segment in log.segments where range.overlaps(segment.name.first..<segment.lastRevision + 1) {
      var index = try KeyCheck(segment, log, History.keys)
      for pack in segment.places(from: range.lowerBound, through: range.upperBound - 1) {
        let unit = segment.units[pack]
        var check: KeyCheck?
        if range.contains(unit.firstRevision), range.contains(unit.lastRevision) { swap(&check, &index) }
        check?.begin(pack)
        _ = try log.forEachBlock(in: unit) { view in
          if view.header.lastRevision < range.lowerBound { return true }
          guard view.header.firstRevision < range.upperBound else { return false }
          try body(view, &check)
          return true
        }
        try check?.end()
        if check != nil { swap(&check, &index) }
      }
    }
  }

  /// Applies the commits of a block that come after `state`, and compares what they speak of with the index.
  private static func apply(_ block: BlockView, to state: inout State, comparing check: inout KeyCheck?) throws {
    guard let scheme = check.flatMap({ EntityScheme(rawValue: $0.scheme) }) else {
      return try apply(block, through: block.header.lastRevision, to: &state)
    }
    _ = try block.forEachCommit { bytes, number in
      if number > state.revision {
        try state.apply(stored: bytes, by: scheme) { check?.meet(LogKey($0)) }
      } else {
        try Commit.entities(inStored: bytes, by: scheme) { check?.meet(LogKey($0)) }
      }
      return true
    }
  }

  /// The state that a piece begins with. What lies before the horizon is gone, and the snapshot there is what everything
  /// since rests on.
  private func beginning(of piece: DeepPiece) throws(HistoryError) -> State {
    if let start = piece.start {
      guard var state = try snapshot(atOrBefore: start), state.revision == start else {
        throw .divergence(start, "the snapshot is not there any more")
      }
      state.resumeDigest()
      return state
    }
    guard let horizon = log.horizon else { return State() }
    let state = try state(at: horizon.revision)
    guard state.digest == horizon.digest else {
      throw .divergence(
        horizon.revision, "the state there has digest \(state.digest.hex), and the cut says \(horizon.digest.hex)")
    }
    return state
  }

  /// Of every snapshot up to the last revision, in their order.
  private func manifests() throws(HistoryError) -> [SnapshotManifest] {
    do throws(LogError) {
      var found: [SnapshotManifest] = []
      for name in try snapshots.list() where name.revision <= last { found.append(try snapshots.manifest(name)) }
      return found
    } catch {
      throw .log(error)
    }
  }

  // MARK: Snapshots

  /// Compares a snapshot with the state that replay made.
  ///
  /// - Parameter older: the state of a snapshot before it that was compared.
  private func check(
    _ manifest: SnapshotManifest, against state: State, after older: State?
  ) throws(HistoryError) {
    guard manifest.revision == state.revision, manifest.digest == state.digest, manifest.time == state.time else {
      throw .divergence(
        manifest.revision, "the snapshot has digest \(manifest.digest.hex), and the state \(state.digest.hex)")
    }
    if !manifest.metadata.isEmpty {
      guard let outline = try? StateOutline(bytes: manifest.metadata), outline == StateOutline(state) else {
        throw .divergence(manifest.revision, "the snapshot says other numbers of rows than the state has")
      }
    }
    // Pages that are what would be written now need not be made a state again. Others may still hold the same rows: an
    // older version wrote them with fewer fields, or other pages were written to.
    if try holdsPages(manifest, of: state, after: older) { return }
    try checkRows(manifest, against: state)
  }

  /// True when the snapshot has the very pages that a snapshot of this state would have now.
  private func holdsPages(
    _ manifest: SnapshotManifest, of state: State, after older: State?
  ) throws(HistoryError) -> Bool {
    let parent = older.flatMap { !manifest.isBase && $0.revision == manifest.parent ? $0 : nil }
    var expected = PageList()
    var isSame = true
    try reading { [self] in
      let note = { (table: UInt32, page: UInt32, bytes: UnsafeRawBufferPointer) in
        expected.append(PageAddress(table: table, page: page), bytes)
      }
      // Snapshots of the first version have no names.
      if manifest.metadata.isEmpty {
        try state.forEachPage(changedSince: parent) { note($0.rawValue, $1, $2) }
      } else {
        try state.forEachStoredPage(changedSince: parent, note)
      }
      let compare = { (address: PageAddress, bytes: UnsafeRawBufferPointer) in
        if isSame { isSame = expected.takeNext(address, bytes) }
      }
      if let parent {
        let found = try snapshots.loadChanges(from: parent.revision, to: manifest.revision, compare)
        isSame = isSame && found != nil
      } else {
        let found = try snapshots.load(atOrBefore: manifest.revision, compare)
        isSame = isSame && found?.revision == manifest.revision
      }
    }
    return isSame && expected.isAtEnd
  }

  /// Loads a snapshot and compares the digest of its rows, and its names, with the state that replay made.
  private func checkRows(_ manifest: SnapshotManifest, against state: State) throws(HistoryError) {
    try checkNames(manifest, against: state)
    guard var stored = try snapshot(atOrBefore: manifest.revision) else { return }
    stored.resumeDigest()
    guard stored.digest == state.digest else {
      throw .divergence(
        manifest.revision, "the snapshot's rows have digest \(stored.digest.hex), and the state \(state.digest.hex)")
    }
  }

  private func checkNames(_ manifest: SnapshotManifest, against state: State) throws(HistoryError) {
    // Snapshots of the first version have none.
    if manifest.metadata.isEmpty { return }
    try reading { [self] in
      guard let pages = try snapshots.pages(atOrBefore: manifest.revision) else { return }
      try state.forEachNamePage(changedSince: nil) { table, page, bytes in
        guard try pages.page(PageAddress(table: table, page: page))?.elementsEqual(bytes) == true else {
          throw HistoryError.divergence(manifest.revision, "a page of names is not what the rows say")
        }
      }
    }
  }
}

/// Pages in order, to be compared with others one after the other.
private struct PageList: ~Copyable {
  private var addresses: [PageAddress] = []
  private var lengths: [Int] = []
  private var bytes = ByteWriter(capacity: 1 << 16)
  private var next = 0
  private var offset = 0

  var isAtEnd: Bool { next == addresses.count }

  mutating func append(_ address: PageAddress, _ page: UnsafeRawBufferPointer) {
    addresses.append(address)
    lengths.append(page.count)
    bytes.raw(page)
  }

  /// Takes the next page if it is this one.
  mutating func takeNext(_ address: PageAddress, _ page: UnsafeRawBufferPointer) -> Bool {
    guard next < addresses.count, addresses[next] == address, lengths[next] == page.count else { return false }
    let mine = UnsafeRawBufferPointer(rebasing: bytes.bytes[offset..<(offset + page.count)])
    guard mine.elementsEqual(page) else { return false }
    next += 1
    offset += page.count
    return true
  }
}
