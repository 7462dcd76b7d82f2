internal import MusterClient
internal import MusterKernel

import ArgumentParser
import MusterBytes
import MusterCluster
import MusterProtocol
import MusterRendering
import MusterServer
import MusterWorkload

extension Bench {
  struct Append: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Durable changes: each sets a configuration value and waits until it is on disk.",
      discussion: "Example: muster bench append --clients 64 --value-bytes 256 --seconds 10")
    @OptionGroup var load: LoadOptions

    func validate() throws { try load.validateCommands() }

    func run() async throws {
      // A run of its own does not meet the request ids of the last one.
      let run = Clock.now().wall
      let (events, bytes) = (load.eventsPerCommand, load.valueBytes)
      let (result, elapsed) = try await Load.run(load, .execute) { client, number in
        AppendLoad.request(run, client, number, events: events, bytes: bytes)
      } _: {
        AppendLoad.check($0)
      }
      let rate = elapsed == 0 ? 0 : UInt64(Double(result.operations) * Double(events) * 1_000_000 / Double(elapsed))
      try result.show(
        "append", load, elapsed: elapsed,
        [
          .init("connections", .number(UInt64(load.connections ?? load.clients))),
          .init("eventsPerCommand", .number(UInt64(events))), .init("eventsPerSecond", .number(rate)),
          .init("valueBytes", .number(UInt64(bytes))),
        ])
    }
  }

  struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Point reads of one configuration value.",
      discussion: "Example: muster bench read --clients 64 --pipeline 16")
    @OptionGroup var load: LoadOptions

    func run() async throws {
      let key = "bench/read"
      let content = [UInt8](repeating: 0x5a, count: load.valueBytes)
      try await ReadLoad.prepare(key, content, load.server)
      var question = ConfigsQuestion()
      question.key = key
      question.isEffective = true
      let payload = ReadRequest(.configs(question)).encoded()
      let (result, elapsed) = try await Load.run(load, .read) { _, _ in
        payload
      } _: {
        ReadLoad.check($0, content)
      }
      try result.show("read", load, elapsed: elapsed)
    }
  }

  struct Heartbeat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Signs of life, one by one or in batches.",
      discussion: "Example: muster bench heartbeat --clients 8 --events-per-command 100")
    @OptionGroup var load: LoadOptions

    func run() async throws {
      let batch = load.eventsPerCommand
      let node = try await HeartbeatLoad.join(load.server)
      let payload = HeartbeatRequest([MusterProtocol.Heartbeat](repeating: node, count: batch)).encoded()
      var (result, elapsed) = try await Load.run(load, .heartbeat) { _, _ in
        payload
      } _: { bytes in
        guard let reply = try? HeartbeatReply(bytes: bytes) else { return "the reply cannot be read" }
        return reply.fenced.isEmpty ? nil : "the node was fenced"
      }
      result.perSample = UInt64(batch)
      try result.show("heartbeat", load, elapsed: elapsed, [.init("eventsPerCommand", .number(UInt64(batch)))])
    }
  }
}

enum AppendLoad {
  /// Keys that each client writes in turn.
  private static let keys: UInt64 = 64

  static func request(_ run: UInt64, _ client: Int, _ number: UInt64, events: Int, bytes: Int) -> [UInt8] {
    var random = SeededGenerator(seed: run ^ UInt64(client) << 40 ^ number)
    var commands: [Command] = []
    for event in 0..<events {
      let key = "bench/c\(client)/k\((number &* UInt64(events) &+ UInt64(event)) % max(keys, UInt64(events)))"
      commands.append(
        .setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .bytes(value(bytes, &random)))))
    }
    let command = commands.count == 1 ? commands[0] : .batch(Batch(commands))
    return Request(command, client: "bench.\(client)", sequence: run &+ number).encoded()
  }

  private static func value(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        var word = random.next()
        for _ in 0..<min(8, count - filled) {
          buffer[filled] = UInt8(truncatingIfNeeded: word)
          word >>= 8
          filled += 1
        }
      }
    }
  }

  static func check(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard let reply = try? ExecuteReply(bytes: bytes) else { return "the reply cannot be read" }
    guard reply.outcome == .committed, reply.commit > 0, reply.revision >= reply.commit else {
      return "the command was \(reply.outcome.name)"
    }
    return nil
  }
}

enum ReadLoad {
  static func prepare(_ key: String, _ content: [UInt8], _ server: String?) async throws {
    let client = try Connection(server).client
    let command = SetConfig(key: key, scope: ScopeName(.cluster), value: .bytes(content))
    let request = Request(.setConfig(command), client: "bench.prepare", sequence: Clock.now().wall)
    _ = try await client.execute(request, attempts: 1) { _ in }
  }

  static func check(_ bytes: UnsafeRawBufferPointer, _ content: [UInt8]) -> String? {
    guard let reply = try? ReadReply(bytes: bytes), reply.answer.configs.first?.value == .bytes(content) else {
      return "the value is another"
    }
    return nil
  }
}

enum HeartbeatLoad {
  static func join(_ server: String?) async throws -> MusterProtocol.Heartbeat {
    let client = try Connection(server).client
    let join = JoinNode(
      name: "bench", domain: "bench/bench/bench", labels: [], capacity: [], address: "", heartbeatMilliseconds: 0)
    let request = Request(.joinNode(join), client: "bench.prepare", sequence: Clock.now().wall)
    let reply = try await client.execute(request, attempts: 1) { _ in }
    return MusterProtocol.Heartbeat(node: reply.node, incarnation: reply.incarnation)
  }
}
