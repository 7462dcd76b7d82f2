package import MusterCluster
package import MusterLog
package import MusterProtocol

/// What the kernel wants done. The shell carries effects out in order.
///
/// Ranges are of `Kernel.outbox`, where answers wait encoded; the shell sends them and then calls `effectsDone`.
package enum Effect: Sendable {
  /// Send the answer of a call.
  case reply(CallID, Range<Int>)
  /// Send one element of a stream; the stream had credit for it.
  case item(CallID, Range<Int>)
  /// End a call with an error.
  indirect case fail(CallID, RPCError)
  /// Answer from the past, off the kernel's thread. What it reads is durable.
  indirect case recall(CallID, Recall)
  /// Destroy a tenant's keys up to a number: their erasure is durable.
  case destroyKeys(tenant: TenantID, through: UInt32)
  /// Read commits for a watcher that is behind, and hand them to `Kernel.caughtUp`.
  case catchUp(CallID, from: Revision, through: Revision, limit: Int)
}

/// A question that needs more than the present state.
package enum Recall: Sendable {
  case read(ReadRequest)
  case log(LogRequest, credit: UInt32)
  case diff(DiffRequest, credit: UInt32)
  case checkpoint
  case prove(ProveRequest)
  case proveExport(ProveExportRequest, credit: UInt32)
  /// What the journal has.
  case journalFiles(credit: UInt32)
  /// The bytes of one of its files.
  case journalRead(BackupRead, credit: UInt32)
  case blame(BlameRequest)
  case why(WhyRequest)
  case bisect(BisectRequest)
}
