package import MusterBytes
package import MusterCluster
internal import MusterControllers
package import MusterLog
internal import MusterProtocol

/// The control plane without its body: calls and time go in, effects come out. It has no thread, clock, socket or
/// file, so the simulator runs the same code as the server.
///
/// One caller at a time: the server's event loop, or the simulator's only thread. What every call touches is not checked
/// for exclusive access at run time, which would cost more than the work itself; no two of these are ever changed through
/// one another.
package final class Kernel {
  @exclusivity(unchecked) package var sequencer: Sequencer
  package let identity: Identity
  @exclusivity(unchecked) package private(set) var counters = Counters()

  /// Encoded answers that effects point into.
  @exclusivity(unchecked) package internal(set) var outbox = ByteWriter(capacity: 64 * 1024)
  /// What is to be done, in order.
  @exclusivity(unchecked) package internal(set) var effects: [Effect] = []

  /// Keeps the keys of sensitive values; without one none is taken.
  package var vault: (any Vault)?

  let planner = PlacementPlanner()
  var controllers = Controllers()
  @exclusivity(unchecked) var waiting = WaitingReplies()
  @exclusivity(unchecked) var watches = WatchTable()
  @exclusivity(unchecked) var recent = RecentCommits()
  var assignments = AssignmentTable()
  var statuses = StatusTable()
  /// Empty while commands are taken.
  package internal(set) var readOnlyBecause = ""

  /// - Parameters:
  ///   - state: what the log makes, with its digest followed.
  ///   - chain: the chain value of the last block in the log.
  package init(_ state: State, identity: Identity, after chain: SHA256Value) {
    sequencer = Sequencer(state, origin: identity.origin, after: chain)
    self.identity = identity
  }

  /// What readers see: the state after the last durable block.
  package var view: State { _read { yield sequencer.published } }

  /// Forgets the effects that the shell has carried out.
  package func effectsDone() {
    effects.removeAll(keepingCapacity: true)
    outbox.removeAll()
    recent.outboxEmptied()
  }

  func count(_ change: (inout Counters) -> Void) { change(&counters) }

  /// Encodes an answer into the outbox.
  func encode(_ message: some Message) -> Range<Int> {
    let start = outbox.count
    message.encode(into: &outbox)
    return start..<outbox.count
  }

  func fail(_ call: CallID, _ error: RPCError) { effects.append(.fail(call, error)) }
}

/// Whose log this is, and whose writing.
package struct Identity: Sendable {
  package var clusterID: String
  package var version: String
  package var origin: BlockOrigin

  package init(clusterID: String, version: String, origin: BlockOrigin) {
    self.clusterID = clusterID
    self.version = version
    self.origin = origin
  }

  package var timeline: UInt64 { origin.timeline }
}
