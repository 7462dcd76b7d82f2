import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

/// What every command that changes something takes.
struct MutationOptions: ParsableArguments {
  @Option(help: "HOST:PORT[,HOST:PORT…] (default 127.0.0.1:7400, or MUSTER_SERVER).")
  var server: String?

  @Option(help: "CLIENT:SEQUENCE; a retry with the same id has one effect.")
  var requestID: String?

  @Option(help: "Refuse unless the cluster is at this revision.")
  var expectRevision: UInt64?

  @Option(help: "Why; it is kept in the log.")
  var reason: String = ""

  @Flag(help: "Say what would happen, and do nothing.")
  var dryRun = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try Failure.asValidation { _ = try RequestIdentity(requestID) }
  }

  /// Executes a command and prints what became of it.
  ///
  /// - Parameters:
  ///   - connection: the one to use, when the command has one already.
  ///   - revision: what the command was computed from; it is refused when placement moved on since.
  /// - Returns: the connection that was used.
  @discardableResult
  func run(
    _ command: Command, on connection: Connection? = nil, computedAt revision: Revision? = nil
  ) async throws -> Connection {
    let identity = try RequestIdentity(requestID)
    let used = try connection ?? Connection(server)
    var request = Request(command, reason: reason)
    request.expectedRevision = expectRevision
    request.expectedPlacement = revision
    request.isDryRun = dryRun
    let reply = try await identity.send(&request, to: used.client)
    show(reply, request)
    return used
  }

  private func show(_ reply: ExecuteReply, _ request: Request) {
    let head = DocumentHead(schema: "mutation", timeline: reply.timeline, revision: reply.revision, time: reply.time)
    var members: [JSON.Member] = [
      .init("outcome", .text(reply.outcome.name)), .init("commit", .optional(reply.commit)),
      .init("requestID", .text(request.idText)),
    ]
    if reply.outcome == .wouldCommit { members.append(.init("events", .list(reply.events.map(\.json)))) }
    output.show(head, members) {
      switch reply.outcome {
      case .committed, .repeated: "revision \(reply.commit)\n"
      case .unchanged: "unchanged\n"
      case .wouldCommit: reply.events.map { "would: \($0.words)\n" }.joined()
      }
    }
  }
}

extension Request {
  /// `CLIENT:SEQUENCE`, as `--request-id` takes it.
  var idText: String { "\(client):\(sequence)" }
}
