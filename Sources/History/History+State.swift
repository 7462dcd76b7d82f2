package import MusterBytes
package import MusterCluster
internal import MusterLog

extension History {
  /// The state at a revision: the newest snapshot at or before it, and the commits since.
  ///
  /// The digest of the result is computed from its rows, and compared with the one that the log has for that moment
  /// when the revision ends a block.
  package func state(at revision: Revision) throws(HistoryError) -> State {
    guard revision <= last else { throw .future(asked: "revision \(revision)", newest: last) }
    var state = try snapshot(atOrBefore: revision) ?? State()
    state.deferDigest()
    let digest = try replay(&state, through: revision)
    state.resumeDigest()
    if let digest, digest != state.digest {
      throw .divergence(revision, "the state has digest \(state.digest.hex), and the log says \(digest.hex)")
    }
    return state
  }

  /// The newest stored state at or before a revision, its digest deferred.
  private func snapshot(atOrBefore revision: Revision) throws(HistoryError) -> State? {
    do {
      var state = State.empty()
      let manifest = try snapshots.load(atOrBefore: revision) { address, bytes in
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

  /// Applies the commits after `state` up to a revision.
  ///
  /// - Returns: the digest that the log has of the state at that revision, if it ends a block.
  package func replay(_ state: inout State, through revision: Revision) throws(HistoryError) -> SetDigest? {
    guard state.revision < revision else { return nil }
    var digest: SetDigest?
    let from = state.revision + 1
    do {
      try log.forEachBlock(from: from, through: revision) { block in
        let goesOn = try block.forEachCommit { bytes, number in
          if number < from { return true }
          if number > revision { return false }
          try state.apply(stored: bytes)
          return true
        }
        digest = block.header.lastRevision == revision ? block.header.digest : nil
        return goesOn
      }
    } catch let error as LogError {
      throw .log(error)
    } catch {
      throw .divergence(state.revision + 1, "the commit does not apply: \(error)")
    }
    guard state.revision == revision else { throw .divergence(state.revision + 1, "the log has no such commit") }
    return digest
  }

  /// Replays everything from the beginning and compares the digest after every block: whether the state that the log
  /// speaks of is the state that it makes.
  ///
  /// - Parameter each: called after every block with its last revision.
  package func verifyDeep(_ each: (Revision) -> Void) throws(HistoryError) {
    var state = State()
    do {
      try log.forEachBlock(from: 1, through: last) { block in
        _ = try block.forEachCommit { bytes, _ in
          try state.apply(try Commit(bytes: bytes, refusingUnknownFields: true))
          return true
        }
        guard state.digest == block.header.digest else {
          throw HistoryError.divergence(
            state.revision, "the state has digest \(state.digest.hex), and the log says \(block.header.digest.hex)")
        }
        each(state.revision)
        return true
      }
      try verifySnapshots()
    } catch let error as HistoryError {
      throw error
    } catch let error as LogError {
      throw .log(error)
    } catch {
      throw .divergence(state.revision + 1, "the commit does not apply: \(error)")
    }
  }

  /// Every snapshot, loaded and compared with the digest it was written with.
  private func verifySnapshots() throws(HistoryError) {
    do {
      for name in try snapshots.list() where name.revision <= last {
        let expected = try snapshots.manifest(name).digest
        guard var state = try snapshot(atOrBefore: name.revision) else { continue }
        state.resumeDigest()
        guard state.digest == expected else {
          throw HistoryError.divergence(
            name.revision, "the snapshot has digest \(state.digest.hex), not \(expected.hex)")
        }
      }
    } catch let error as HistoryError {
      throw error
    } catch let error as LogError {
      throw .log(error)
    } catch {
      throw .divergence(last, "\(error)")
    }
  }
}
