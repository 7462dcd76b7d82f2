internal import Synchronization

/// Whether new calls can be begun on a connection: written on its loop, read anywhere.
final class ConnectionStatus: Sendable {
  private let flag = Atomic(true)

  var isUsable: Bool {
    get { flag.load(ordering: .relaxed) }
    set { flag.store(newValue, ordering: .relaxed) }
  }
}
