internal import MusterKernel

import ArgumentParser
import MusterClient
import MusterCluster
import MusterProtocol
import MusterRendering
import MusterServer

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

  /// Executes a command and prints what became of it.
  func run(_ command: Command) async throws {
    let request = try request(command)
    let reply = try await send(request)
    show(reply, request)
  }

  private func request(_ command: Command) throws -> Request {
    var request = Request(command, reason: reason)
    (request.client, request.sequence) = try identity()
    request.expectedRevision = expectRevision
    request.isDryRun = dryRun
    return request
  }

  /// Without an id of the caller's, one for this user on this host, with the clock as sequence: so that calls do not
  /// leave a session each behind.
  private func identity() throws -> (String, UInt64) {
    guard let requestID else {
      let client = Terminal.sanitized("cli.\(Terminal.userName).\(Terminal.hostName)")
      return (String(client.prefix(Limits.nameBytes)), Clock.now().wall)
    }
    let parts = requestID.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, Names.isValid(String(parts[0])), let sequence = UInt64(parts[1]), sequence > 0 else {
      throw Failure.usage("--request-id is CLIENT:SEQUENCE, a name and a number from 1, not \"\(requestID)\"")
    }
    return (String(parts[0]), sequence)
  }

  private func send(_ request: Request) async throws -> ExecuteReply {
    let client = try Connection(server).client
    do throws(ClientError) {
      return try await client.execute(request, attempts: 1) { _ in }
    } catch {
      let failure = Failure(error)
      guard failure.code == .outcomeUnknown else { throw failure }
      throw Failure(
        .outcomeUnknown,
        "\(failure.message); retry with --request-id \(request.client):\(request.sequence) to have one effect")
    }
  }

  private func show(_ reply: ExecuteReply, _ request: Request) {
    let head = DocumentHead(schema: "mutation", timeline: reply.timeline, revision: reply.revision, time: 0)
    var members: [JSON.Member] = [
      .init("outcome", .text(reply.outcome.name)), .init("commit", .optional(reply.commit)),
      .init("requestID", .text("\(request.client):\(request.sequence)")),
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
