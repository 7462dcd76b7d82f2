internal import MusterAudit
internal import MusterBytes
internal import MusterCluster
internal import MusterLog
package import MusterProtocol

/// Makes the proof of an export, part by part: the stored bytes of the commits that it shows and of those that named what
/// they speak of, and for all others of the tree as few hashes as there can be.
///
/// The parts come in the order of the log, so whoever checks them needs no more memory than a tree's right edge: each
/// commit's leaf and each hash is appended, and at the end the root must be the signed one.
package final class ExportProver {
  private enum Phase {
    /// Looks at what is shown for the names that it needs.
    case needs
    /// Looks for the commits that gave them, from the newest to the oldest.
    case names
    case parts
    case done
  }

  /// Units of blocks that are looked through at once: others wait for this thread.
  private static let unitsAtOnce = 16
  private static let partsAtOnce = 4
  static let partBytes = 256 * 1024

  private let history: History
  private let tree: StoredTree
  private let shown: RevisionRanges
  private var phase = Phase.needs
  private var needed = NamesNeeded()
  /// What gives names in what is shown.
  private var given: [Event] = []
  private var named: [Revision] = []
  /// What is still to be read, the next at the end.
  private var units: [LogUnit] = []
  /// What is proved.
  private var leaves = RevisionRanges()
  /// How many commits the parts so far stand for.
  private var proved: UInt64 = 0
  private var part = ProofPart()
  private var ready: [ProofPart] = []

  package init(_ request: ProveExportRequest, _ history: History, _ files: AuditFiles) throws(HistoryError) {
    guard let ranges = RevisionRanges(runs: request.runs), ranges.ranges.last?.upperBound ?? 0 <= request.size else {
      throw .refused(Refusal(.invalid, "the revisions of the export go beyond the checkpoint"))
    }
    self.history = history
    shown = ranges
    tree = try history.tree(of: request.size, root: request.root, files)
    // What is shown from the beginning without a gap brings its names along.
    if ranges.ranges.count <= 1, ranges.ranges.first?.lowerBound ?? 1 == 1 {
      beginParts()
    } else {
      units = unitsOverlapping(shown).reversed()
    }
  }

  package var isDone: Bool { phase == .done && ready.isEmpty }

  /// The next parts, at most so many; fewer, or none, when much was looked through.
  package func next(_ count: Int) throws(HistoryError) -> [ProofPart] {
    var looked = 0
    let wanted = min(count, ExportProver.partsAtOnce)
    while ready.count < wanted, looked < ExportProver.unitsAtOnce, phase != .done {
      looked += 1
      if let unit = units.popLast() { try look(at: unit) } else { try endPhase() }
    }
    let given = Array(ready.prefix(wanted))
    ready.removeFirst(given.count)
    return given
  }

  private func unitsOverlapping(_ ranges: RevisionRanges) -> [LogUnit] {
    guard let first = ranges.ranges.first, let last = ranges.ranges.last else { return [] }
    return history.log.units(from: first.lowerBound, through: last.upperBound)
      .filter { ranges.overlaps($0.firstRevision...$0.lastRevision) }
  }

  private func endPhase() throws(HistoryError) {
    switch phase {
    case .needs:
      phase = .names
      // What is shown brings these along; what a name speaks of was named before it.
      for event in given.reversed() { _ = needed.take(from: event) }
      given = []
      // The next at the end is the newest.
      units = history.log.units(from: 1, through: shown.ranges.last?.upperBound ?? 0)
        .filter { !shown.contains($0.firstRevision...$0.lastRevision) }
    case .names:
      if !needed.isEmpty, let horizon = history.log.horizon { try takeNames(at: horizon) }
      beginParts()
    case .parts:
      closePart()
      try skip(to: tree.size)
      phase = .done
    case .done: break
    }
  }

  /// Proves what was named before a cut by the root of all names that the cut has.
  private func takeNames(at horizon: Horizon) throws(HistoryError) {
    guard horizon.cutAt <= tree.size else {
      throw .refused(
        Refusal(
          .conflict,
          "what was named before the cut is proved by commit \(horizon.cutAt), and the newest checkpoint is of \(tree.size)"
            + " commits: a server signs a newer one"))
    }
    let root = try rootOfNames(at: horizon)
    let names = NamesTree(try history.state(at: horizon.revision))
    var places: Set<Int> = []
    // What a name speaks of stands before it.
    for (place, event) in names.events.enumerated().reversed() where needed.take(from: event) { places.insert(place) }
    guard !root.isEmpty || places.isEmpty, needed.isOfClientsAlone else {
      throw .cut(asked: "no proof is made (--no-proof exports without): what named something in it", horizon)
    }
    if places.isEmpty { return }
    guard names.root.array == root else {
      throw .divergence(horizon.revision, "the names there are not those that the cut says")
    }
    ready = names.parts(proving: places)
    named.append(horizon.cutAt)
  }

  /// Empty for a cut from before there was one.
  private func rootOfNames(at horizon: Horizon) throws(HistoryError) -> [UInt8] {
    for case .historyCut(let cut) in try history.commit(horizon.cutAt).events where cut.horizon == horizon.revision {
      return cut.names
    }
    return []
  }

  private func beginParts() {
    phase = .parts
    var names = RevisionRanges()
    for revision in named.sorted() { names.append(revision...revision) }
    leaves = shown.union(names)
    units = unitsOverlapping(leaves).reversed()
  }

  private func look(at unit: LogUnit) throws(HistoryError) {
    switch phase {
    case .needs:
      try forEachCommit(in: unit) { commit in
        guard shown.contains(commit.revision) else { return }
        needed.add(commit)
        given += commit.events.filter(\.givesName)
      }
    case .names:
      var commits: [Commit] = []
      try forEachCommit(in: unit) { if !shown.contains($0.revision) { commits.append($0) } }
      for commit in commits.reversed() where needed.take(from: commit) { named.append(commit.revision) }
    case .parts: try take(unit)
    case .done: break
    }
  }

  private func forEachCommit(in unit: LogUnit, _ body: (Commit) -> Void) throws(HistoryError) {
    try history.forEachCommit(in: unit, from: 1, through: tree.size) {
      body($0)
      return true
    }
  }

  // MARK: Parts

  /// The commits of the unit are copied first: hashes for what lies between are read from the same log, which holds one
  /// unit at a time.
  private func take(_ unit: LogUnit) throws(HistoryError) {
    var wanted: [(revision: Revision, bytes: [UInt8])] = []
    try history.log.forEachStoredCommit(in: unit, through: tree.size) { bytes, revision in
      if leaves.contains(revision) { wanted.append((revision, Array(bytes))) }
    }
    for (revision, bytes) in wanted {
      if revision > proved + 1 {
        closePart()
        try skip(to: revision - 1)
      }
      part.append(bytes)
      part.count += 1
      proved += 1
      if part.commits.count >= ExportProver.partBytes { closePart() }
    }
  }

  private func closePart() {
    if part.count > 0 { ready.append(part) }
    part = ProofPart()
  }

  /// Stands for the commits up to a revision by hashes.
  private func skip(to revision: Revision) throws(HistoryError) {
    guard revision > proved else { return }
    var gap = ProofPart()
    gap.count = revision - proved
    for subtree in Subtree.covering(proved, revision) { gap.hashes += try tree.hash(of: subtree).array }
    ready.append(gap)
    proved = revision
  }
}
