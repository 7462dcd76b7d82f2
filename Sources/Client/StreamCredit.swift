internal import Synchronization

/// Which call a stream is, and how much of its window was read.
final class StreamCredit: Sendable {
  private let state: Mutex<(number: UInt32, read: UInt32)>
  private let window: UInt32

  init(_ window: UInt32) {
    self.window = window
    state = Mutex((0, 0))
  }

  func begin(_ number: UInt32) { state.withLock { $0.number = number } }

  var number: UInt32 { state.withLock { $0.number } }

  /// An element was read: the credit to grant, once half the window was.
  func consumed() -> (UInt32, UInt32)? {
    state.withLock { state in
      state.read += 1
      guard state.read >= max(window / 2, 1) else { return nil }
      defer { state.read = 0 }
      return (state.number, state.read)
    }
  }
}
