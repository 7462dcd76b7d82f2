import MusterBytes
import MusterCluster
import MusterControllers
import MusterWorkload

private let context = RequestContext(
  principal: "benchmark", kind: .service, assurance: .own, wallTime: 1_700_000_000_000_000)

/// Commits that change one row each, applied to a state of which a copy is published after every one and kept for a
/// while, as readers do: every write copies its path of pages.
func rowWrites(_ cluster: LargeCluster) {
  let falls = commits(cluster, LargeCluster.report)
  let elections = commits(cluster, LargeCluster.election)
  applyAndPublish(cluster, falls, "row write, a replica fell behind or caught up, a view per write")
  applyAndPublish(cluster, elections, "row write, a leader elected, a view per write")
  decideAndPublish(cluster)
}

private func commits(_ cluster: LargeCluster, _ next: (State, inout SeededGenerator) -> Command) -> [Commit] {
  var state = cluster.state
  var random = SeededGenerator(seed: 3)
  var commits: [Commit] = []
  while commits.count < 100_000 {
    if case .committed(let commit) = state.execute(Request(next(state, &random)), context, PlacementPlanner()) {
      commits.append(commit)
    }
  }
  return commits
}

/// The last views that were published, so that none is freed at once.
private struct Views {
  private var ring: [State]
  private var next = 0

  init(_ state: State) { ring = Array(repeating: state, count: 64) }

  mutating func publish(_ state: State) {
    ring[next] = state
    next = (next + 1) & 63
  }
}

private func applyAndPublish(_ cluster: LargeCluster, _ commits: [Commit], _ name: String) {
  var state = cluster.state
  var views = Views(state)
  let watch = Stopwatch()
  for commit in commits {
    do throws(ApplyError) { try state.apply(commit) } catch { fatalError("state-benchmark: \(error)") }
    views.publish(state)
  }
  show(name, watch.processor / Double(commits.count) / 1000, "µs", "at most 5", watch)
}

private func decideAndPublish(_ cluster: LargeCluster) {
  var state = cluster.state
  var views = Views(state)
  var random = SeededGenerator(seed: 4)
  var encoded = ByteWriter(capacity: 4096)
  let commands = (0..<100_000).map { _ in LargeCluster.report(state, &random) }
  let watch = Stopwatch()
  for command in commands {
    _ = state.execute(Request(command), context, PlacementPlanner(), encoded: &encoded)
    views.publish(state)
  }
  show(
    "the same decided, encoded and applied", watch.processor / Double(commands.count) / 1000, "µs", "for comparison",
    watch)
}

/// What a snapshot after one change would write.
func changedPages(_ cluster: LargeCluster) {
  var state = cluster.state
  var random = SeededGenerator(seed: 5)
  _ = state.execute(Request(LargeCluster.election(state, &random)), context, PlacementPlanner())
  var bytes = 0
  let watch = Stopwatch()
  do {
    try state.forEachPage(changedSince: cluster.state) { _, _, page in bytes += page.count }
  } catch {
    fatalError("state-benchmark: \(error)")
  }
  show("pages changed by one change", Double(bytes) / 1024, "KiB", "at most 100")
  show("finding and encoding them", watch.processor / 1000, "µs", "for comparison", watch)
}
