internal import MusterBytes

/// What was found when a log was opened: enough for a reader of the same files on another thread.
package struct LogContents: Sendable {
  package let identity: LogIdentity
  package let horizon: Horizon?
  package let segments: [SegmentContent]

  /// The chain value before the first segment.
  var beginning: SHA256Value {
    horizon.map { $0.chain.withUnsafeBytes { SHA256Value($0) } } ?? .zero
  }
  var firstRevision: UInt64 { segments.first?.name.first ?? 1 }
}

extension LogReader {
  package var contents: LogContents { LogContents(identity: identity, horizon: horizon, segments: segments) }
}
