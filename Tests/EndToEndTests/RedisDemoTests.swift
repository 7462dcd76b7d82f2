import Foundation
import Testing

extension EndToEnd {
  /// The demonstration of real data, at a smaller size: it fails by itself when an acknowledged write is lost, or when a
  /// shard stays without a leader.
  @Suite(
    .enabled(
      if: ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
      }, "redis-server is not installed: Tools/setup --tests"))
  struct RedisDemoTests {
    @Test func noAcknowledgedWriteIsLostWhenALeaderIsKilled() async throws {
      let demo = try Running(
        .demoRedis, ["--small"],
        environment: ["MUSTER_BIN": Program.directory, "PATH": "/usr/local/bin:/usr/bin:/bin"])
      let finished = try await demo.wait(seconds: 240)
      #expect(finished.code == 0, "\(finished.out.suffix(2000)) \(finished.error.suffix(2000))")
      #expect(finished.out.contains("\"lost\":0"))
    }
  }
}
