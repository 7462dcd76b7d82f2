import MusterCluster

/// Where commits of an export go, the oldest first. Opened again, it goes on where it ended.
protocol ExportSink: AnyObject {
  /// The last revision that is there already; nil when nothing is.
  var lastRevision: UInt64? { get }
  func append(_ commit: CommitReport) throws
  /// Returns when everything is on disk.
  func finish() throws
}
