import MusterCluster

/// One request of the replay. Its place in the replay, from 1, is its sequence: that is what makes it resumable.
enum Step: Equatable {
  case join(TracedNode, place: Int)
  case create(TracedWorkload)
  case delete(TracedWorkload)
}

/// The trace as a sequence of requests, always the same.
struct Replay {
  static let zones = 3
  static let racks = 30

  let steps: [Step]

  /// - Parameter deletes: without deletions the cluster fills up.
  init(_ trace: Trace, deletes: Bool) {
    let joins = trace.nodes.enumerated().map { Step.join($0.element, place: $0.offset) }
    steps = joins + Replay.inTimeOrder(trace.workloads, deletes: deletes)
  }

  /// Creations and deletions by time. At one time deletions come first, so that what leaves makes room for what comes;
  /// only a workload that leaves the moment it comes is created before.
  private static func inTimeOrder(_ workloads: [TracedWorkload], deletes: Bool) -> [Step] {
    struct Timed {
      var time: UInt64
      var rank: Int
      var place: Int
      var step: Step
    }
    var timed: [Timed] = []
    for (place, workload) in workloads.enumerated() {
      timed.append(Timed(time: workload.created, rank: 1, place: place, step: .create(workload)))
      guard deletes else { continue }
      let end = max(workload.deleted, workload.created)
      timed.append(Timed(time: end, rank: end == workload.created ? 2 : 0, place: place, step: .delete(workload)))
    }
    return timed.sorted { ($0.time, $0.rank, $0.place) < ($1.time, $1.rank, $1.place) }.map(\.step)
  }
}

extension Step {
  /// What is asked of the cluster.
  ///
  /// `cpu` and `gpu` are counted in thousandths, as the trace counts them, and `memory` in bytes.
  var command: Command {
    switch self {
    case .join(let node, let place):
      .joinNode(
        JoinNode(
          name: node.name, domain: Step.domain(place),
          labels: node.model.isEmpty ? [] : [Label("model", node.model)],
          capacity: Step.amounts(node.cpuMilli, node.memoryMiB, node.gpus * 1000), address: "",
          // Nobody beats for these nodes, so nobody watches over them.
          heartbeatMilliseconds: 0))
    case .create(let workload):
      .createCollection(
        CreateCollection(
          name: workload.name, shards: 1, policy: workload.policy, labels: workload.labels, tenant: ""))
    case .delete(let workload): .deleteCollection(DeleteCollection(name: workload.name))
    }
  }

  /// A rack is in one zone: both follow from the node's place in the list.
  private static func domain(_ place: Int) -> String {
    "openb/z\(place % Replay.zones)/r\(place % Replay.racks)"
  }

  static func amounts(_ cpuMilli: UInt64, _ memoryMiB: UInt64, _ gpuMilli: UInt64) -> [Amount] {
    [Amount("cpu", cpuMilli), Amount("gpu", gpuMilli), Amount("memory", memoryMiB << 20)]
  }
}

extension TracedWorkload {
  var policy: Policy {
    var policy = Policy()
    policy.replicas = 1
    policy.weights = Step.amounts(cpuMilli, memoryMiB, gpuMilli).filter { $0.value > 0 }
    return policy
  }

  /// The trace's own times, and what else it says of the workload.
  var labels: [Label] {
    var labels = [Label("creation_time", String(created)), Label("deletion_time", String(deleted))]
    if !gpuModels.isEmpty { labels.append(Label("gpu_spec", gpuModels)) }
    if !phase.isEmpty { labels.append(Label("pod_phase", phase)) }
    if !quality.isEmpty { labels.append(Label("qos", quality)) }
    if let scheduled { labels.append(Label("scheduled_time", String(scheduled))) }
    return labels
  }
}
