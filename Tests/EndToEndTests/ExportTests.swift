import Foundation
import MusterSQLite
import Testing

extension EndToEnd {
  @Suite struct ExportTests {
    @Test(arguments: ["jsonl", "csv", "cloudevents"])
    func anInterruptedExportGoesOnAndIsTheSame(_ format: String) async throws {
      let cluster = try await TestCluster()
      for number in 1...12 {
        _ = try await cluster.json("config", "set", "k\(number)", "a \"quoted\", value", "--reason", "test, \(number)")
      }
      let whole = cluster.directory.path("whole")
      let resumed = cluster.directory.path("resumed")
      let export = { (path: String) in
        try await run(.muster, ["export", "--format", format, "--to", path, "--server", cluster.address])
      }
      #expect(try await export(whole).code == 0)
      let bytes = try #require(FileManager.default.contents(atPath: whole))
      for cut in [bytes.count / 3, bytes.count / 2, bytes.count - 5] {
        #expect(FileManager.default.createFile(atPath: resumed, contents: bytes.prefix(cut)))
        #expect(try await export(resumed).code == 0)
        #expect(FileManager.default.contents(atPath: resumed) == bytes, "cut at \(cut)")
      }
      #expect(try await export(whole).code == 0)
      #expect(FileManager.default.contents(atPath: whole) == bytes)
    }

    @Test func linesAreTheCommitsOldestFirst() async throws {
      let cluster = try await TestCluster()
      for number in 1...5 { _ = try await cluster.json("config", "set", "k", "\(number)") }
      let finished = try await cluster.muster("export", "--format", "jsonl", "--to", "-", "--from", "2")
      let revisions = try finished.lines.map { try Document(String($0))["revision"].number }
      #expect(revisions == [2, 3, 4, 5])
    }

    @Test func aFileOfSomethingElseIsNotTouched() async throws {
      let cluster = try await TestCluster()
      let path = cluster.directory.path("notes")
      #expect(FileManager.default.createFile(atPath: path, contents: Data("my notes\n".utf8)))
      #expect(try await cluster.muster("export", "--format", "csv", "--to", path).code == 1)
      #expect(cluster.directory.text("notes") == "my notes\n")
    }

    /// Every format is compared with the stored commits, row by row.
    @Test(arguments: ["jsonl", "csv", "cloudevents", "sqlite"])
    func rowsThatWereAlteredAreFoundByTheProof(_ format: String) async throws {
      let cluster = try await TestCluster()
      for number in 1...6 { _ = try await cluster.json("config", "set", "k\(number)", "true \(number)") }
      _ = try await cluster.json("config", "schema", "k7", "--type", "text")
      let path = cluster.directory.path("export")
      #expect(try await cluster.muster("export", "--format", format, "--to", path).code == 0)
      let key = try await cluster.json("checkpoint")["keys"].list.first?.string ?? ""
      let check = { try await run(.muster, ["check-proof", path + ".proof", "--key", key, "--output", "json"]) }
      let whole = try await check()
      #expect(whole.code == 0 && whole.out.contains("\"complete\":true"), "\(whole.error)")
      #expect(try checkWithPython([path + ".proof", "--key", key]) == 0)
      if format == "sqlite" {
        for change in [
          "UPDATE events SET fields = replace(fields, 'true', 'false') WHERE revision = 3",
          "UPDATE commits SET time = time + 1 WHERE revision = 4", "UPDATE principals SET name = 'nobody'",
          "DELETE FROM event_things WHERE revision = 5", "DELETE FROM events WHERE revision = 2",
          "DELETE FROM commits WHERE revision = 6", "UPDATE events SET place = place + 10 WHERE revision = 4",
          "UPDATE things SET name = 'k9' WHERE name = 'k3'", "UPDATE event_types SET name = name || 's'",
          "INSERT INTO commits SELECT 99, time, wall_time, principal, assurance, request_id, cause, reason, reason_kind, "
            + "reason_arguments, tenant, trace_parent FROM commits WHERE revision = 3",
          "INSERT INTO events SELECT 99, place, type, fields FROM events WHERE revision = 3",
          "DROP VIEW who; CREATE VIEW who AS SELECT revision FROM commits",
        ] {
          let copy = cluster.directory.path("copy")
          try? FileManager.default.removeItem(atPath: copy)
          try FileManager.default.copyItem(atPath: path, toPath: copy)
          try SQLiteFile(copy, .writing).run(change)
          let found = try await run(.muster, ["check-proof", path + ".proof", "--key", key, "--export", copy])
          #expect(found.code == 1, "\(change): \(found.out)")
          #expect(try checkWithPython([path + ".proof", "--key", key, "--export", copy]) == 1, "\(change)")
        }
      } else {
        let text = cluster.directory.text("export")
        let ends = text.hasSuffix("\r\n") ? "\r\n" : "\n"
        let all = text.components(separatedBy: ends).dropLast()
        #expect(all.count > 4)
        let tamperings = [
          text.replacing("true 3", with: "true 4"), text.replacing("k5", with: "k6"),
          (all + all.suffix(1)).joined(separator: ends) + ends,
          (all.dropLast(2) + all.suffix(2).reversed()).joined(separator: ends) + ends,
          text.replacing("asserted", with: "certificate").replacing("2,20", with: "2,19"),
        ]
        for (number, altered) in tamperings.enumerated() {
          try altered.write(toFile: path, atomically: true, encoding: .utf8)
          let isSame = altered == text
          #expect(try await check().code == (isSame ? 0 : 1), "tampering \(number)")
          #expect(try checkWithPython([path + ".proof", "--key", key]) == (isSame ? 0 : 1), "tampering \(number)")
        }
      }
    }

    @Test func aDatabaseGrowsAndAnswersAndIsNoOther() async throws {
      let cluster = try await TestCluster()
      for number in 1...5 { _ = try await cluster.json("config", "set", "k\(number)", "\(number)") }
      let path = cluster.directory.path("timeline.db")
      let export = ["export", "--format", "sqlite", "--to", path, "--server", cluster.address]
      #expect(try await run(.muster, export).code == 0)
      let before = try SQLiteFile(path, .reading).rows("SELECT max(revision) FROM commits")[0][0].number ?? 0
      _ = try await cluster.json("config", "set", "k1", "new", "--reason", "a drill")
      #expect(try await run(.muster, export).code == 0)
      let file = try SQLiteFile(path, .reading)
      #expect(
        try file.rows("SELECT count(*), max(revision) FROM commits")[0] == [.integer(before + 1), .integer(before + 1)])
      let who = try file.rows("SELECT reason, events FROM who WHERE revision = ?", [.integer(before + 1)])
      #expect(who == [[.text("a drill"), .text("ConfigSet")]])
      #expect(
        try file.rows("SELECT count(*) FROM timeline WHERE kind = 'config' AND name = 'k1' AND event = 'ConfigSet'")
          == [[.integer(2)]])
      // Other filters are another export, and so is another file.
      #expect(try await run(.muster, export + ["--type", "ConfigSet"]).code == 1)
      #expect(
        FileManager.default.createFile(atPath: cluster.directory.path("notes"), contents: Data("my notes\n".utf8)))
      let notes = try await cluster.muster("export", "--format", "sqlite", "--to", cluster.directory.path("notes"))
      #expect(notes.code == 1 && cluster.directory.text("notes") == "my notes\n")
    }

    @Test func anExportWithOtherFiltersIsAnotherOne() async throws {
      let cluster = try await TestCluster()
      for number in 1...3 { _ = try await cluster.json("config", "set", "k\(number)", "v") }
      let path = cluster.directory.path("some")
      let some = try await cluster.muster("export", "--format", "jsonl", "--to", path, "--type", "ConfigSet")
      #expect(some.code == 0)
      let all = try await cluster.muster("export", "--format", "jsonl", "--to", path)
      #expect(all.code == 1 && all.error.contains("other filters"))
      #expect(try await cluster.muster("export", "--format", "jsonl", "--to", path, "--type", "ConfigSet").code == 0)
    }
  }
}
