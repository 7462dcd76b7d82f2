import Foundation
import Testing

extension EndToEnd {
  @Suite struct ProofTests {
    /// Both verifiers, one after the other, must say the same.
    private func check(_ cluster: TestCluster, _ arguments: [String]) async throws -> Bool {
      let ours = try await run(.muster, ["check-proof"] + arguments).code
      let theirs = try checkWithPython(arguments)
      #expect(ours == theirs, "\(arguments)")
      return ours == 0
    }

    private func filled() async throws -> TestCluster {
      let cluster = try await TestCluster()
      for number in 1...9 {
        _ = try await cluster.json(
          "config", "set", "k\(number % 4)", "a \"quoted\" value \(number)", "--reason", "test \(number)")
      }
      return cluster
    }

    @Test func checkpointsCommitsAndGrowthAreProvedToBothVerifiers() async throws {
      let cluster = try await filled()
      let (old, new) = (cluster.directory.path("old.note"), cluster.directory.path("new.note"))
      let key = try await cluster.muster("checkpoint", "--key").out
      #expect(try await cluster.muster("checkpoint", "--to", old).code == 0)
      let revision = try #require(try await cluster.json("config", "set", "later", "1")["revision"].number)
      #expect(try await cluster.muster("checkpoint", "--to", new).code == 0)
      #expect(try await check(cluster, [new, "--key", key.trimmingCharacters(in: .whitespacesAndNewlines)]))
      let (commit, grown) = (cluster.directory.path("commit"), cluster.directory.path("grown"))
      #expect(try await cluster.muster("prove", "\(revision)", "--checkpoint", new, "--to", commit).code == 0)
      #expect(try await check(cluster, [commit, "--checkpoint", new]))
      #expect(try await !check(cluster, [commit, "--checkpoint", old]), "the one that is held says nothing of it")
      #expect(try await cluster.muster("prove", "--from", old, "--checkpoint", new, "--to", grown).code == 0)
      #expect(try await check(cluster, [grown, "--checkpoint", old]))
      #expect(try await cluster.muster("prove", "\(revision)", "--checkpoint", old).code == 1)
      #expect(try await cluster.muster("prove", "99999").code == 1)
    }

    @Test func anExportIsProvedRowByRowToBothVerifiers() async throws {
      let cluster = try await filled()
      let export = cluster.directory.path("export")
      #expect(try await cluster.muster("export", "--format", "jsonl", "--to", export).code == 0)
      let note = cluster.directory.path("note")
      #expect(try await cluster.muster("checkpoint", "--to", note).code == 0)
      #expect(try await check(cluster, ["\(export).proof", "--checkpoint", note]))
      let whole = try await run(.muster, ["check-proof", "\(export).proof", "--output", "json"]).document()
      #expect(whole["complete"].flag == true)
      let lines = cluster.directory.text("export").split(separator: "\n")
      let other = lines[3].replacing("quoted", with: "forged")
      let tamperings: [[Substring]] = [
        Array(lines.dropLast()) + [lines[lines.count - 1].replacing("\"revision\"", with: "\"Revision\"")],
        lines.map { $0 == lines[3] ? other : $0 }, lines + [lines[2]], lines.filter { $0 != lines[4] } + [lines[4]],
      ]
      for (number, rows) in tamperings.enumerated() where rows != lines {
        #expect(
          FileManager.default.createFile(atPath: export, contents: Data((rows.joined(separator: "\n") + "\n").utf8)))
        #expect(try await !check(cluster, ["\(export).proof", "--checkpoint", note]), "tampering \(number)")
      }
    }

    @Test func aFilteredExportSaysThatItDoesNotProveThatNothingIsMissing() async throws {
      let cluster = try await filled()
      let export = cluster.directory.path("export")
      let filter = ["export", "--format", "jsonl", "--to", export, "--config", "k2", "--server", cluster.address]
      #expect(try await run(.muster, filter).code == 0)
      #expect(try await check(cluster, ["\(export).proof"]))
      let document = try await run(.muster, ["check-proof", "\(export).proof", "--output", "json"]).document()
      #expect(document["complete"].flag == false)
      #expect(document["commits"].number ?? 0 > 0)
    }

    @Test func anExportAndWhatWasPrintedAreTakenForTheirProofs() async throws {
      let cluster = try await filled()
      let export = cluster.directory.path("export")
      #expect(try await cluster.muster("export", "--format", "jsonl", "--to", export).code == 0)
      let whole = try await run(.muster, ["check-proof", export, "--output", "json"]).document()
      #expect(whole["kind"].string == "export" && whole["complete"].flag == true)
      let printed = cluster.directory.path("printed")
      let proof = try await cluster.muster("prove", "3", "--output", "json")
      try proof.out.write(toFile: printed, atomically: true, encoding: .utf8)
      let one = try await run(.muster, ["check-proof", printed, "--output", "json"]).document()
      #expect(one["kind"].string == "commit")
      try "{\"note\":3}".write(toFile: printed, atomically: true, encoding: .utf8)
      #expect(try await run(.muster, ["check-proof", printed]).code == 1)
      try FileManager.default.removeItem(atPath: "\(export).proof")
      #expect(try await run(.muster, ["check-proof", export]).code == 1)
    }

    @Test func cutProofsAreRefusedByBoth() async throws {
      let cluster = try await filled()
      let export = cluster.directory.path("export")
      #expect(try await cluster.muster("export", "--format", "jsonl", "--to", export).code == 0)
      let proof = try #require(FileManager.default.contents(atPath: "\(export).proof"))
      for length in [0, 10, 23, 40, proof.count / 2, proof.count - 1] {
        #expect(FileManager.default.createFile(atPath: "\(export).proof", contents: proof.prefix(length)))
        #expect(try await !check(cluster, ["\(export).proof"]), "\(length) bytes")
      }
    }
  }
}
