/// Where the key and the second copy of the newest checkpoint are, and how often one is signed.
package struct AuditSettings: Sendable {
  /// Nil: in the data directory.
  package var signingKey: String?
  /// A file on another disk or machine, where a rollback of the data directory does not reach. Nil for none.
  package var checkpointCopy: String?
  /// After so many seconds in which something changed a checkpoint is signed; 0 for only when one is asked for.
  package var intervalSeconds: Int64 = 60

  package init() {}
}
