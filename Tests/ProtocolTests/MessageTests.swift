import MusterBytes
import MusterCluster
import MusterProtocol
import MusterWorkload
import Testing

@Suite struct MessageTests {
  /// What the server decodes from strangers: noise gives an error or a message, never a trap.
  @Test func noiseInsteadOfARequestIsAnError() {
    var random = SeededGenerator(seed: 8)
    let real = Request(
      .createCollection(
        CreateCollection(name: "c", shards: 3, policy: Policy(), labels: [Label("a", "b")], tenant: "")),
      client: "app", sequence: 5, reason: "why"
    ).encoded()
    var decoded = 0
    for _ in 0..<20_000 {
      var bytes = real
      for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
      if (try? Request(bytes: bytes, refusingUnknownFields: true)) != nil { decoded += 1 }
      _ = try? ReadRequest(bytes: bytes, refusingUnknownFields: true)
      _ = try? LogRequest(bytes: bytes, refusingUnknownFields: true)
      _ = try? HeartbeatRequest(bytes: bytes, refusingUnknownFields: true)
    }
    #expect(decoded > 0)
  }
}
