import Foundation
import Testing

extension EndToEnd {
  @Suite struct ExitCodeTests {
    /// Each line is a command and how it ends.
    static let endings: [(String, Int32)] = [
      ("bogus", 2), ("status --server nowhere", 2), ("status --at soon", 2),
      ("status --server 127.0.0.1:1 --data d", 2), ("shard show orders", 2),
      ("log --limit 0 --server 127.0.0.1:1", 2), ("log --to 3 --at 3", 2), ("config set k --server 127.0.0.1:1", 2),
      ("config set k v --request-id x", 2), ("collection create c --shards x --replicas 1", 2),
      ("collection create c --shards 1 --replicas 1 --spread planet", 2), ("status --server 127.0.0.1:1", 3),
      ("config set k v --server 127.0.0.1:1", 3), ("status --data /nonexistent", 1),
      ("verify --data /nonexistent", 1), ("version", 0), ("--help", 0), ("node drain --help", 0),
    ]

    @Test(arguments: endings)
    func commandsEndAsTheContractSays(_ words: String, _ code: Int32) async throws {
      let finished = try await run(.muster, words.split(separator: " ").map(String.init))
      #expect(finished.code == code, "\(finished.error)")
      #expect(finished.out.isEmpty == (code != 0))
      #expect(finished.error.isEmpty == (code == 0))
    }

    @Test func momentsThatAreNotInTheLogAreRefused() async throws {
      let cluster = try await TestCluster()
      _ = try await cluster.json("config", "set", "k", "v")
      for moment in ["2", "1970-01-02T00:00:00Z", "9h ago"] {
        for place in [["--server", cluster.address], ["--data", cluster.data]] {
          let finished = try await run(.muster, ["status", "--at", moment] + place)
          #expect(finished.code == 1, "\(moment) \(place)")
          #expect(finished.out.isEmpty)
        }
      }
      #expect(try await cluster.json("status", "--at", "0s ago")["revision"].number == 1)
    }

    @Test func aFlippedBitIsCorruptionAndNamesItsPlace() async throws {
      let cluster = try await TestCluster()
      for number in 1...20 { _ = try await cluster.json("config", "set", "k", "value \(number)") }
      cluster.stop()
      #expect(try await run(.muster, ["verify", "--deep", "--data", cluster.data]).code == 0)
      let sums = try await run(.muster, ["verify", "--checksums", "--data", cluster.data]).document()
      #expect(sums["ok"].flag == true && sums["chain"].flag == false)
      #expect(try await run(.muster, ["verify", "--checksums", "--deep", "--data", cluster.data]).code == 2)
      let file = try cluster.flipBit()
      for words in [["verify"], ["verify", "--checksums"], ["verify", "--deep"], ["status"], ["log"]] {
        let finished = try await run(.muster, words + ["--data", cluster.data])
        #expect(finished.code == 4, "\(words): \(finished.error)")
        #expect(finished.error.contains(file), "\(words)")
      }
      let verified = try await run(.muster, ["verify", "--data", cluster.data]).document()
      #expect(verified["ok"].flag == false)
      #expect(verified["file"].string?.hasSuffix(file) == true)
      let server = try await run(.muster, ["serve", "--data", cluster.data, "--listen", "127.0.0.1:0"])
      #expect(server.code == 4)
    }

    @Test func aDirectoryThatIsServedIsNotServedTwice() async throws {
      let cluster = try await TestCluster()
      let second = try await run(.muster, ["serve", "--data", cluster.data, "--listen", "127.0.0.1:0"])
      #expect(second.code == 1)
      #expect(second.error.contains("in use"))
      let foreign = try await run(
        .muster, ["serve", "--data", cluster.directory.root, "--listen", "127.0.0.1:0", "--http", "none"])
      #expect(foreign.code == 1)
    }
  }
}
