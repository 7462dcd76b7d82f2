import Foundation
import Testing

/// The trace of a production cluster, which is not part of the project.
let trace = Program.root.appending(path: "../shared/data/openb").standardizedFileURL.path

extension EndToEnd {
  @Suite(.enabled(if: FileManager.default.fileExists(atPath: trace + "/pods.csv"), "no trace at ../shared/data/openb"))
  struct ImportTests {
    /// With deletions the cluster is empty in the end; without, what does not fit is refused.
    @Test(arguments: [true, false])
    func anImportThroughKillsEndsLikeOneWithout(_ keeps: Bool) async throws {
      async let calm = uninterrupted(keeps)
      async let wild = interrupted(keeps)
      let (expected, found) = try await (calm, wild)
      for name in ["digest", "revision", "nodes", "created", "deleted", "refused"] {
        let (expected, found) = (try Document(expected)[name], try Document(found)[name])
        #expect(!expected.isNull)
        #expect(found.string == expected.string && found.number == expected.number, "\(name)")
      }
      let report = try Document(expected)
      #expect(report["nodes"].number == 1523)
      #expect(report["created"].number! + report["refused"].number! == 8152)
      #expect((report["refused"].number == 0) == !keeps)
      #expect(report["witnesses"].names.isEmpty == !keeps)
      #expect(report["deleted"].number == (keeps ? 0 : 8152))
    }

    private func arguments(_ cluster: TestCluster, _ keeps: Bool) -> [String] {
      ["--server", cluster.address, "--from", trace] + (keeps ? ["--keep"] : [])
    }

    private func uninterrupted(_ keeps: Bool) async throws -> String {
      let cluster = try await TestCluster()
      let finished = try await Running(.importOpenB, arguments(cluster, keeps)).wait(seconds: 900)
      try #require(finished.code == 0, "\(finished.error)")
      return finished.out
    }

    /// The server is killed twice, and the second time the importer with it.
    private func interrupted(_ keeps: Bool) async throws -> String {
      let cluster = try await TestCluster()
      let first = try Running(.importOpenB, arguments(cluster, keeps))
      try await reach(3000, cluster)
      cluster.kill()
      try await cluster.restart()
      try await reach(6000, cluster)
      cluster.kill()
      first.finish(with: SIGKILL)
      try await cluster.restart()
      try await checkCapacities(cluster)
      let second = try await Running(.importOpenB, arguments(cluster, keeps)).wait(seconds: 900)
      try #require(second.code == 0, "\(second.error)")
      #expect(try #require(try second.document()["resumedAfter"].number) >= 6000)
      cluster.stop()
      let verified = try await run(.muster, ["verify", "--deep", "--data", cluster.data])
      #expect(verified.code == 0, "\(verified.error)")
      return second.out
    }

    private func reach(_ revision: UInt64, _ cluster: TestCluster) async throws {
      try await eventually(seconds: 900, "revision \(revision)") {
        try await cluster.json("status")["revision"].number ?? 0 >= revision
      }
    }

    /// In the middle of it no node carries more than it has.
    private func checkCapacities(_ cluster: TestCluster) async throws {
      for node in try await cluster.json("node", "list", "--at", "5000")["nodes"].list {
        for dimension in node["used"].names {
          let (used, capacity) = (node["used"][dimension].number, node["capacity"][dimension].number)
          #expect(try #require(used) <= capacity ?? 0, "\(node["name"].string ?? "") \(dimension)")
        }
      }
    }
  }
}
