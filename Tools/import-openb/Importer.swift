import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol

/// Why an import stopped.
enum ImportError: Error, CustomStringConvertible {
  /// The cluster refused something that a fresh cluster would not.
  case refused(Step, Refusal)
  case stopped(ClientError, requestID: String)
  /// What was counted and what the log says are not the same.
  case miscounted(String)

  var description: String {
    switch self {
    case .refused(let step, let refusal): "\(step.command.name) was refused: \(refusal.message)"
    case .stopped(let error, let requestID): "\(error); run it again and it goes on with request \(requestID)"
    case .miscounted(let problem): problem
    }
  }
}

/// Sends the replay to a server, one request at a time, each with its place as request id. A lost answer is asked for
/// again; an importer that starts anew goes on where the cluster says its client was.
struct Importer {
  static let principal = "import-openb"
  private static let pauseMilliseconds: UInt64 = 100

  let client: Client
  /// The client's part of the request ids.
  let session: String
  /// Tries of one request before the import stops; they are 0.1 s apart.
  let attempts: Int
  private(set) var tally = Tally()
  /// The collections that exist: what was refused need not be deleted.
  private var living: Set<String> = []

  init(_ servers: ServerList, session: String, patienceSeconds: Int) {
    client = Client(servers, hello: Hello(principal: Importer.principal, kind: .service, software: "import-openb"))
    self.session = session
    attempts = max(1, patienceSeconds * 1000 / Int(Importer.pauseMilliseconds))
  }

  /// Sends what the cluster has not executed yet.
  ///
  /// - Parameter progress: is told how many requests are done, and of how many.
  mutating func run(_ replay: Replay, progress: (Int, Int) -> Void) async throws {
    try await resume()
    for (place, step) in replay.steps.enumerated() {
      let sequence = UInt64(place) + 1
      guard sequence > tally.resumedAfter else { continue }
      try await send(step, sequence)
      progress(place + 1, replay.steps.count)
    }
  }

  /// Asks where an earlier run ended, and what it left.
  private mutating func resume() async throws {
    let session = try await answer(.session(SessionQuestion(client: session)))
    tally.resumedAfter = session.session?.highest ?? 0
    guard tally.resumedAfter > 0 else { return }
    var question = CollectionsQuestion()
    repeat {
      let page = try await answer(.collections(question))
      living.formUnion(page.collections.map(\.name))
      question.page.after = page.next
    } while question.page.after != 0
  }

  private func answer(_ question: Question) async throws(ClientError) -> Answer {
    let reply: ReadReply = try await client.call(.read, ReadRequest(question))
    return reply.answer
  }

  private mutating func send(_ step: Step, _ sequence: UInt64) async throws {
    if case .delete(let workload) = step, living.remove(workload.name) == nil { return }
    let request = Request(step.command, client: session, sequence: sequence)
    do throws(ClientError) {
      let reply = try await client.execute(request, attempts: attempts) { _ in await Importer.pause() }
      tally.executed(isRepeated: reply.outcome == .repeated)
      if case .create(let workload) = step { living.insert(workload.name) }
    } catch {
      guard let refusal = error.refusal else {
        throw ImportError.stopped(error, requestID: "\(session):\(sequence)")
      }
      guard case .create = step, refusal.code == .unsatisfiable else { throw ImportError.refused(step, refusal) }
      tally.refused(refusal)
    }
  }

  @concurrent
  private static func pause() async {
    try? await Task.sleep(for: .milliseconds(pauseMilliseconds))
  }
}

extension ClientError {
  /// The refusal, when the server understood the command and said no.
  var refusal: Refusal? {
    guard case .rpc(let error) = self, error.code == .refused else { return nil }
    return try? Refusal(bytes: error.details)
  }
}
