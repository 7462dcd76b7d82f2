internal import MusterBytes
package import MusterCluster
package import MusterLog

/// One reading of everything that is stored, piece by piece: every checksum and chain value of the log and of the
/// snapshots, and a second state that follows the log beside the live one, and must have its digest after every block.
///
/// The second state lives on from pass to pass, so each commit is replayed once, and begins at the newest snapshot. A
/// fault of a file does not end the pass: what can be read behind it is.
package final class ScrubPass {
  /// What a piece came to.
  package enum Step: Sendable {
    case read(bytes: Int)
    case fault(Fault)
    /// The state that follows the log is another than the log says: one of the two is wrong.
    case divergence(Revision, String)
    case done
  }

  private let history: History
  /// The state that follows the log; nil when the log cannot be followed.
  package private(set) var shadow: State?
  private var snapshots: [SnapshotName] = []
  private var segments: ArraySlice<SegmentContent>
  /// Of the segment that is read: the units still to come, and the chain value so far.
  private var units: ArraySlice<LogUnit> = []
  private var chain = SHA256Value.zero
  private var isBegun = false

  /// - Parameter shadow: what an earlier pass ended with.
  package init(_ history: History, shadow: State?) {
    self.history = history
    self.shadow = shadow
    segments = history.log.segments.filter { $0.name.first <= history.last }[...]
  }

  /// Reads the next piece.
  package func next() -> Step {
    do {
      if !isBegun { return try begin() }
      if let name = snapshots.popLast() {
        _ = try history.snapshots.verify(name)
        return .read(bytes: try history.snapshots.size(name))
      }
      if let unit = units.popFirst() { return try read(unit) }
      guard let segment = segments.popFirst() else { return .done }
      units = segment.units.prefix { $0.lastRevision <= history.last }[...]
      chain = segment.chainBefore
      return .read(bytes: FrameHeader.byteCount)
    } catch {
      return step(error)
    }
  }

  private func begin() throws -> Step {
    isBegun = true
    snapshots = try history.snapshots.list().filter { $0.revision <= history.last }.reversed()
    guard shadow == nil else { return .read(bytes: 0) }
    let start = snapshots.first?.revision ?? 0
    shadow = start == 0 ? State() : try history.state(at: start)
    return .read(bytes: 0)
  }

  private func read(_ unit: LogUnit) throws -> Step {
    do {
      _ = try history.log.forEachBlock(in: unit) { view in
        if let stored = view.header.previousChain, stored != chain {
          throw LogError.corrupt(
            Fault(
              file: unit.segment.path, offset: unit.offset, revision: view.header.firstRevision,
              problem: "the block does not follow the one before"))
        }
        chain = view.chain(after: chain)
        try follow(view)
        return true
      }
      try checkEnd(of: unit)
      return .read(bytes: unit.storedBytes)
    } catch {
      // Behind a fault neither the chain nor the state can go on in this segment.
      units = []
      shadow = nil
      throw error
    }
  }

  private func checkEnd(of unit: LogUnit) throws {
    guard units.isEmpty, let segment = history.log.segments.first(where: { $0.name == unit.segment }),
      let stored = segment.chainAfter, unit.lastRevision == segment.lastRevision, stored != chain
    else { return }
    throw LogError.corrupt(
      Fault(
        file: unit.segment.path, offset: segment.fileBytes, revision: segment.lastRevision,
        problem: "the chain value at the end of the segment is another"))
  }

  private func follow(_ view: BlockView) throws {
    guard var state = shadow, state.revision < view.header.lastRevision, state.revision + 1 >= view.header.firstRevision
    else { return }
    // The only reference goes, or every page that is written would be copied.
    shadow = nil
    _ = try view.forEachCommit { bytes, revision in
      if revision > state.revision { try state.apply(stored: bytes) }
      return true
    }
    guard state.digest == view.header.digest else {
      throw HistoryError.divergence(
        view.header.lastRevision,
        "the log leads to digest \(state.digest.hex), and says \(view.header.digest.hex)")
    }
    shadow = state
  }

  private func step(_ error: any Error) -> Step {
    switch error {
    case LogError.corrupt(let fault), HistoryError.log(.corrupt(let fault)): return .fault(fault)
    case HistoryError.divergence(let revision, let problem): return .divergence(revision, problem)
    default: return .fault(Fault(file: Layout.log, offset: 0, problem: "\(error)"))
    }
  }

  /// Compares what everybody is shown with the state that followed the log, row by row.
  ///
  /// - Returns: what is wrong; nil when they agree, or when they are of different revisions.
  package func compare(_ live: State) -> String? {
    guard let shadow, shadow.revision == live.revision else { return nil }
    let rows = live.computedDigest()
    guard rows == shadow.digest, live.digest == shadow.digest else {
      return "what is served has digest \(live.digest.hex), its rows \(rows.hex), and the log leads to "
        + shadow.digest.hex
    }
    return nil
  }
}
