package import MusterBytes
package import MusterCluster
package import MusterLog

/// Orders all change: decides requests one by one on the newest state, gathers their commits into blocks, and says
/// when what they saw is durable.
///
/// While one block is on its way to the disk the next one fills. Nothing that was decided may leave before its block
/// is durable.
///
/// Invariants:
/// - `head.revision` = `published.revision` + the commits in `queue` and in the block that fills.
/// - Blocks become durable in the order in which they were sealed.
package struct Sequencer: ~Copyable {
  /// The newest state, durable or not. Only `decide` looks at it.
  package private(set) var head: State
  /// The state after the last durable block: what everybody sees.
  package private(set) var published: State

  private var filling: BlockBuilder
  private var fillingEvents: UInt32 = 0
  private var fillingCommits: [Commit] = []
  /// Sealed blocks that are not durable yet, the oldest first; the first one is on its way if `isBusy`.
  private var queue: [SealedStep] = []
  private var isBusy = false
  private let origin: BlockOrigin
  private var scratch = ByteWriter(capacity: 4096)

  /// Sealed blocks that may wait before requests are turned away.
  package static let blocksWaitingMax = 16

  /// - Parameter chain: the chain value of the last block in the log.
  package init(_ state: State, origin: BlockOrigin, after chain: SHA256Value) {
    filling = BlockBuilder(after: chain)
    head = state
    published = state
    self.origin = origin
  }

  /// True when so much waits for the disk that no more is taken.
  package var isFull: Bool { queue.count >= Sequencer.blocksWaitingMax }

  /// True when commits wait for their block to be sealed.
  package var isFilling: Bool { !filling.isEmpty }

  /// True when nothing waits for the disk.
  package var isIdle: Bool { queue.isEmpty && filling.isEmpty }

  /// Decides a request. What it saw is durable once `published` has reached `head.revision` as it is afterwards.
  package mutating func execute(
    _ request: Request, _ context: RequestContext, _ planner: some Planner
  ) -> Outcome {
    // Sealed before deciding: the digest of a block is of the state after its last commit.
    if !filling.fits(Limits.commitBytes) { seal() }
    let outcome = head.execute(request, context, planner, encoded: &scratch)
    if case .committed(let commit) = outcome { append(commit) }
    return outcome
  }

  private mutating func append(_ commit: Commit) {
    filling.append(scratch.bytes)
    fillingEvents += UInt32(clamping: commit.events.count)
    fillingCommits.append(commit)
  }

  private mutating func seal() {
    precondition(!filling.isEmpty, "an empty block is never sealed")
    let block = filling.seal(
      origin: origin, firstRevision: head.revision + 1 - UInt64(fillingCommits.count), time: head.time,
      eventCount: fillingEvents, digest: head.digest)
    queue.append(SealedStep(block: block, view: head, commits: fillingCommits))
    fillingEvents = 0
    fillingCommits = []
  }

  /// The next block for the disk, when none is on its way: it must be made durable, then `blockDurable` called.
  package mutating func takeBlock() -> SealedBlock? {
    guard !isBusy else { return nil }
    if queue.isEmpty && !filling.isEmpty { seal() }
    guard let next = queue.first else { return nil }
    isBusy = true
    return next.block
  }

  /// The block on its way is durable: its state is published.
  package mutating func blockDurable() -> Publication {
    precondition(isBusy, "a block is durable only after it was taken")
    isBusy = false
    let step = queue.removeFirst()
    precondition(step.view.revision == published.revision + UInt64(step.commits.count), "blocks follow each other")
    let old = published
    published = step.view
    return Publication(commits: step.commits, bytes: step.block.bytes.count, replaced: old)
  }
}

/// A sealed block with the state after it.
private struct SealedStep {
  var block: SealedBlock
  var view: State
  var commits: [Commit]
}

/// What became visible when a block became durable.
package struct Publication: Sendable {
  package var commits: [Commit]
  /// How long the block is.
  package var bytes: Int
  /// The view that was replaced: whoever drops the last copy pays for freeing its pages.
  package var replaced: State
}
