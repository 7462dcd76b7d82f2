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
}
