package import MusterCluster
internal import MusterHosting
internal import MusterPeers
package import MusterProtocol

/// Turns assignments into work on a host: one worker for each replica, so that one that hangs keeps no other waiting, and
/// none of them the signs of life of the node.
package actor HostDriver {
  private struct Work {
    var worker: ReplicaWorker
    var task: Task<Void, Never>
  }

  private let hosting: Hosting
  private let executor = HostExecutor()
  private var book = AssignmentBook()
  private var works: [ShardID: Work] = [:]
  /// Replicas that were withdrawn and are not quite gone.
  private var endings: [ShardID: Task<Void, Never>] = [:]
  /// What replicas said when they promised.
  private var promises: [ShardID: ReplicaPosition] = [:]
  private var toldStatuses: [ShardID: ReplicaStatus] = [:]
  private var statusesToldAt = ContinuousClock.now
  private var hasTidiedUp = false

  /// Figures that change all the time are told this often.
  private static let statusInterval = Duration.seconds(1)

  package init(_ hosting: Hosting) { self.hosting = hosting }

  // MARK: What the control plane says

  package func restart() {
    book.restart()
    toldStatuses = [:]
  }

  package func apply(_ item: AssignmentsItem) async {
    _ = book.apply(item)
    for shard in item.withdrawn { end(shard) }
    if item.isComplete {
      for shard in works.keys.sorted() where book.assigned[shard] == nil { end(shard) }
      await tidyUp()
    }
    for assignment in item.assigned {
      guard let work = works[assignment.shard] else {
        begin(assignment)
        continue
      }
      work.worker.assign(assignment)
      // It may have been said before, and not been heard.
      if !assignment.isOpened, work.worker.isReady { book.opened(assignment.shard) }
    }
  }

  /// Before anything new is made what an earlier agent left behind goes, as far as it is not assigned any more.
  private func tidyUp() async {
    guard !hasTidiedUp else { return }
    hasTidiedUp = true
    let (host, kept) = (hosting.host, Set(book.assigned.keys).union(endings.keys))
    await Task(executorPreference: executor) { try? await host.keepOnly(kept) }.value
  }

  private func begin(_ assignment: Assignment) {
    let worker = ReplicaWorker(assignment, hosting.host)
    let (before, checksums) = (endings.removeValue(forKey: assignment.shard), hosting.checksums)
    let task = Task(executorPreference: executor) { [weak self] in
      await before?.value
      await worker.run(checksums: checksums) { [weak self] in await self?.hear($1, about: $0) }
    }
    works[assignment.shard] = Work(worker: worker, task: task)
  }

  private func end(_ shard: ShardID) {
    guard let work = works.removeValue(forKey: shard) else { return }
    work.worker.withdraw()
    endings[shard] = work.task
    promises[shard] = nil
    toldStatuses[shard] = nil
  }

  // MARK: What the host says

  private func hear(_ news: [ReplicaPilot.News], about assignment: Assignment) {
    for item in news {
      switch item {
      case .opened: book.opened(assignment.shard)
      case .position(let position): promises[assignment.shard] = position
      case .follower(let follower, let isInSync): book.note(assignment, follower: follower, isInSync: isInSync)
      case .yielded: book.yielded(assignment)
      case .minimumHeld: book.heldMinimum(assignment)
      case .splitReady(let nodes): book.splitReady(assignment, nodes: nodes)
      case .pruned: book.pruned(assignment)
      case .paused: book.paused(assignment)
      case .absorbed(let hasEverything): book.absorbed(assignment, hasEverything: hasEverything)
      case .lost(let isGone): book.lost(assignment, isGone: isGone)
      }
    }
  }

  /// Positions that elections wait for, and statuses that changed; nil when there is nothing to say.
  package func nextPositions(_ identity: Heartbeat) -> PositionsRequest? {
    let positions = book.waitingElections.compactMap { shard, epoch in
      promises[shard].flatMap { $0.epoch == epoch ? $0 : nil }
    }.prefix(PositionsRequest.positionsMax)
    var request = PositionsRequest(node: identity.node, incarnation: identity.incarnation, positions: Array(positions))
    request.statuses = changedStatuses()
    return request.positions.isEmpty && request.statuses.isEmpty ? nil : request
  }

  private func changedStatuses() -> [ReplicaStatus] {
    let isTime = statusesToldAt.duration(to: .now) >= HostDriver.statusInterval
    if isTime { statusesToldAt = .now }
    var changed: [ReplicaStatus] = []
    for shard in works.keys.sorted() where changed.count < PositionsRequest.statusesMax {
      guard let status = works[shard]?.worker.status else { continue }
      let told = toldStatuses[shard]
      let isNews = told?.address != status.address || told?.problem != status.problem
      if isNews || (isTime && told != status) { changed.append(status) }
    }
    return changed
  }

  package func told(_ request: PositionsRequest) {
    for position in request.positions { book.told(position) }
    for status in request.statuses { toldStatuses[status.shard] = status }
  }

  package func nextReport(_ identity: Heartbeat) -> ReportReplicas? {
    book.nextReport(node: identity.node, incarnation: identity.incarnation)
  }

  package func reported(_ report: ReportReplicas) { book.reported(report) }
}
