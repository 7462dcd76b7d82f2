package import MusterBytes
package import MusterCluster
internal import MusterLog

extension History {
  /// The state at a revision: the newest snapshot at or before it, and the commits since.
  ///
  /// Its digest is computed from its rows, and checked: the commits that its block still holds must lead from it to
  /// the digest that the log has for the end of the block. A state that does not follow everything has no digest.
  package func state(at revision: Revision, following parts: StateParts = .all) throws(HistoryError) -> State {
    try requireKept(revision)
    let state = try stored(atOrBefore: revision, following: parts)
    return try completed(state, at: revision)
  }

  /// The newest stored state at or before a revision, or that of the beginning.
  func stored(atOrBefore revision: Revision, following parts: StateParts = .all) throws(HistoryError) -> State {
    try lookingAgain { () throws(HistoryError) in
      if let state = try snapshot(atOrBefore: revision, following: parts) { return state }
      return .beginning(following: parts)
    }
  }

  /// Asks again when a snapshot was dropped meanwhile.
  func lookingAgain<T>(_ body: () throws(HistoryError) -> T) throws(HistoryError) -> T {
    for _ in 0..<3 {
      do throws(HistoryError) {
        return try body()
      } catch {
        guard case .log(.vanished) = error else { throw error }
      }
    }
    return try body()
  }

  /// Brings an earlier state to a revision, and checks its digest there.
  func completed(_ earlier: State, at revision: Revision) throws(HistoryError) -> State {
    var state = earlier
    guard revision > 0 else { return state }
    guard state.parts == .all else {
      _ = try replay(&state, through: revision)
      return state
    }
    state.deferDigest()
    try replaying(&state) { [self] state in
      try log.forEachBlock(from: min(state.revision + 1, revision), through: revision) { block in
        try History.apply(block, through: revision, to: &state)
        guard block.header.lastRevision >= revision else { return true }
        state.resumeDigest()
        var end = state
        try History.apply(block, through: block.header.lastRevision, to: &end)
        try History.check(end, against: block.header)
        return false
      }
    }
    guard state.revision == revision else { throw .divergence(state.revision + 1, "the log has no such commit") }
    return state
  }

  /// Applies the commits after `state` up to a revision.
  ///
  /// - Returns: the digest that the log has of the state at that revision, if it ends a block.
  package func replay(_ state: inout State, through revision: Revision) throws(HistoryError) -> SetDigest? {
    guard state.revision < revision else { return nil }
    var digest: SetDigest?
    try replaying(&state) { [self] state in
      try log.forEachBlock(from: state.revision + 1, through: revision) { block in
        try History.apply(block, through: revision, to: &state)
        digest = block.header.lastRevision == revision ? block.header.digest : nil
        return true
      }
    }
    guard state.revision == revision else { throw .divergence(state.revision + 1, "the log has no such commit") }
    return digest
  }

  /// The newest stored state at or before a revision, its digest deferred.
  private func snapshot(
    atOrBefore revision: Revision, following parts: StateParts = .all
  ) throws(HistoryError) -> State? {
    do {
      var state = State.empty(following: parts)
      let passed = { (table: UInt32) in
        TableID(rawValue: table).map { !parts.include($0) } ?? NamePage.isNames(table)
      }
      let manifest = try snapshots.load(atOrBefore: revision, skipping: passed) { address, bytes in
        try state.addPage(table: address.table, page: address.page, bytes)
      }
      guard let manifest else { return nil }
      try state.finishPages(revision: manifest.revision, time: manifest.time)
      return state
    } catch let error as LogError {
      throw .log(error)
    } catch {
      throw .divergence(revision, "the snapshot before it cannot be used: \(error)")
    }
  }

  /// Applies those commits of a block that come after `state`.
  private static func apply(_ block: BlockView, through revision: Revision, to state: inout State) throws {
    _ = try block.forEachCommit { bytes, number in
      if number <= state.revision { return true }
      if number > revision { return false }
      if Mutant.isOn(.replaySkipsCommit), number % 64 == 0 { return true }
      try state.apply(stored: bytes)
      return true
    }
  }

  private static func check(_ state: State, against header: BlockHeader) throws(HistoryError) {
    guard state.digest == header.digest else {
      throw .divergence(
        header.lastRevision, "the state has digest \(state.digest.hex), and the log says \(header.digest.hex)")
    }
  }

  /// Names what goes wrong while commits are applied.
  private func replaying(_ state: inout State, _ body: (inout State) throws -> Void) throws(HistoryError) {
    do {
      try body(&state)
    } catch let error as HistoryError {
      throw error
    } catch let error as LogError {
      throw .log(error)
    } catch {
      throw .divergence(state.revision + 1, "the commit does not apply: \(error)")
    }
  }
}

// MARK: - Checking everything

extension History {
  /// Replays everything from the beginning, and compares: the digest after every block with the one that the log has,
  /// and every snapshot with the state that it claims to be.
  ///
  /// - Parameter each: called after every block with its last revision.
  package func verifyDeep(_ each: (Revision) -> Void) throws(HistoryError) {
    // What lies before the horizon is gone, and the snapshot there is what everything since rests on.
    let oldest = log.horizon?.revision ?? 0
    var unchecked = try manifests().drop { $0.revision < oldest }
    var state = oldest == 0 ? State() : try self.state(at: oldest)
    if let horizon = log.horizon, state.digest != horizon.digest {
      throw .divergence(
        oldest, "the state there has digest \(state.digest.hex), and the cut says \(horizon.digest.hex)")
    }
    try replaying(&state) { [self] state in
      try log.forEachBlock(from: max(oldest, 1), through: last) { block in
        try History.apply(block, through: block.header.lastRevision, to: &state)
        try History.check(state, against: block.header)
        if let manifest = unchecked.first, manifest.revision <= state.revision {
          try check(manifest, against: state)
          unchecked.removeFirst()
        }
        each(state.revision)
        return true
      }
    }
    if let manifest = unchecked.first {
      throw .divergence(manifest.revision, "the snapshot is of a revision at which no block ends")
    }
    try reading { [self] in
      for segment in log.segments { _ = try log.checkKeys(segment, against: History.keys) }
    }
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

  /// Compares a snapshot's names and outline with those of the state that replay made.
  private func checkNames(_ manifest: SnapshotManifest, against state: State) throws(HistoryError) {
    // Snapshots of the first version have neither.
    if manifest.metadata.isEmpty { return }
    guard let outline = try? StateOutline(bytes: manifest.metadata), outline == StateOutline(state) else {
      throw .divergence(manifest.revision, "the snapshot says other numbers of rows than the state has")
    }
    try reading { [self] in
      guard let pages = try snapshots.pages(atOrBefore: manifest.revision) else { return }
      try state.forEachNamePage(changedSince: nil) { table, page, bytes in
        guard try pages.page(PageAddress(table: table, page: page))?.elementsEqual(bytes) == true else {
          throw HistoryError.divergence(manifest.revision, "a page of names is not what the rows say")
        }
      }
    }
  }

  /// Loads a snapshot and compares it with the state that replay made.
  private func check(_ manifest: SnapshotManifest, against state: State) throws(HistoryError) {
    guard manifest.revision == state.revision, manifest.digest == state.digest, manifest.time == state.time else {
      throw .divergence(
        manifest.revision, "the snapshot has digest \(manifest.digest.hex), and the state \(state.digest.hex)")
    }
    try checkNames(manifest, against: state)
    guard var stored = try snapshot(atOrBefore: manifest.revision) else { return }
    stored.resumeDigest()
    guard stored.digest == state.digest else {
      throw .divergence(
        manifest.revision, "the snapshot's rows have digest \(stored.digest.hex), and the state \(state.digest.hex)")
    }
  }
}
