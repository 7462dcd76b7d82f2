internal import MusterCluster
internal import MusterProtocol

/// A stream that tells one node what it must host.
struct AssignmentStream {
  var node: NodeID
  var incarnation: UInt64
  var credit: UInt32
  /// What the node was told to host.
  var told: Set<ShardID> = []
  /// Shards that the node must be told about anew.
  var dirty: Set<ShardID> = []
  /// Every shard below this number was looked at for the first telling; nil once all were.
  var scanning: ShardID? = 1
  /// It was said that everything was said.
  var isCompleteTold = false
}

/// The assignment streams, in the order of their calls.
struct AssignmentTable {
  private(set) var calls: [CallID] = []
  private var streams: [CallID: AssignmentStream] = [:]

  var isEmpty: Bool { calls.isEmpty }

  subscript(call: CallID) -> AssignmentStream? {
    get { streams[call] }
    _modify { yield &streams[call] }
  }

  mutating func add(_ call: CallID, _ stream: AssignmentStream) {
    precondition(streams[call] == nil, "a call is one stream")
    calls.append(call)
    streams[call] = stream
  }

  mutating func grant(_ call: CallID, _ credit: UInt32) -> Bool {
    guard let old = streams[call]?.credit else { return false }
    let (sum, overflow) = old.addingReportingOverflow(credit)
    streams[call]?.credit = overflow ? .max : sum
    return true
  }

  /// True when the call was one of these.
  @discardableResult
  mutating func remove(_ call: CallID) -> Bool {
    guard streams.removeValue(forKey: call) != nil else { return false }
    calls.removeAll { $0 == call }
    return true
  }

  mutating func remove(connection: UInt64) {
    guard calls.contains(where: { $0.connection == connection }) else { return }
    for call in calls where call.connection == connection { streams[call] = nil }
    calls.removeAll { $0.connection == connection }
  }
}
