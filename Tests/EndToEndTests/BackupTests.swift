import Foundation
import Testing

extension EndToEnd {
  @Suite struct BackupTests {
    /// A cluster with a few changes, and where its backup goes.
    private func filled() async throws -> (TestCluster, backup: String) {
      let cluster = try await TestCluster()
      for number in 1...8 { _ = try await cluster.json("config", "set", "k\(number)", "value \(number)") }
      return (cluster, cluster.directory.path("backup"))
    }

    @Test func aRestoredClusterIsAnotherOneWithTheSamePast() async throws {
      let (cluster, backup) = try await filled()
      let before = try await cluster.json("status")
      _ = try await cluster.json("backup", "--to", backup)
      _ = try await cluster.json("config", "set", "k1", "later")
      // Only what is new is copied, and the server goes on meanwhile.
      _ = try await cluster.json("backup", "--to", backup)
      let target = cluster.directory.path("restored")
      let at = try #require(before["revision"].number)
      let restored = try await run(
        .muster, ["restore", "--from", backup, "--data", target, "--at", "\(at)", "--output", "json"])
      #expect(restored.code == 0, "\(restored.error)")
      let document = try restored.document()
      #expect(document["restored"].number == at)
      #expect(document["timeline"].number == 2)
      #expect(document["clusterID"].string != before["clusterID"].string)
      let past = try await run(.muster, ["status", "--data", target, "--at", "\(at)", "--output", "json"]).document()
      #expect(past["digest"].string == before["digest"].string)
      // What came later is not there, and the commit behind says where this comes from.
      let value = try await run(.muster, ["config", "get", "k1", "--data", target, "--output", "json"]).document()
      #expect(value.text.contains("value 1"))
      let log = try await run(.muster, ["log", "--data", target, "--limit", "1", "--output", "jsonl"])
      #expect(log.out.contains("TimelineBegan"))
      #expect(try await run(.muster, ["verify", "--data", target, "--deep"]).code == 0)
      // It is made once, and a backup is not served.
      #expect(try await run(.muster, ["restore", "--from", backup, "--data", target]).code == 1)
      #expect(try await run(.muster, ["serve", "--data", backup, "--listen", "127.0.0.1:0"]).code == 1)
      #expect(
        try await run(
          .muster, ["restore", "--from", backup, "--data", cluster.directory.path("none"), "--at", "\(at + 100)"]
        ).code == 1)
    }

    @Test func aDamagedDirectoryIsRepairedFromItsBackup() async throws {
      let (cluster, backup) = try await filled()
      let digest = try await cluster.json("status")["digest"].string
      cluster.stop()
      #expect(try await run(.muster, ["backup", "--data", cluster.data, "--to", backup]).code == 0)
      _ = try cluster.flipBit()
      #expect(try await run(.muster, ["serve", "--data", cluster.data, "--listen", "127.0.0.1:0"]).code == 4)
      let repair = ["repair", "--data", cluster.data, "--from", backup]
      #expect(try await run(.muster, repair).code == 1, "something is to be repaired, and nothing was done yet")
      #expect(try await run(.muster, ["verify", "--data", cluster.data]).code == 4)
      #expect(try await run(.muster, repair + ["--apply"]).code == 0)
      #expect(try await run(.muster, repair).code == 0)
      #expect(try await run(.muster, ["verify", "--data", cluster.data, "--deep"]).code == 0)
      try await cluster.restart()
      #expect(try await cluster.json("status")["digest"].string == digest)
      // Nobody repairs what is served, and what was damaged is kept.
      #expect(try await run(.muster, repair).code == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: cluster.data + "/broken").isEmpty == false)
    }
  }
}
