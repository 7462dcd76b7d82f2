package import MusterBytes

/// What is wrong with the files of a data directory, file by file: unlike a reader it goes on behind the first fault.
/// It changes nothing.
package struct DamageSurvey: Sendable {
  /// A segment, or revisions that no segment holds.
  package struct Piece: Sendable {
    package var first: UInt64
    /// Where the next one begins; nil for the last.
    package var through: UInt64?
    /// Its file; nil when there is none.
    package var name: SegmentName?
    /// Nil when all of it is in order.
    package var fault: Fault?
    /// Known when it is in order.
    package var chainBefore: SHA256Value?
    package var chainAfter: SHA256Value?
    package var lastRevision: UInt64?
  }

  package var pieces: [Piece] = []
  /// Snapshots that cannot be used, and why.
  package var snapshots: [(name: SnapshotName, fault: Fault)] = []
  /// The newest snapshot that is in order; 0 when there is none.
  package var newestSnapshot: UInt64 = 0
  package var horizon: Horizon?

  package var isWhole: Bool { snapshots.isEmpty && pieces.allSatisfy { $0.fault == nil } }

  /// Whether a file of another copy may hold what is missing here.
  package func wants(_ file: BackupFile) -> Bool {
    if let name = file.snapshot { return snapshots.contains { $0.name == name } }
    return pieces.contains { piece in
      piece.fault != nil && file.lastRevision >= piece.first && file.firstRevision <= piece.through ?? .max
    }
  }

  /// Reads everything.
  ///
  /// - Throws: what is no damage of a segment or snapshot: a foreign or newer file, or one that cannot be read at all.
  package init(_ storage: any Storage, _ identity: LogIdentity) throws {
    horizon = try Horizon.read(storage, identity)
    try surveySnapshots(storage, identity)
    let first = horizon?.firstRevision ?? 1
    let names = SegmentName.all(in: try storage.list(Layout.log)).filter { $0.first >= first }
    if names.first?.first != first { pieces.append(missing(first, through: names.first.map { $0.first - 1 })) }
    for (place, name) in names.enumerated() {
      let through = place + 1 < names.count ? names[place + 1].first - 1 : nil
      pieces.append(try survey(name, through: through, storage, identity))
    }
    checkLinks()
  }

  private func missing(_ first: UInt64, through: UInt64?) -> Piece {
    let file = Layout.sealed(first)
    return Piece(
      first: first, through: through, fault: Fault(file: file, offset: 0, revision: first, problem: "it is missing"))
  }

  private func survey(
    _ name: SegmentName, through: UInt64?, _ storage: any Storage, _ identity: LogIdentity
  ) throws -> Piece {
    var piece = Piece(first: name.first, through: through, name: name)
    do {
      let log = try LogReader(storage, identity: identity, only: name, confirmed: through ?? newestSnapshot)
      piece.chainAfter = try log.verifyChain(of: log.segments[0])
      piece.chainBefore = log.segments[0].chainBefore
      piece.lastRevision = log.lastRevision
      guard through == nil ? log.lastRevision >= newestSnapshot : log.lastRevision == through else {
        piece.fault = Fault(
          file: name.path, offset: log.segments[0].fileBytes, revision: log.lastRevision + 1,
          problem: "it ends before what is known to follow")
        return piece
      }
    } catch let error as LogError {
      piece.fault = try fault(from: error, name, storage, identity)
    }
    return piece
  }

  /// What an error says of a segment.
  private func fault(
    from error: LogError, _ name: SegmentName, _ storage: any Storage, _ identity: LogIdentity
  ) throws(LogError) -> Fault {
    switch error {
    case .corrupt(let fault): return fault
    case .foreign(let file):
      // A single frame that names another cluster is damage like any other; a file full of them is not ours.
      guard try SegmentSalvage.holdsBlocks(of: name, storage, identity) else { throw error }
      return Fault(file: file, offset: 0, revision: name.first, problem: "a frame is of another cluster")
    default: throw error
    }
  }

  /// Pieces that are in order by themselves and do not follow each other: the later one is taken for the wrong one.
  private mutating func checkLinks() {
    var chain: SHA256Value? = horizon.map { $0.chain.withUnsafeBytes { SHA256Value($0) } } ?? .zero
    for place in pieces.indices {
      if pieces[place].fault == nil, let known = chain, pieces[place].chainBefore != known {
        pieces[place].fault = Fault(
          file: pieces[place].name?.path ?? Layout.log, offset: 0, revision: pieces[place].first,
          problem: "the segment does not follow the one before")
      }
      chain = pieces[place].fault == nil ? pieces[place].chainAfter : nil
    }
  }

  private mutating func surveySnapshots(_ storage: any Storage, _ identity: LogIdentity) throws {
    let store = SnapshotStore(storage, identity)
    var usable: [UInt64] = []
    for name in try store.list() {
      if let fault = try DamageSurvey.fault(of: name, in: store, restingOn: usable) {
        snapshots.append((name, fault))
      } else {
        usable.append(name.revision)
        newestSnapshot = name.revision
      }
    }
  }

  /// - Parameter usable: the snapshots that are in order.
  private static func fault(
    of name: SnapshotName, in store: SnapshotStore, restingOn usable: [UInt64]
  ) throws(LogError) -> Fault? {
    do throws(LogError) {
      let manifest = try store.verify(name)
      if manifest.isBase || usable.contains(manifest.parent) { return nil }
      return Fault(file: name.path, offset: 0, problem: "the snapshot it changes cannot be used")
    } catch {
      switch error {
      case .corrupt(let fault): return fault
      case .foreign(let file): return Fault(file: file, offset: 0, problem: "it is of another cluster")
      default: throw error
      }
    }
  }
}
