import Foundation
import MusterHostConformance
import MusterHosting
import Testing

import MusterHosts

/// One value is one file.
struct DirectorySubject: ConformanceSubject {
  let place: Place
  let hasFence = false

  func host(node: String) async throws -> any ShardHost { DirectoryHost(directory: try place.node(node)) }

  private func directory(_ shard: HostedShard, _ node: String) throws -> String {
    "\(try place.node(node))/shard-\(shard.number)"
  }

  func write(_ value: String, to replica: any HostedReplica, of shard: HostedShard, node: String) async throws {
    _ = try await replica.look()
    let directory = try directory(shard, node)
    guard FileManager.default.fileExists(atPath: "\(directory)/leading") else {
      throw HostProblem.notNow("not leading")
    }
    try FileManager.default.createDirectory(atPath: "\(directory)/files/d", withIntermediateDirectories: true)
    try value.write(toFile: "\(directory)/files/d/\(value)", atomically: true, encoding: .utf8)
    _ = try await replica.look()
  }

  func read(_ replica: any HostedReplica, of shard: HostedShard, node: String) async throws -> Set<String> {
    Set(FileText.names(in: "\(try directory(shard, node))/files/d"))
  }

  func destroy(_ shard: HostedShard, node: String) async throws { try FileText.delete(try directory(shard, node)) }
}

@Suite struct DirectoryTests {
  private let shard = HostedShard(number: 3, collection: "models", index: 2)

  @Test(arguments: HostConformance.Check.allCases)
  func directoriesAreAHostAsMusterNeedsIt(_ check: HostConformance.Check) async throws {
    try await HostConformance(DirectorySubject(place: try Place())).run(check)
  }

  /// A leader and a follower, with the directories of their files.
  private func pair(_ place: Place) async throws -> (any HostedReplica, any HostedReplica, String, String) {
    let leader = try await DirectoryHost(directory: try place.node("a")).open(shard, mustExist: false)
    let follower = try await DirectoryHost(directory: try place.node("b")).open(shard, mustExist: false)
    try await leader.lead(Leadership(epoch: 1, acknowledgements: 0, followers: []))
    try await follower.follow(Following(epoch: 1, source: Peer(node: "a", address: leader.address)))
    return (leader, follower, "\(try place.node("a"))/shard-3/files", "\(try place.node("b"))/shard-3/files")
  }

  @Test func largeFilesGoOnWhereTheyStoppedAndArriveWhole() async throws {
    let place = try Place()
    let (leader, follower, from, to) = try await pair(place)
    let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    try content.write(to: URL(filePath: from + "/large"))
    _ = try await leader.look()
    let digest = try #require(try FileTree.digest(from + "/large"))
    try content.prefix(1_000_001).write(to: URL(filePath: "\(place.root)/b/shard-3/incoming/\(digest)"))
    #expect(try await follower.look().role == .following(isAttached: true))
    #expect(try Data(contentsOf: URL(filePath: to + "/large")) == content)

    // What was kept of another file under that name is found out, and fetched from the start.
    try FileText.delete(to + "/large")
    try Data(repeating: 7, count: 100).write(to: URL(filePath: "\(place.root)/b/shard-3/incoming/\(digest)"))
    for _ in 0..<100 where !FileManager.default.fileExists(atPath: to + "/large") {
      _ = try await follower.look()
      try await Task.sleep(for: .milliseconds(100))
    }
    #expect(try Data(contentsOf: URL(filePath: to + "/large")) == content)
  }

  @Test func rottenFilesOfAFollowerAreFetchedAnew() async throws {
    let place = try Place()
    let (leader, follower, from, to) = try await pair(place)
    try "good".write(toFile: from + "/x", atomically: true, encoding: .utf8)
    _ = try await leader.look()
    _ = try await follower.look()
    try rot(to + "/x", "evil")
    let (first, second) = (try await leader.checksum(), try await follower.checksum())
    #expect(first?.position == second?.position)
    #expect(first?.value != second?.value, "the rot is seen in the checksum")
    _ = try await follower.look()
    #expect(try String(contentsOfFile: to + "/x", encoding: .utf8) == "good")
    #expect(try await follower.checksum() == first)
  }

  @Test func aLeaderWhoseFilesRotGivesWay() async throws {
    let place = try Place()
    let (leader, follower, from, _) = try await pair(place)
    try "good".write(toFile: from + "/x", atomically: true, encoding: .utf8)
    _ = try await leader.look()
    _ = try await follower.look()
    try rot(from + "/x", "evil")
    _ = try await leader.checksum()
    await #expect(throws: HostProblem.self) { try await leader.look() }
    await #expect(throws: HostProblem.self) { try await leader.promise(epoch: 2) }
    _ = try await follower.promise(epoch: 2)
    try await follower.lead(Leadership(epoch: 2, acknowledgements: 0, followers: []))
    try await leader.follow(Following(epoch: 2, source: Peer(node: "b", address: follower.address)))
    _ = try await leader.look()
    #expect(try String(contentsOfFile: from + "/x", encoding: .utf8) == "good")
  }

  /// Changes content behind the file system's back: size and time stay.
  private func rot(_ path: String, _ content: String) throws {
    var status = stat()
    try #require(lstat(path, &status) == 0)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: Data(content.utf8))
    try handle.close()
    let times = [status.st_atim, status.st_mtim]
    try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
  }

  @Test(arguments: [
    "", "1\nend\n", "1 1\n", "x 1\nend\n", "1 1\nabc 1 1 path\nend\n",
    "1 1\n\(String(repeating: "a", count: 64)) 1 1 ../up\nend\n",
    "1 1\n\(String(repeating: "a", count: 64)) 1 1 /etc/passwd\nend\n",
    "1 1\n\(String(repeating: "a", count: 64)) 1 1 b\n\(String(repeating: "a", count: 64)) 1 1 a\nend\n",
    "1 1\n\(String(repeating: "a", count: 64)) 99999999999999999999 1 b\nend\n",
  ])
  func manifestsThatLeadElsewhereAreRefused(_ text: String) { #expect(FileManifest(text: text) == nil) }

  @Test func requestsAreReadBackAndHostileOnesRefused() throws {
    let request = FileProtocol.Request(kind: .content, shard: 7, offset: 1 << 40, most: 9, path: "a/b")
    let bytes = FileProtocol.bytes(request)
    #expect(try FileProtocol.request(bytes)?.0 == request)
    for length in 0..<bytes.count { #expect(try FileProtocol.request(Array(bytes[..<length])) == nil) }
    let up = FileProtocol.bytes(FileProtocol.Request(kind: .content, shard: 7, path: "../secret"))
    #expect(throws: (any Error).self) { try FileProtocol.request(up) }
    for place in 0..<6 {
      var broken = bytes
      broken[place] ^= 0x40
      #expect(throws: (any Error).self) { try FileProtocol.request(broken) }
    }
  }
}
