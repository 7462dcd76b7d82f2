package import MusterBytes
package import MusterCluster
package import MusterLog

/// Makes a data directory of the history up to a revision, for a cluster of its own.
///
/// Commits are identities and are never encoded anew; blocks are chained and are never changed. So whole segments up to
/// there are copied as they are, a segment that goes on behind it is packed anew from its blocks up to there, and of a
/// block that goes on behind it the commits up to there move into the first block of the new timeline. The last commit
/// of that block says what the cluster comes from.
package struct Restoration {
  /// Who restores, and when.
  package struct Occasion: Sendable {
    package var clusterID: String
    package var principal: String
    package var wallTime: Microseconds
    package var reason: String

    package init(clusterID: String, principal: String, wallTime: Microseconds, reason: String) {
      self.clusterID = clusterID
      self.principal = principal
      self.wallTime = wallTime
      self.reason = reason
    }
  }

  /// What became of it.
  package struct Result: Sendable {
    package var identity: LogIdentity
    /// The last commit that was taken over; the next one says that this cluster was restored.
    package var restored: Revision
    package var lastRevision: Revision
    package var digest: SetDigest
  }

  private let history: History
  private let source: any Storage
  private let revision: Revision
  private let occasion: Occasion
  /// The state at the revision.
  private var state: State
  /// Where the last block ends that is taken over whole, and its chain value.
  private var cut: (revision: Revision, chain: SHA256Value)
  /// The header of the block that holds the revision.
  private var last = BlockHeader()
  /// The commits behind the cut, as they are stored.
  private var moved: [[UInt8]] = []
  private var movedEvents = 0

  private init(_ history: History, _ source: any Storage, _ revision: Revision, _ occasion: Occasion) throws {
    self.history = history
    self.source = source
    self.revision = revision
    self.occasion = occasion
    state = try history.state(at: revision)
    cut = (0, .zero)
    try findCut()
  }

  /// Restores into an empty directory.
  ///
  /// - Parameters:
  ///   - source: where the log of `history` is.
  ///   - each: called after each file with the last revision so far.
  package static func run(
    _ history: History, from source: any Storage, at revision: Revision, into target: any Storage,
    _ occasion: Occasion, _ each: (Revision) -> Void = { _ in }
  ) throws -> Result {
    guard revision > 0 else { throw HistoryError.beforeBeginning(asked: "revision 0") }
    var restoration = try Restoration(history, source, revision, occasion)
    let identity = try restoration.identity()
    let files = try RestoreTarget(target, identity)
    try restoration.copySegments(files, each)
    try restoration.copySnapshots(files)
    let end = try restoration.begin(files)
    if let horizon = restoration.horizon() { try horizon.write(target, identity) }
    try files.finish()
    return Result(identity: identity, restored: revision, lastRevision: end.lastRevision, digest: end.digest)
  }

  // MARK: Where it is cut

  private mutating func findCut() throws {
    var header = BlockHeader()
    var commits: [[UInt8]] = []
    try history.log.forEachBlock(from: revision, through: revision) { block in
      header = block.header
      guard block.header.lastRevision > revision else { return false }
      return try block.forEachCommit { bytes, number in
        if number <= revision { commits.append(Array(bytes)) }
        return number < revision
      }
    }
    last = header
    moved = commits
    for bytes in commits { movedEvents += try Commit(bytes: bytes, refusingUnknownFields: true).events.count }
    cut.revision = header.lastRevision == revision ? revision : header.firstRevision - 1
  }

  /// The new cluster, with everything that it comes from.
  private mutating func identity() throws -> LogIdentity {
    try findChain()
    let log = history.log.identity
    // Of those that the cluster comes from itself: each one up to the one that wrote the block there.
    let older = log.ancestors.prefix { $0.lastRevision < revision }
    var parent = Ancestor()
    parent.clusterID = log.clusterID
    parent.timeline = log.timeline
    if older.count < log.ancestors.count { parent = log.ancestors[older.count] }
    parent.revision = revision
    parent.lastRevision = cut.revision
    parent.chain = cut.chain.withUnsafeBytes { Array($0) }
    let ancestors =
      older.map { ancestor in
        var ancestor = ancestor
        ancestor.revision = min(ancestor.revision, revision)
        return ancestor
      } + [parent]
    guard ancestors.count <= Ancestry.ancestorsMax else {
      throw Refusal(.limitReached, "this cluster was restored \(Ancestry.ancestorsMax) times already")
    }
    var identity = LogIdentity(clusterID: occasion.clusterID, timeline: log.timeline + 1)
    identity.ancestors = ancestors
    return identity
  }

  private mutating func findChain() throws {
    let at = cut.revision
    guard at > 0, let segment = history.log.segments.last(where: { $0.name.first <= at }) else { return }
    if segment.lastRevision == at, let chain = segment.chainAfter {
      cut.chain = chain
      return
    }
    var found = segment.chainBefore
    _ = try history.log.verifyChain(of: segment) { header, chain in if header.lastRevision <= at { found = chain } }
    cut.chain = found
  }

  // MARK: Files

  private func copySegments(_ files: RestoreTarget, _ each: (Revision) -> Void) throws {
    let log = history.log
    for segment in log.segments where segment.name.first <= cut.revision {
      let isWhole = segment.name.isSealed && segment.lastRevision <= cut.revision
      if isWhole, try isOfAncestor(segment, files.identity) {
        _ = try log.verifyChain(of: segment)
        try files.put(segment.name.path, try source.read(segment.name.path, at: 0, count: segment.fileBytes))
        each(segment.lastRevision)
        continue
      }
      let through = min(cut.revision, segment.lastRevision)
      let chain = try files.putSegment(
        first: segment.name.first, chainBefore: segment.chainBefore, run: last.origin.run, through: through,
        keys: History.keys
      ) { add in
        try log.forEachBlock(from: segment.name.first, through: through) { block in
          try add(block)
          return true
        }
      }
      guard through < cut.revision || chain == cut.chain else {
        throw HistoryError.divergence(through, "the block there has another chain value")
      }
      each(through)
    }
  }

  /// Whether the heir of this cluster takes a file's frames for its own. Those of a cluster that it does not come from,
  /// since all that was written under it is left behind, are written anew.
  private func isOfAncestor(_ segment: SegmentContent, _ identity: LogIdentity) throws -> Bool {
    let head = try source.read(segment.name.path, at: 0, count: FrameHeader.byteCount)
    guard case .valid(let header) = head.withUnsafeBytes({ FrameHeader.parse($0) }) else { return false }
    return identity.owns(header)
  }

  private func copySnapshots(_ files: RestoreTarget) throws {
    for name in try history.snapshots.list() where name.revision <= cut.revision {
      _ = try history.snapshots.verify(name)
      try files.put(name.path, try source.read(name.path, at: 0, count: try history.snapshots.size(name)))
    }
  }

  // MARK: The first block of the new timeline

  private mutating func begin(_ files: RestoreTarget) throws -> (lastRevision: Revision, digest: SetDigest) {
    guard let parent = files.identity.ancestors.last else { preconditionFailure("a restored cluster has a parent") }
    var began = TimelineBegan()
    began.parentCluster = parent.clusterID
    began.parentTimeline = parent.timeline
    began.revision = parent.revision
    began.lastRevision = parent.lastRevision
    began.chain = parent.chain
    let unsaid = try cutBehind()?.event
    var builder = BlockBuilder(after: cut.chain)
    for commit in moved { builder.append(commit) }
    let before = state.digest
    let timeBefore = state.time
    let (encoded, events) = try commit(.beginTimeline(BeginTimeline(began, cut: unsaid)))
    var blocks: [SealedBlock] = []
    var first = cut.revision + 1
    if !builder.fits(encoded.count) {
      blocks.append(seal(&builder, from: first, time: timeBefore, events: movedEvents, before))
      movedEvents = 0
      first = revision + 1
    }
    builder.append(encoded)
    blocks.append(seal(&builder, from: first, time: state.time, events: movedEvents + events, state.digest))
    _ = try files.putSegment(
      first: cut.revision + 1, chainBefore: cut.chain, run: last.origin.run + 1, through: state.revision,
      keys: History.keys
    ) { add in
      for block in blocks { try block.bytes.withUnsafeBytes { try add(try BlockView($0)) } }
    }
    return (state.revision, state.digest)
  }

  /// What was cut of the history by a commit that is not taken over.
  private func cutBehind() throws(HistoryError) -> PlannedCut? {
    guard let cut = try history.madeCut(), cut.horizon.revision > state.retention.horizon else { return nil }
    return cut
  }

  /// Where the history begins that is taken over; it names the commit of this timeline that says so.
  private func horizon() -> Horizon? {
    guard var horizon = history.log.horizon else { return nil }
    guard state.retention.horizon == horizon.revision else { return horizon }
    horizon.cutAt = state.retention.cutAt
    horizon.cutTime = state.retention.cutTime
    return horizon
  }

  private mutating func commit(_ command: Command) throws -> (bytes: [UInt8], events: Int) {
    let context = RequestContext(
      principal: "restore", kind: .controller, assurance: .own, wallTime: occasion.wallTime,
      reason: Reason(.restored, text: occasion.reason, arguments: ["by=\(occasion.principal)"]))
    var encoded = ByteWriter(capacity: 1024)
    switch state.execute(Request(command), context, NoPlanner(), encoded: &encoded) {
    case .committed(let commit): return (encoded.array(), commit.events.count)
    case .refused(let refusal): throw refusal
    case .repeated, .unchanged, .wouldCommit: preconditionFailure("a timeline that begins is a commit")
    }
  }

  private func seal(
    _ builder: inout BlockBuilder, from first: Revision, time: Microseconds, events: Int, _ digest: SetDigest
  ) -> SealedBlock {
    let origin = BlockOrigin(
      timeline: history.log.identity.timeline + 1, term: last.origin.term, run: last.origin.run + 1,
      featureLevel: last.origin.featureLevel)
    return builder.seal(
      origin: origin, firstRevision: first, time: time, eventCount: UInt32(clamping: events), digest: digest)
  }
}

/// A restore places nothing.
private struct NoPlanner: Planner {
  func place(_ count: Int, of total: Int, under policy: Policy, in state: State) -> Result<[[NodeID]], Refusal> {
    .failure(Refusal(.conflict, "nothing is placed while a cluster is restored"))
  }
}
