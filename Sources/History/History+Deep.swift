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

extension History {
  /// Replays everything from the beginning, and compares: the digest after every block with the one that the log has,
  /// every snapshot with the state that it claims to be, and every index with what the commits speak of.
  ///
  /// - Parameter each: called after every block with its last revision.
  package func verifyDeep(_ each: (Revision) -> Void) throws(HistoryError) {
    for piece in try deepPieces(1) { try verify(piece) { each($0.lastRevision) } }
    for segment in log.segments { try verifyKeys(of: segment) }
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

  /// Checks the index of a segment against its commits.
  package func verifyKeys(of segment: SegmentContent) throws(HistoryError) {
    try reading { [self] in _ = try log.checkKeys(segment, against: History.keys) }
  }

  /// Replays one piece.
  ///
  /// - Parameter each: called after every block with its header.
  package func verify(_ piece: DeepPiece, _ each: (BlockHeader) -> Void) throws(HistoryError) {
    let oldest = log.horizon?.revision ?? 0
    var unchecked = try manifests().drop { $0.revision < (piece.start.map { $0 + 1 } ?? oldest) }
      .prefix { $0.revision <= piece.through }
    var state = try beginning(of: piece)
    // The state of the last snapshot that was compared, or that this begins with.
    var older = piece.start == nil ? nil : state
    let from = piece.start.map { $0 + 1 } ?? max(oldest, 1)
    try replaying(&state) { [self] state in
      try log.forEachBlock(from: from, through: piece.through) { block in
        try History.apply(block, through: block.header.lastRevision, to: &state)
        try History.check(state, against: block.header)
        if let manifest = unchecked.first, manifest.revision <= state.revision {
          try check(manifest, against: state, after: older)
          unchecked.removeFirst()
          older = state
        }
        each(block.header)
        return true
      }
    }
    if let manifest = unchecked.first {
      throw .divergence(manifest.revision, "the snapshot is of a revision at which no block ends")
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
