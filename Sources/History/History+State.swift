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
  func snapshot(
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
  static func apply(_ block: BlockView, through revision: Revision, to state: inout State) throws {
    _ = try block.forEachCommit { bytes, number in
      if number <= state.revision { return true }
      if number > revision { return false }
      if Mutant.isOn(.replaySkipsCommit), number % 64 == 0 { return true }
      try state.apply(stored: bytes)
      return true
    }
  }

  static func check(_ state: State, against header: BlockHeader) throws(HistoryError) {
    guard state.digest == header.digest else {
      throw .divergence(
        header.lastRevision, "the state has digest \(state.digest.hex), and the log says \(header.digest.hex)")
    }
  }

  /// Names what goes wrong while commits are applied.
  func replaying(_ state: inout State, _ body: (inout State) throws -> Void) throws(HistoryError) {
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
