internal import MusterKernel
internal import MusterBytes

import MusterClient
import MusterCluster
import MusterProtocol
import MusterServer

/// The request id of one mutation: the caller's, or one for this user on this host, with the clock as sequence, so that
/// calls do not leave a session each behind.
struct RequestIdentity {
  /// How often an id of ours is chosen anew.
  private static let choices = 4

  private let client: String
  /// Nil when the clock says it.
  private let sequence: UInt64?

  /// - Parameter text: CLIENT:SEQUENCE; nil when the caller gave none.
  init(_ text: String?) throws {
    guard let text else {
      let name = Terminal.sanitized("cli.\(Terminal.userName).\(Terminal.hostName)")
      (client, sequence) = (String(name.prefix(Limits.nameBytes)), nil)
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, Names.isValid(String(parts[0])), let number = UInt64(parts[1]), number > 0 else {
      throw Failure.usage("--request-id is CLIENT:SEQUENCE, a name and a number from 1, not \"\(text)\"")
    }
    (client, sequence) = (String(parts[0]), number)
  }

  /// Sends the request once. When the outcome is not known, the failure says how to retry.
  ///
  /// A request with an id of ours was never sent before. So when the cluster says it was, another process of this user
  /// chose the same microsecond; and when the cluster has forgotten whether it was, this clock is behind that of the
  /// last one. Both times another id is right.
  func send(_ request: inout Request, to client: Client) async throws -> ExecuteReply {
    request.client = self.client
    request.sequence = sequence ?? Clock.now().wall
    for _ in 1..<RequestIdentity.choices where sequence == nil {
      do {
        let reply = try await once(request, client)
        if reply.outcome != .repeated { return reply }
        request.sequence += 1
      } catch let error as ClientError where error.refusal?.code == .requestForgotten {
        request.sequence = max(Clock.now().wall, try await highest(client) + 1)
      }
    }
    return try await once(request, client)
  }

  private func once(_ request: Request, _ client: Client) async throws -> ExecuteReply {
    do throws(ClientError) {
      return try await client.execute(request, attempts: 1) { _ in }
    } catch {
      let failure = Failure(error)
      guard failure.code == .outcomeUnknown else { throw error }
      throw Failure(
        .outcomeUnknown, "\(failure.message); retry with --request-id \(request.idText) to have one effect")
    }
  }

  /// The highest sequence of ours that was executed.
  private func highest(_ client: Client) async throws -> UInt64 {
    let question = Question.session(SessionQuestion(client: self.client))
    let reply: ReadReply = try await client.call(.read, ReadRequest(question))
    return reply.answer.session?.highest ?? 0
  }
}

extension ClientError {
  /// The refusal, when the server understood the command and said no.
  fileprivate var refusal: Refusal? {
    guard case .rpc(let error) = self, error.code == .refused else { return nil }
    return try? Refusal(bytes: error.details)
  }
}
