import MusterHosting
import Synchronization

/// A database in memory, for a host to care for. The data of all nodes is one object, which outlives agents as the
/// processes of a real database do.
final class MemoryDatabase: Sendable {
  struct Replica {
    var promised: UInt32 = 0
    var isLost: Bool
    var position = HostPosition(history: 0, offset: 0)
    var values: Set<String> = []
    var leadership: Leadership?
    var following: Following?

    var source: String? { following?.source?.address }

    func requirePromise(_ epoch: UInt32) throws {
      guard epoch >= promised else { throw HostProblem.notNow("it promised epoch \(promised)") }
    }

    func requireData() throws {
      guard !isLost else { throw HostProblem.dataLost("its data is gone, and was not copied anew yet") }
    }
  }

  let replicas = Mutex<[String: Replica]>([:])

  /// A write goes to the leader and to all that have everything so far, or to nobody.
  func write(_ value: String, to address: String) throws {
    try replicas.withLock { all in
      guard let leader = all[address], let leadership = leader.leadership, !leadership.isPaused else {
        throw HostProblem.notNow("it takes no writes")
      }
      let attached = all.filter { $1.source == address && $1.position == leader.position }.map(\.key)
      let counted = leadership.followers.filter { $0.isCounted && attached.contains($0.peer.address) }
      // The fence: who promised a later epoch follows this leader no more.
      guard counted.count >= leadership.acknowledgements else { throw HostProblem.notNow("too few replicas") }
      guard leadership.keys?.holds(Array(value.utf8)) ?? true else {
        throw HostProblem.notNow("another shard owns this key")
      }
      for place in attached + [address] {
        all[place]?.values.insert(value)
        all[place]?.position.offset += 1
      }
    }
  }

  func delete(_ value: String, from address: String) throws {
    try replicas.withLock { all in
      guard let leader = all[address], let leadership = leader.leadership, !leadership.isPaused else {
        throw HostProblem.notNow("it takes no writes")
      }
      for place in all.filter({ $1.source == address && $1.position == leader.position }).map(\.key) + [address] {
        all[place]?.values.remove(value)
        all[place]?.position.offset += 1
      }
    }
  }

  /// Forgets what is of other shards, as one write.
  func prune(keeping keys: HostedKeys, at address: String) throws {
    try replicas.withLock { all in
      guard let leader = all[address], leader.leadership != nil else { throw HostProblem.notNow("it does not lead") }
      for place in all.filter({ $1.source == address && $1.position == leader.position }).map(\.key) + [address] {
        all[place]?.values = leader.values.filter { keys.holds(Array($0.utf8)) }
        all[place]?.position.offset += 1
      }
    }
  }

  /// Makes another shard's keys what they are there, as one write.
  func absorb(_ absorption: HostedAbsorption, at address: String) throws {
    try replicas.withLock { all in
      guard let leader = all[address], let leadership = leader.leadership, !leadership.isPaused else {
        throw HostProblem.notNow("it takes no writes")
      }
      guard let source = all[absorption.source.address], source.leadership?.epoch == absorption.epoch else {
        throw HostProblem.notNow("\(absorption.source.node) does not lead in epoch \(absorption.epoch)")
      }
      let attached = all.filter { $1.source == address && $1.position == leader.position }.map(\.key)
      let counted = leadership.followers.filter { $0.isCounted && attached.contains($0.peer.address) }
      guard counted.count >= leadership.acknowledgements else { throw HostProblem.notNow("too few replicas") }
      let values =
        leader.values.filter { absorption.own.holds(Array($0.utf8)) }
        .union(source.values.filter { absorption.keys.holds(Array($0.utf8)) })
      guard values != leader.values else { return }
      for place in attached + [address] {
        all[place]?.values = values
        all[place]?.position.offset += 1
      }
    }
  }
}
