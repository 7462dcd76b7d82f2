internal import MusterBytes

/// One thing that a repair does.
package enum RepairAction: Equatable, Sendable {
  /// A segment is written anew: so many blocks of its own that can still be read, and so many of the other copy.
  case rewrite(first: UInt64, through: UInt64, own: Int, donated: Int, replacing: String?)
  /// A snapshot is taken from the other copy.
  case takeSnapshot(String)
  /// A snapshot is moved aside, and those that rest on it: the log has everything, so nothing is lost by it.
  case setAside(String)
}

/// What stands in the way of a repair.
package enum RepairObstacle: Error, Equatable, Sendable, CustomStringConvertible {
  case otherCluster(String)
  /// No copy has a block that begins with this revision and fits.
  case unrecoverable(revision: UInt64, file: String)
  /// The snapshot that the horizon rests on is damaged, and the other copy has none.
  case horizonLost(String)

  package var description: String {
    switch self {
    case .otherCluster(let what): "the other copy is of \(what): nothing of it fits here"
    case .unrecoverable(let revision, let file):
      "\(file): revision \(revision) can be read in neither copy, or does not fit. Nothing is made up: take a copy that "
        + "reaches further, or restore a backup to where it ends"
    case .horizonLost(let file): "\(file) is what the oldest history rests on, and the other copy does not have it"
    }
  }
}

/// How a damaged data directory is repaired from another copy of the same journal. Making the plan changes nothing.
///
/// Only damaged segments are replaced, each block by its chain value: it must follow what is before it, and the last
/// must be what the next segment follows. What can still be read of the damaged file counts as a copy, too.
package struct RepairPlan {
  package private(set) var survey: DamageSurvey
  package private(set) var actions: [RepairAction] = []
  private var segments: [(piece: DamageSurvey.Piece, bytes: [UInt8])] = []
  private var snapshots: [(name: SnapshotName, bytes: [UInt8]?)] = []
  private let identity: LogIdentity

  /// - Throws: `RepairObstacle` when there is damage that cannot be repaired.
  package init(
    _ survey: DamageSurvey, _ storage: any Storage, _ identity: LogIdentity, from donor: RepairDonor
  ) throws {
    self.survey = survey
    self.identity = identity
    guard donor.identity == identity else {
      throw RepairObstacle.otherCluster("cluster \(donor.identity.clusterID), timeline \(donor.identity.timeline)")
    }
    var chain = survey.horizon.map { $0.chain.withUnsafeBytes { SHA256Value($0) } } ?? .zero
    for (place, piece) in survey.pieces.enumerated() {
      if piece.fault == nil, let after = piece.chainAfter {
        chain = after
        continue
      }
      let next = survey.pieces.dropFirst(place + 1).first?.chainBefore
      chain = try rebuild(piece, storage, donor, after: chain, before: next)
    }
    // A last segment that is gone leaves no trace here; the other copy knows of it.
    let last = survey.pieces.last
    if let last, last.fault == nil, let end = last.lastRevision, donor.block(from: end + 1, following: chain) != nil {
      _ = try rebuild(DamageSurvey.Piece(first: end + 1), storage, donor, after: chain, before: nil)
    }
    for (name, _) in survey.snapshots { try plan(name, donor) }
  }

  // MARK: Segments

  private mutating func rebuild(
    _ piece: DamageSurvey.Piece, _ storage: any Storage, _ donor: RepairDonor, after chainBefore: SHA256Value,
    before next: SHA256Value?
  ) throws -> SHA256Value {
    let salvage = try piece.name.map { (name) throws(LogError) in try SegmentSalvage(name, storage, identity) }
    let packer = SegmentPacker(
      identity, first: piece.first, chainBefore: chainBefore, run: 0, durableThrough: piece.through ?? 0)
    var assembly = Assembly(next: piece.first)
    while piece.through.map({ assembly.next <= $0 }) ?? true {
      guard try assembly.add(to: packer, salvage, donor) else { break }
    }
    let file = piece.name?.path ?? Layout.sealed(piece.first)
    let obstacle = RepairObstacle.unrecoverable(revision: assembly.next, file: file)
    if let through = piece.through {
      // What no later block vouches for is vouched for by the segment that follows.
      guard assembly.next == through + 1, next.map({ $0 == packer.chain }) ?? (assembly.unproven == 0) else {
        throw obstacle
      }
    } else {
      guard assembly.unproven == 0, assembly.next > piece.first, isEnd(assembly.next, piece, salvage) else {
        throw obstacle
      }
    }
    segments.append((piece, packer.finish()))
    actions.append(
      .rewrite(
        first: piece.first, through: assembly.next - 1, own: assembly.own, donated: assembly.donated,
        replacing: piece.name?.path))
    return packer.chain
  }

  /// Whether the log may end before a revision: nothing says that there was more.
  private func isEnd(_ next: UInt64, _ piece: DamageSurvey.Piece, _ salvage: SegmentSalvage?) -> Bool {
    guard survey.newestSnapshot < next, let salvage else { return survey.newestSnapshot < next }
    let isFaultRepaired = piece.fault?.revision.map { $0 < next } ?? true
    return salvage.durableThrough < next && salvage.blocks.keys.allSatisfy { $0 < next }
      && (isFaultRepaired && !salvage.isEndBroken)
  }

  /// Blocks that are put one behind the other.
  private struct Assembly {
    var next: UInt64
    var own = 0
    var donated = 0
    /// Own blocks that do not say what they follow, since the last that did.
    var unproven = 0

    /// Adds the next block; false when no copy has one that fits.
    mutating func add(
      to packer: SegmentPacker, _ salvage: SegmentSalvage?, _ donor: RepairDonor
    ) throws -> Bool {
      if let block = donor.block(from: next, following: packer.chain) {
        guard try RepairPlan.add(block.bytes, to: packer) else { return false }
        next = block.lastRevision + 1
        donated += 1
        unproven = 0
        return true
      }
      guard let block = salvage?.blocks[next], try RepairPlan.add(block.bytes, to: packer) else { return false }
      next = block.lastRevision + 1
      own += 1
      unproven = block.previousChain == nil ? unproven + 1 : 0
      return true
    }
  }

  private static func add(_ bytes: [UInt8], to packer: SegmentPacker) throws -> Bool {
    try bytes.withUnsafeBytes { packer.add(try BlockView($0)) }
  }

  // MARK: Snapshots

  private mutating func plan(_ name: SnapshotName, _ donor: RepairDonor) throws {
    if let bytes = donor.snapshot(name) {
      snapshots.append((name, bytes))
      actions.append(.takeSnapshot(name.path))
    } else if let horizon = survey.horizon, name.revision <= horizon.revision {
      throw RepairObstacle.horizonLost(name.path)
    } else {
      snapshots.append((name, nil))
      actions.append(.setAside(name.path))
    }
  }
}

// MARK: - Carrying it out

extension RepairPlan {
  /// Repairs. What is replaced is kept in `broken/` first; each file is whole before it takes its name. A run that is
  /// cut short is begun anew.
  package func execute(_ storage: any Storage) throws {
    try storage.makeDirectory(Layout.broken)
    try storage.syncDirectory(Layout.root)
    for (piece, bytes) in segments {
      if let name = piece.name { try keepAside(name.path, storage) }
      try storage.replace(Layout.sealed(piece.first), in: Layout.log, with: bytes)
      if let name = piece.name, !name.isSealed {
        try storage.remove(name.path)
        try storage.syncDirectory(Layout.log)
      }
    }
    for (name, bytes) in snapshots {
      try keepAside(name.path, storage)
      if let bytes {
        try storage.replace(name.path, in: Layout.snapshots, with: bytes)
      } else {
        try storage.remove(name.path)
        try storage.syncDirectory(Layout.snapshots)
      }
    }
  }

  private func keepAside(_ path: String, _ storage: any Storage) throws {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let copy = RecoveryPlan.free(name, among: try storage.list(Layout.broken))
    try storage.replace(
      copy, in: Layout.broken, with: try storage.read(path, at: 0, count: try storage.size(path) ?? 0))
  }
}
