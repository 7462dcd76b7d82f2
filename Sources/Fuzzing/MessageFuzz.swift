internal import MusterBytes
internal import MusterCluster
internal import MusterHistory
internal import MusterLog
internal import MusterProtocol

enum MessageFuzz {
  static func run(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    kinds[Int(first) % kinds.count](Array(bytes.dropFirst()))
  }

  private static let kinds: [@Sendable ([UInt8]) -> Void] = [
    { check(Request.self, $0) }, { check(ExecuteReply.self, $0) }, { check(ReadRequest.self, $0) },
    { check(ReadReply.self, $0) }, { check(HeartbeatRequest.self, $0) }, { check(HeartbeatReply.self, $0) },
    { check(LogRequest.self, $0) }, { check(CommitReport.self, $0) }, { check(DiffRequest.self, $0) },
    { check(WatchRequest.self, $0) }, { check(WatchItem.self, $0) }, { check(AssignmentsRequest.self, $0) },
    { check(PositionsRequest.self, $0) }, { check(BlameRequest.self, $0) }, { check(WhyRequest.self, $0) },
    { check(BisectRequest.self, $0) }, { check(ProveRequest.self, $0) }, { check(ProofPart.self, $0) },
    { check(Hello.self, $0) }, { check(HelloReply.self, $0) }, { check(RPCError.self, $0) },
    { check(Commit.self, $0) }, { check(SealedIndex.self, $0) }, { check(SnapshotManifest.self, $0) },
    { check(Horizon.self, $0) }, { check(BackupManifest.self, $0) }, { check(Ancestry.self, $0) },
    { check(StateOutline.self, $0) }, { _ = (try? ProofRecord(bytes: $0))?.expanded },
  ]

  /// What can be read is written so that it reads as the same, and is written the same again.
  private static func check<M: Message>(_: M.Type, _ bytes: [UInt8]) {
    _ = try? M(bytes: bytes, refusingUnknownFields: true)
    guard let message = try? M(bytes: bytes) else { return }
    let written = message.encoded()
    guard let again = try? M(bytes: written, refusingUnknownFields: true) else {
      preconditionFailure("\(M.self) cannot be read as it was written")
    }
    precondition(again.encoded() == written, "\(M.self) is written in two ways")
  }
}
