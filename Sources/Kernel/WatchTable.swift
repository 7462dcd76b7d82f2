internal import MusterCluster
internal import MusterProtocol

/// A stream of changes to one watcher.
struct Watch {
  var topic: WatchTopic
  /// The first revision that the watcher has not been shown.
  var next: Revision
  /// Elements it may still be sent.
  var credit: UInt32
  /// Commits are being read for it from the journal.
  var isCatchingUp = false
  /// The last revision that a sent element spoke of.
  var marked: Revision
}

/// The watchers, in the order of their calls.
struct WatchTable {
  private(set) var calls: [CallID] = []
  private var watches: [CallID: Watch] = [:]

  var count: Int { calls.count }

  subscript(call: CallID) -> Watch? {
    get { watches[call] }
    set { watches[call] = newValue }
  }

  mutating func add(_ call: CallID, _ watch: Watch) {
    precondition(watches[call] == nil, "a call is one watch")
    calls.append(call)
    watches[call] = watch
  }

  /// True when the call is a watch.
  mutating func grant(_ call: CallID, _ credit: UInt32) -> Bool {
    guard var watch = watches[call] else { return false }
    let (sum, overflow) = watch.credit.addingReportingOverflow(credit)
    watch.credit = overflow ? .max : sum
    watches[call] = watch
    return true
  }

  /// True when the call was one of these.
  @discardableResult
  mutating func remove(_ call: CallID) -> Bool {
    guard watches.removeValue(forKey: call) != nil else { return false }
    calls.removeAll { $0 == call }
    return true
  }

  mutating func remove(connection: UInt64) {
    guard calls.contains(where: { $0.connection == connection }) else { return }
    for call in calls where call.connection == connection { watches[call] = nil }
    calls.removeAll { $0.connection == connection }
  }
}
