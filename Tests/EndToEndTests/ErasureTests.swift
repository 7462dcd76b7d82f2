import Foundation
import Testing

extension EndToEnd {
  @Suite struct ErasureTests {
    private static let secret = "correct-horse-battery-staple"

    private func cluster() async throws -> TestCluster {
      let cluster = try await TestCluster()
      _ = try await cluster.json("tenant", "create", "acme")
      _ = try await cluster.json("config", "schema", "db/password", "--type", "text", "--sensitive")
      let file = cluster.directory.path("secret")
      try Data(Self.secret.utf8).write(to: URL(filePath: file))
      _ = try await cluster.json("config", "set", "db/password", "--scope", "tenant:acme", "--value-file", file)
      try FileManager.default.removeItem(atPath: file)
      return cluster
    }

    private func value(_ cluster: TestCluster, _ more: String...) async throws -> Document {
      let arguments = ["config", "get", "db/password", "--scope", "tenant:acme"] + more
      return try await run(.muster, arguments, environment: ["MUSTER_SERVER": cluster.address]).document()
    }

    @Test func aSensitiveValueIsNowhereInTheOpenAndShownWhenAskedFor() async throws {
      let cluster = try await cluster()
      #expect(try await value(cluster)["sealed"].string == "sealed")
      #expect(try await value(cluster)["value"].string == nil)
      #expect(try await value(cluster, "--reveal")["value"].string == Self.secret)
      let log = try await cluster.muster("log", "--output", "json")
      #expect(!log.out.contains(Self.secret))
      cluster.kill()
      for file in try FileManager.default.subpathsOfDirectory(atPath: cluster.data) {
        let path = cluster.data + "/" + file
        guard let bytes = FileManager.default.contents(atPath: path) else { continue }
        #expect(bytes.firstRange(of: Data(Self.secret.utf8)) == nil, "\(file)")
      }
      let offline = try await run(
        .muster,
        ["config", "get", "db/password", "--scope", "tenant:acme", "--reveal", "--data", cluster.data])
      #expect(try offline.document()["value"].string == Self.secret)
    }

    @Test func anErasedValueIsUnreadableNowAndThenAndTheLogStaysWhole() async throws {
      let cluster = try await cluster()
      _ = try await cluster.json("erase", "--tenant", "acme", "--reason", "contract ended")
      #expect(try await value(cluster, "--reveal")["sealed"].string == "erased")
      #expect(try await value(cluster, "--reveal", "--at", "3")["sealed"].string == "erased")
      #expect(try FileManager.default.contentsOfDirectory(atPath: cluster.data + "/keys").isEmpty)
      let again = try await cluster.muster("config", "set", "db/password", "new", "--scope", "tenant:acme")
      #expect(again.code == 0)
      #expect(try await value(cluster, "--reveal")["value"].string == "new")
      cluster.kill()
      try await cluster.restart()
      #expect(try await value(cluster, "--reveal")["value"].string == "new")
      #expect(try await value(cluster, "--reveal", "--at", "3")["sealed"].string == "erased")
      cluster.stop()
      let verified = try await run(.muster, ["verify", "--data", cluster.data, "--deep"])
      #expect(verified.code == 0, "\(verified.error)")
    }
  }
}
