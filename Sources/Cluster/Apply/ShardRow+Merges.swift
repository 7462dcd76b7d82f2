// What merges do to rows, whoever keeps them.

extension ShardRow {
  mutating func take(_ event: MergeStarted, _ revision: Revision) {
    move = event.move
    changed = revision
  }

  mutating func take(_ event: MergeAdvanced, _ revision: Revision) {
    if event.step.isOver { move = 0 }
    changed = revision
  }

  /// - Parameter isAbsorbed: it is the one that is gone.
  mutating func take(_ event: ShardsMerged, _ revision: Revision, isAbsorbed: Bool) {
    move = 0
    if isAbsorbed {
      replicas.removeAll()
      (leader, heir, heirSince) = (0, 0, 0)
    }
    changed = revision
  }
}

extension MoveRow {
  init(_ event: MergeStarted, _ revision: Revision) {
    shard = event.shard
    absorbed = event.absorbed
    purpose = event.purpose
    step = .copying
    started = revision
    changed = revision
  }

  mutating func take(_ event: MergeAdvanced, _ revision: Revision) {
    step = event.step
    absorbedEpoch = event.epoch
    changed = revision
  }
}

extension CollectionRow {
  mutating func take(_ event: MergeStarted, _ revision: Revision) { changed = revision }

  mutating func take(_ event: MergeAdvanced, _ revision: Revision) {
    // What it copied is not its own.
    if event.step == .cancelled, !unpruned.contains(event.shard) { unpruned.append(event.shard) }
    changed = revision
  }

  mutating func take(_ event: ShardsMerged, _ revision: Revision) {
    if let place = children.firstIndex(where: { $0.shard == event.absorbed }) {
      children[place].state = .merged
    } else {
      widened.removeAll { $0.range.isHalf(of: event.range) }
      widened.append(SplitRange(index: event.range.residue, range: event.range))
      widened.sort { $0.index < $1.index }
    }
    unpruned.removeAll { $0 == event.absorbed }
    changed = revision
  }
}

extension KeyRange {
  fileprivate func isHalf(of other: KeyRange) -> Bool { whole == other }
}
