/// The calls that a server answers. Numbers are never reused.
package enum Method: UInt16, Sendable, CaseIterable {
  /// `Request` → `ExecuteReply`: a command.
  case execute = 1
  /// `ReadRequest` → `ReadReply`: a question about the state, now or then.
  case read = 2
  /// `HeartbeatRequest` → `HeartbeatReply`.
  case heartbeat = 3
  /// `LogRequest` → stream of `CommitReport`.
  case log = 4
  /// `DiffRequest` → stream of `DiffEntry`.
  case diff = 5
  /// `WatchRequest` → stream of `WatchItem`.
  case watch = 6
  /// `AssignmentsRequest` → stream of `AssignmentsItem`.
  case assignments = 7
  /// `ServerInfoRequest` → `ServerInfo`.
  case serverInfo = 8
  /// `PositionsRequest` → `PositionsReply`: how far replicas are that promised an epoch.
  case positions = 9
  /// `BlameRequest` → `BlameReply`: who made each field of a thing what it is.
  case blame = 11
  /// `WhyRequest` → `WhyReply`: the chain of causes.
  case why = 12
  /// `BisectRequest` → `BisectReply`: the first revision at which a check became false.
  case bisect = 13
  /// `CheckpointRequest` → `CheckpointReply`: a signed checkpoint of what is durable.
  case checkpoint = 14
  /// `ProveRequest` → `ProveReply`: that a commit is in a tree, or that a tree goes on from another.
  case prove = 15
  /// `ProveExportRequest` → stream of `ProofPart`: stored commits, and hashes for those between.
  case proveExport = 16
  /// `BackupRequest` → stream of `BackupFile`, then a `BackupManifest`: what the journal has.
  case journalFiles = 17
  /// `BackupRead` → stream of the bytes of one file.
  case journalRead = 18

  /// True when elements are answered, as many as the client gave credit for, and then an end.
  package var isStream: Bool {
    switch self {
    case .execute, .read, .heartbeat, .serverInfo, .positions, .blame, .why, .bisect, .checkpoint, .prove: false
    case .log, .diff, .watch, .assignments, .proveExport, .journalFiles, .journalRead: true
    }
  }

  /// True when a call that was sent may have changed something, though its answer never came.
  package var isMutation: Bool { self == .execute }
}
