import MusterClient
import MusterCluster
import MusterConsistency
import MusterProtocol
import MusterWorkload

/// Writes, deletes and reads keys that others write too, and says what it was told.
struct SharedClient: Sendable {
  let number: Int
  let keys: Int
  let address: String
  let history: SharedHistory
  let seed: UInt64

  private static let attemptsMax = 1_000_000
  private static let retryMilliseconds: UInt64 = 10

  func run() async {
    guard let servers = ServerList(address) else { return history.report("\(address) is no address") }
    let client = Client(servers, hello: Hello(principal: "torture", kind: .service, software: "torture"))
    var random = SeededGenerator(seed: seed &+ UInt64(number))
    var sequence: UInt64 = 0
    var seen: Revision = 0
    while !Task.isCancelled {
      let key = random.below(keys)
      do {
        if random.oneIn(2) {
          try await read(key, client, &seen)
        } else {
          sequence += 1
          try await change(key, sequence, client, &seen, &random)
        }
      } catch {
        if !Task.isCancelled { history.report("client \(number): \(error)") }
        break
      }
    }
    await client.close()
  }

  private func name(_ key: Int) -> String { "shared/\(key)" }

  // MARK: Reading

  /// A read that got no answer is nothing that anybody saw.
  private func read(_ key: Int, _ client: Client, _ seen: inout Revision) async throws(ClientError) {
    var question = ConfigsQuestion()
    question.key = name(key)
    let called = TrueTime.microseconds()
    do throws(ClientError) {
      let reply: ReadReply = try await client.call(.read, ReadRequest(.configs(question)), within: 30_000)
      let now = TrueTime.microseconds()
      var value: String?
      if case .text(let text) = reply.answer.configs.first?.value { value = text }
      history.add(.init(client: number, input: .read, called: called, answer: (now, .value(value))), key: key)
      history.add(.init(client: number, input: .read, called: called, answer: (now, .seen(reply.revision))))
      seen = reply.revision
    } catch .rpc(let error) where error.code == .refused {
      // There is no such key.
      let answer = (TrueTime.microseconds(), RegisterModel.Output.value(nil))
      history.add(.init(client: number, input: .read, called: called, answer: answer), key: key)
    } catch  where error.isWorthRetrying {
      await Client.sleep(milliseconds: SharedClient.retryMilliseconds)
    }
  }

  // MARK: Changing

  private func change(
    _ key: Int, _ sequence: UInt64, _ client: Client, _ seen: inout Revision, _ random: inout SeededGenerator
  ) async throws {
    let value = random.oneIn(5) ? nil : "\(number):\(sequence)"
    var request = Request(command(key, value), client: "shared-\(number)", sequence: sequence)
    if random.oneIn(4) { request.expectedRevision = seen }
    let called = TrueTime.microseconds()
    let outcome = await send(request, client)
    let now = TrueTime.microseconds()
    note(key, value, request.expectedRevision, called, now, outcome)
    switch outcome {
    case .success(let reply): seen = max(seen, reply.revision)
    case .failure(.rpc(let error)) where error.code == .refused: return
    case .failure(let error): throw error
    }
  }

  private func command(_ key: Int, _ value: String?) -> Command {
    let scope = ScopeName(.cluster)
    guard let value else { return .deleteConfig(DeleteConfig(key: name(key), scope: scope)) }
    return .setConfig(SetConfig(key: name(key), scope: scope, value: .text(value)))
  }

  private func send(_ request: Request, _ client: Client) async -> Result<ExecuteReply, ClientError> {
    do throws(ClientError) {
      return .success(
        try await client.execute(request, attempts: SharedClient.attemptsMax) { _ in
          await Client.sleep(milliseconds: Task.isCancelled ? 1000 : SharedClient.retryMilliseconds)
        })
    } catch {
      return .failure(error)
    }
  }

  private func note(
    _ key: Int, _ value: String?, _ expected: Revision?, _ called: UInt64, _ now: UInt64,
    _ outcome: Result<ExecuteReply, ClientError>
  ) {
    let input = value.map { RegisterModel.Input.write($0) } ?? .delete
    var onKey = SharedHistory.OnKey(client: number, input: input, called: called)
    switch outcome {
    case .success(let reply):
      onKey.answer = (now, .done)
      let isAppend = reply.outcome == .committed || reply.outcome == .repeated
      let log =
        isAppend
        ? SharedHistory.OnLog(
          client: number, input: .append(expected: expected), called: called, answer: (now, .committed(reply.commit)))
        : SharedHistory.OnLog(client: number, input: .read, called: called, answer: (now, .seen(reply.revision)))
      history.add(log)
    case .failure(.rpc(let error)) where error.code == .refused: onKey.answer = (now, .refused)
    case .failure: break
    }
    history.add(onKey, key: key)
  }
}
