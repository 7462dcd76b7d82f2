internal import MusterCluster
internal import MusterHosting
internal import MusterPeers
internal import MusterProtocol
internal import Synchronization

/// Carries out on the host what the pilot of one replica says, step after step, until the replica is withdrawn.
final class ReplicaWorker: Sendable {
  private struct State {
    var pilot: ReplicaPilot
    var replica: (any HostedReplica)?
    var isWithdrawn = false
    /// The step that the host works on, and since when.
    var underWay: (step: ReplicaPilot.Step, since: ContinuousClock.Instant)?
    var checksum: ReplicaChecksum?
  }

  let shard: HostedShard
  private let host: any ShardHost
  private let state: Mutex<State>
  private let wake: AsyncStream<Void>
  private let waker: AsyncStream<Void>.Continuation
  private let clock = ContinuousClock()

  private static let pause = Duration.milliseconds(200)
  /// A step that takes longer is told as a problem.
  private static let hanging = Duration.seconds(10)

  init(_ assignment: Assignment, _ host: any ShardHost) {
    shard = HostedShard(number: assignment.shard, collection: assignment.collection, index: assignment.index)
    self.host = host
    state = Mutex(State(pilot: ReplicaPilot(assignment)))
    (wake, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func assign(_ assignment: Assignment) {
    state.withLock { $0.pilot.assign(assignment) }
    waker.yield()
  }

  /// The replica is open, and has not been told to begin anew.
  var isReady: Bool { state.withLock { $0.pilot.isReady } }

  func withdraw() {
    state.withLock { $0.isWithdrawn = true }
    waker.yield()
  }

  /// Works until the replica is withdrawn and gone.
  ///
  /// - Parameters:
  ///   - checksums: how often one is made; nil for never.
  ///   - tell: told what the control plane should hear, with the assignment that it is about.
  func run(checksums: Duration?, _ tell: @Sendable (Assignment, [ReplicaPilot.News]) async -> Void) async {
    var nextChecksum = clock.now + (checksums ?? .zero)
    while !Task.isCancelled {
      if state.withLock({ $0.isWithdrawn }) {
        if await isDropped() { return }
      } else {
        let step = begin()
        let (assignment, news, isDone) = await carryOut(step)
        if !news.isEmpty { await tell(assignment, news) }
        if let checksums, case .look = step, clock.now >= nextChecksum {
          nextChecksum = clock.now + checksums
          await makeChecksum()
        }
        // What was done is looked at before long; what failed is not tried in a hurry.
        if isDone, step != .look { continue }
      }
      await sleep()
    }
  }

  private func begin() -> ReplicaPilot.Step {
    state.withLock {
      let step = $0.pilot.next
      $0.underWay = (step, clock.now)
      return step
    }
  }

  /// Waits a while, or until there is something new to do.
  private func sleep() async {
    let waker = waker
    let alarm = Task {
      try await Task.sleep(for: ReplicaWorker.pause)
      waker.yield()
    }
    var awaken = wake.makeAsyncIterator()
    _ = await awaken.next()
    alarm.cancel()
  }

  private func carryOut(_ step: ReplicaPilot.Step) async -> (Assignment, [ReplicaPilot.News], isDone: Bool) {
    let outcome: Result<(inout ReplicaPilot) -> [ReplicaPilot.News], any Error>
    do {
      outcome = .success(try await perform(step))
    } catch {
      outcome = .failure(error)
    }
    let now = milliseconds
    return state.withLock {
      $0.underWay = nil
      switch outcome {
      case .success(let note): return ($0.pilot.assignment, note(&$0.pilot), true)
      case .failure(let error): return ($0.pilot.assignment, $0.pilot.failed(step, error, now: now), false)
      }
    }
  }

  /// - Returns: what the pilot makes of it.
  private func perform(_ step: ReplicaPilot.Step) async throws -> (inout ReplicaPilot) -> [ReplicaPilot.News] {
    if case .open(let mustExist) = step {
      let replica = try await host.open(shard, mustExist: mustExist)
      state.withLock { $0.replica = replica }
      return { $0.opened() }
    }
    guard let replica = state.withLock({ $0.replica }) else { throw HostProblem.notNow("the replica is not open") }
    switch step {
    case .open: return { _ in [] }
    case .wipe:
      try await replica.wipe()
      return { $0.wiped() }
    case .drop:
      try await replica.drop()
      state.withLock { $0.replica = nil }
      return { $0.dropped() }
    case .promise(let epoch):
      let position = try await replica.promise(epoch: epoch)
      return { $0.promised(epoch, position) }
    case .lead(let leadership):
      try await replica.lead(leadership)
    case .follow(let following):
      try await replica.follow(following)
    case .prune(let keys):
      let isDone = try await replica.prune(keeping: keys)
      return { $0.pruned(isDone) }
    case .absorb(let absorption):
      let progress = try await replica.absorb(absorption)
      return { $0.absorbed(absorption, progress) }
    case .look:
      let (condition, now) = (try await replica.look(), milliseconds)
      return { $0.saw(condition, now: now) }
    }
    return {
      $0.took(step)
      return []
    }
  }

  private func isDropped() async -> Bool {
    do {
      if let replica = state.withLock({ $0.replica }) {
        try await replica.drop()
      } else {
        try await host.open(shard, mustExist: false).drop()
      }
      return true
    } catch {
      return false
    }
  }

  private func makeChecksum() async {
    guard let replica = state.withLock({ $0.replica }), let checksum = try? await replica.checksum() else { return }
    state.withLock { $0.checksum = checksum }
  }

  private var milliseconds: UInt64 {
    let elapsed = ReplicaWorker.origin.duration(to: clock.now)
    return UInt64(elapsed.components.seconds) * 1000 + UInt64(elapsed.components.attoseconds / 1_000_000_000_000_000)
  }

  private static let origin = ContinuousClock.now

  // MARK: What is told of it

  var status: ReplicaStatus {
    state.withLock { state in
      var status = ReplicaStatus(shard: shard.number)
      status.address = state.replica?.address ?? ""
      status.problem = state.pilot.problem.clipped(to: Limits.reasonBytes)
      if let (step, since) = state.underWay, since.duration(to: clock.now) > ReplicaWorker.hanging {
        status.problem =
          "the host \(host.name) hangs: \(step.name) takes \(since.duration(to: clock.now).components.seconds) s"
      }
      status.bytes = state.pilot.condition?.bytes ?? 0
      status.bytesToCopy = state.pilot.condition?.bytesToCopy ?? 0
      let epoch = state.pilot.assignment.epoch
      status.position = state.pilot.condition?.position.map { position($0, epoch) }
      if let checksum = state.checksum {
        status.checksum = checksum.value.clipped(to: ReplicaStatus.checksumBytes)
        status.checksumPosition = position(checksum.position, epoch)
      }
      return status
    }
  }

  private func position(_ position: HostPosition, _ epoch: UInt32) -> ReplicaPosition {
    ReplicaPosition(shard: shard.number, epoch: epoch, history: position.history, offset: position.offset)
  }
}

extension ReplicaPilot.Step {
  var name: String {
    switch self {
    case .open: "to open"
    case .wipe: "to wipe"
    case .drop: "to throw away what is there"
    case .promise: "to promise"
    case .lead: "to lead"
    case .follow: "to follow"
    case .prune: "to forget keys"
    case .absorb: "to copy another shard's keys"
    case .look: "to look"
    }
  }
}
