package import MusterHosting
internal import Synchronization

/// Keys of which a Redis server said that they changed (`CLIENT TRACKING ON BCAST`), as far as they are of one shard.
package final class ChangedKeys: Sendable {
  private struct State {
    var keys: Set<[UInt8]> = []
    var bytes = 0
    /// Some were not kept, or all keys changed at once: nothing less than another copy of everything helps.
    var isIncomplete = false
  }

  private let shard: HostedKeys
  private let state = Mutex(State())
  /// No more are kept.
  static let keysMax = 256 * 1024
  static let bytesMax = 32 << 20

  package init(of shard: HostedKeys) { self.shard = shard }

  package var isIncomplete: Bool { state.withLock { $0.isIncomplete } }
  package var count: Int { state.withLock { $0.keys.count } }

  /// What the server pushed: `invalidate` and the keys, or nothing for all of them.
  package func hear(_ pushed: [RESPValue]) {
    guard pushed.first?.text == "invalidate" else { return }
    guard pushed.count == 2, case .array(let values) = pushed[1] else {
      state.withLock { $0.isIncomplete = true }
      return
    }
    add(
      values.compactMap { value in
        if case .bulk(let key) = value, shard.holds(key) { key } else { nil }
      })
  }

  package func add(_ keys: [[UInt8]]) {
    guard !keys.isEmpty else { return }
    state.withLock { state in
      for key in keys where state.keys.insert(key).inserted { state.bytes += key.count }
      guard state.keys.count > ChangedKeys.keysMax || state.bytes > ChangedKeys.bytesMax else { return }
      (state.keys, state.bytes, state.isIncomplete) = ([], 0, true)
    }
  }

  /// Takes some of them out.
  package func take(_ most: Int) -> [[UInt8]] {
    state.withLock { state in
      let taken = Array(state.keys.prefix(most))
      for key in taken {
        state.keys.remove(key)
        state.bytes -= key.count
      }
      return taken
    }
  }
}
