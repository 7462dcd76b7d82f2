import MusterClient
import MusterCluster
import MusterProtocol

/// A client that writes one command after the other, each until it is acknowledged, and reads what it wrote.
struct Worker: Sendable {
  let number: Int
  let address: String
  let ledger: Ledger
  /// Between two commands.
  let pauseMilliseconds: UInt64

  private static let attemptsMax = 1_000_000
  private static let retryMilliseconds: UInt64 = 10

  func run() async {
    guard let servers = ServerList(address) else { return ledger.report("\(address) is no address") }
    let hello = Hello(principal: "torture", kind: .service, software: "torture")
    let client = Client(servers, hello: hello)
    var sequence: UInt64 = 0
    do {
      while !Task.isCancelled {
        sequence += 1
        try await write(Written(client: number, sequence: sequence), client)
        if sequence % 8 == 5 { try await read(Written(client: number, sequence: sequence), client) }
        if pauseMilliseconds > 0 { await Client.sleep(milliseconds: pauseMilliseconds) }
      }
    } catch {
      if !Task.isCancelled { ledger.report("client \(number), command \(sequence): \(error)") }
    }
    await client.close()
  }

  private func write(_ written: Written, _ client: Client) async throws {
    ledger.send(written)
    let reply = try await client.execute(written.request, attempts: Worker.attemptsMax) { _ in
      // A server that is killed comes back soon; who has seen enough stops.
      await Client.sleep(milliseconds: Task.isCancelled ? 1000 : Worker.retryMilliseconds)
    }
    guard reply.outcome == .committed || reply.outcome == .repeated, reply.commit > 0 else {
      throw TortureError("the command was \(reply.outcome.name)")
    }
    ledger.acknowledge(written, at: reply.commit)
  }

  /// Nobody else writes this key: what is read is what was written last.
  private func read(_ written: Written, _ client: Client) async throws {
    var question = ConfigsQuestion()
    question.key = written.key
    while !Task.isCancelled {
      do {
        let reply: ReadReply = try await client.call(.read, ReadRequest(.configs(question)), within: 30_000)
        guard reply.answer.configs.first?.value == .text(written.value) else {
          throw TortureError("a read at revision \(reply.revision) does not show what was acknowledged")
        }
        return ledger.noteRead()
      } catch let error as ClientError where error.isWorthRetrying {
        await Client.sleep(milliseconds: Worker.retryMilliseconds)
      }
    }
  }
}
