import Foundation
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
  }
}
