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
  private static let partBytes = 256 * 1024

  private let history: History
  private let tree: StoredTree
  private let shown: RevisionRanges
  private var phase = Phase.needs
  private var needed = NamesNeeded()
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
      // The next at the end is the newest.
      units = history.log.units(from: 1, through: shown.ranges.last?.upperBound ?? 0)
        .filter { !shown.contains($0.firstRevision...$0.lastRevision) }
    case .names: beginParts()
    case .parts:
      closePart()
      try skip(to: tree.size)
      phase = .done
    case .done: break
    }
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
    case .needs: try forEachCommit(in: unit) { if shown.contains($0.revision) { needed.add($0) } }
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
      var writer = ByteWriter(capacity: bytes.count + 8)
      writer.varint(UInt64(bytes.count))
      writer.raw(bytes)
      part.commits += writer.bytes
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
