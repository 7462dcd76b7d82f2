import MusterBytes
import MusterCluster
import MusterProtocol
import MusterWorkload

/// What a client sends, made before anything is counted.
struct Requests {
  /// Frames that come in one tick, one tick after the other.
  private(set) var ticks: [[UInt8]] = []
  private var call: UInt32 = 0
  private var sequence: UInt64 = 0
  private var random = SeededGenerator(seed: 11)
  private static let clients = 16
  private static let valueBytes = 256

  /// The first frame of a connection.
  static var hello: [UInt8] {
    let payload = Hello(principal: "guard", kind: .service, software: "guard").encoded()
    var writer = ByteWriter()
    FrameHead(.hello, length: payload.count).encode(into: &writer)
    payload.withUnsafeBytes { writer.raw($0) }
    return writer.array()
  }

  mutating func append(_ method: Method, _ payloads: [[UInt8]], argument: UInt32 = 0) {
    var writer = ByteWriter(capacity: 1 << 16)
    for payload in payloads {
      call += 1
      FrameHead(.request, length: payload.count, method: method.rawValue, call: call, argument: argument)
        .encode(into: &writer)
      payload.withUnsafeBytes { writer.raw($0) }
    }
    ticks.append(writer.array())
  }

  /// Changes of configuration with random values, so many in each tick, each by another client.
  mutating func commits(_ count: Int, perTick: Int) {
    for _ in 0..<count / perTick {
      append(.execute, (0..<perTick).map { change($0 % Requests.clients) })
    }
  }

  private mutating func change(_ client: Int) -> [UInt8] {
    sequence += 1
    let key = "bench/c\(client)/k\(sequence % 64)"
    let value = (0..<Requests.valueBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let command = Command.setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .bytes(value)))
    return Request(command, client: "guard.\(client)", sequence: sequence).encoded()
  }

  /// Reads of one configuration value.
  mutating func reads(_ count: Int, perTick: Int) {
    var question = ConfigsQuestion()
    question.key = "bench/c0/k1"
    question.isEffective = true
    let payload = ReadRequest(.configs(question)).encoded()
    for _ in 0..<count / perTick { append(.read, [[UInt8]](repeating: payload, count: perTick)) }
  }

  mutating func join() {
    let join = JoinNode(
      name: "n1", domain: "a/b/c", labels: [], capacity: [], address: "", heartbeatMilliseconds: 1000)
    append(.execute, [Request(.joinNode(join), client: "guard.join", sequence: 1).encoded()])
  }

  mutating func heartbeats(_ count: Int, perTick: Int) {
    let payload = HeartbeatRequest([Heartbeat(node: 1, incarnation: 1)]).encoded()
    for _ in 0..<count / perTick { append(.heartbeat, [[UInt8]](repeating: payload, count: perTick)) }
  }

  mutating func watchers(_ count: Int) {
    let payload = WatchRequest(.everything).encoded()
    append(.watch, [[UInt8]](repeating: payload, count: count), argument: 1 << 30)
  }
}
