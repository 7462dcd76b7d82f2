import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol

/// Answers from a server.
final class ServerSource: Source {
  let client: Client

  init(_ connection: Connection) { client = connection.client }

  func answer(_ question: Question, at moment: Moment) async throws -> ReadReply {
    var reply: ReadReply = try await ask(.read, ReadRequest(question, at: moment))
    while reply.answer.next != 0 {
      // The later pages speak of the same revision as the first.
      let request = ReadRequest(question.after(reply.answer.next), at: .revision(reply.revision))
      let page: ReadReply = try await ask(.read, request)
      reply.answer.append(page.answer)
    }
    return reply
  }

  /// A question that got no answer had no effect either.
  func ask<Reply: Message>(_ method: Method, _ request: some Message) async throws -> Reply {
    do throws(ClientError) {
      return try await client.call(method, request)
    } catch {
      throw ServerSource.harmless(error)
    }
  }

  static func harmless(_ error: any Error) -> Failure {
    if case .outcomeUnknown(let problem)? = error as? ClientError {
      return Failure(.notReachable, "the server went away: \(problem)")
    }
    return Failure(error)
  }

  func info() async throws -> ServerInfo { try await ask(.serverInfo, ServerInfoRequest()) }

  func blame(_ request: BlameRequest) async throws -> BlameReply { try await ask(.blame, request) }

  func why(_ request: WhyRequest) async throws -> WhyReply { try await ask(.why, request) }

  func bisect(_ request: BisectRequest) async throws -> BisectReply { try await ask(.bisect, request) }

  func log(_ request: LogRequest, _ each: (CommitReport) throws -> Void) async throws -> HistoryEnd {
    try await items(.log, request) { item in if let commit = item.commit { try each(commit) } }
  }

  func diff(_ a: Moment, _ b: Moment, _ each: (Difference) throws -> Void) async throws -> HistoryEnd {
    try await items(.diff, DiffRequest(a, b)) { item in if let difference = item.difference { try each(difference) } }
  }

  private func items(
    _ method: Method, _ request: some Message, _ each: (HistoryItem) throws -> Void
  ) async throws -> HistoryEnd {
    var end: HistoryEnd?
    do {
      try await client.stream(method, request).forEach { element in
        switch element {
        case .item(let bytes): try each(try HistoryItem(bytes: bytes))
        case .end(let bytes): end = try HistoryItem(bytes: bytes).end
        }
        return true
      }
    } catch {
      throw ServerSource.harmless(error)
    }
    guard let end else { throw Failure(.notReachable, "the server ended before it had said all") }
    return end
  }
}
