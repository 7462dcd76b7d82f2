package import MusterHosting

/// A write as a replica holds it.
package struct Record: Hashable {
  package enum Kind: Hashable {
    case write
    case delete
    /// All keys but these are forgotten.
    case keep(HostedKeys)
  }

  /// The epoch of the leader that took it.
  var epoch: UInt32
  /// Of a copy that of what was copied: of two writes to a key the later one has the larger number.
  var number: UInt64
  /// The hash of the key that was written; nil of what leaders write for themselves.
  var key: UInt64?
  var kind = Kind.write
  /// It was copied from a shard that is absorbed: no client wrote it here.
  var isCopy = false
}

/// What a log makes of each key: the last that was done to it.
struct ModelledContents {
  private(set) var last: [UInt64: Record] = [:]

  init(_ log: [Record]) {
    for record in log {
      if case .keep(let keys) = record.kind {
        last = last.filter { keys.holds(hash: $0.key) }
      } else if let key = record.key {
        last[key] = record
      }
    }
  }

  func among(_ keys: HostedKeys) -> [UInt64: Record] { last.filter { keys.holds(hash: $0.key) } }
}

/// One replica's data, and what its host makes of it.
package final class ModelledReplica {
  enum Role: Equatable {
    case idle
    case leading(Leadership)
    case following(Following)
  }

  // What survives its process.
  private(set) var log: [Record] = []
  /// Replication from leaders of older epochs is turned away.
  var promised: UInt32 = 0
  /// It had data, lost it, and has not copied everything since.
  var isIncomplete: Bool

  // What its process knows.
  var role = Role.idle
  /// The epoch whose leader's data it copies, directly or over others; 0 while it is attached to none.
  var attached: UInt32 = 0
  /// How long the log was when it began to lead: only its own epoch's records count towards an acknowledgement, and
  /// with one of them all before it.
  private(set) var beganAt = 0
  /// How many records it acknowledged or found acknowledged.
  var acknowledged = 0
  /// How far each follower said it is in this epoch, and when, in milliseconds.
  private(set) var progress: [String: (count: Int, at: UInt64)] = [:]
  /// Whose keys it copies into its own, without the pause.
  var absorption: HostedAbsorption?

  init(isIncomplete: Bool) { self.isIncomplete = isIncomplete }

  /// The epoch in which it leads, 0 when it does not.
  var leads: UInt32 {
    if case .leading(let leadership) = role { leadership.epoch } else { 0 }
  }

  /// Whose data it can pass on: the epoch of the leader that it is, or is attached to.
  var carries: UInt32 { leads != 0 ? leads : attached }

  func begin(_ record: Record) {
    promised = record.epoch
    beganAt = log.count
    log.append(record)
    progress = [:]
    absorption = nil
    acknowledged = 0
    attached = 0
  }

  func take(_ record: Record) { log.append(record) }

  func heard(_ follower: String, _ count: Int, _ now: UInt64) { progress[follower] = (count, now) }

  /// Its process was started anew: it serves nothing until it is told to.
  func restart() {
    role = .idle
    attached = 0
    progress = [:]
    absorption = nil
  }

  func wipe() {
    restart()
    log = []
    isIncomplete = true
  }

  /// Takes over what a source has, as much as comes through; what the source does not have goes.
  ///
  /// - Returns: how many records went.
  func copy(_ source: ModelledReplica, atMost count: Int) -> Int {
    var common = min(log.count, source.log.count)
    while common > 0, log[common - 1] != source.log[common - 1] { common -= 1 }
    let gone = log.count - common
    log.removeLast(gone)
    log += source.log[common..<min(source.log.count, common + count)]
    if log.count == source.log.count { isIncomplete = false }
    return gone
  }

  /// How many records at least `needed` of these followers have.
  func held(by followers: [String], needed: Int) -> Int {
    guard needed > 0 else { return log.count }
    let far = followers.map { progress[$0]?.count ?? 0 }.sorted(by: >)
    return far.count >= needed ? far[needed - 1] : 0
  }

  /// How many of these followers are attached now.
  func attachedCount(of followers: [String], _ now: UInt64) -> Int {
    followers.count { name in progress[name].map { now - min($0.at, now) < ModelledReplica.patience } ?? false }
  }

  /// A follower that was not heard for so long is not attached, in milliseconds.
  static let patience: UInt64 = 3000
}
