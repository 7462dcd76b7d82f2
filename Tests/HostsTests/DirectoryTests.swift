import Foundation
import MusterHostConformance
import MusterHosting
import Synchronization
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
    let before = try await replica.look().position
    let directory = try directory(shard, node)
    guard FileManager.default.fileExists(atPath: "\(directory)/leading") else {
      throw HostProblem.notNow("not leading")
    }
    try FileManager.default.createDirectory(atPath: "\(directory)/files/d", withIntermediateDirectories: true)
    try value.write(toFile: "\(directory)/files/d/\(value)", atomically: true, encoding: .utf8)
    try await eventually { try await replica.look().position != before }
  }

  func read(_ replica: any HostedReplica, of shard: HostedShard, node: String) async throws -> Set<String> {
    Set(FileText.names(in: "\(try directory(shard, node))/files/d"))
  }

  func destroy(_ shard: HostedShard, node: String) async throws { try FileText.delete(try directory(shard, node)) }
}

private func eventually(_ holds: () async throws -> Bool) async throws {
  for _ in 0..<200 {
    if (try? await holds()) == true { return }
    try await Task.sleep(for: .milliseconds(50))
  }
  try #require(Bool(false), "waited 10 s")
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

  /// Looks until the leader took over what was written: once it holds still.
  private func settle(_ leader: any HostedReplica) async throws {
    let before = try await leader.look().position
    try await eventually { try await leader.look().position != before }
  }

  @Test func largeFilesGoOnWhereTheyStoppedAndArriveWhole() async throws {
    let place = try Place()
    let (leader, follower, from, to) = try await pair(place)
    let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    try content.write(to: URL(filePath: from + "/large"))
    try await settle(leader)
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
    try await settle(leader)
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
    try await settle(leader)
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

  /// A writer that knows nothing of renaming: it overwrites its file piece by piece.
  private func overwrite(_ path: String, with byte: UInt8, pieces: Range<Int>) throws {
    let handle = try #require(FileHandle(forUpdatingAtPath: path))
    for piece in pieces {
      try handle.seek(toOffset: UInt64(piece * DirectoryTests.piece))
      try handle.write(contentsOf: Data(repeating: byte, count: DirectoryTests.piece))
    }
    try handle.close()
  }

  private static let piece = 256 * 1024
  private static let pieces = 6

  @Test func aFileThatChangesBeforeItIsCopiedIsNotTakenForWhatItWas() async throws {
    let place = try Place()
    let (leader, follower, from, to) = try await pair(place)
    let length = DirectoryTests.pieces * DirectoryTests.piece
    try Data(repeating: 1, count: length).write(to: URL(filePath: from + "/x"))
    try await settle(leader)
    // The end is overwritten after the leader said what is in it.
    try overwrite(from + "/x", with: 2, pieces: 3..<DirectoryTests.pieces)
    #expect(try await follower.look().role == .following(isAttached: false))
    #expect(!FileManager.default.fileExists(atPath: to + "/x"))
    try overwrite(from + "/x", with: 2, pieces: 0..<3)
    try await settle(leader)
    #expect(try await follower.look().role == .following(isAttached: true))
    #expect(try Data(contentsOf: URL(filePath: to + "/x")) == Data(repeating: 2, count: length))

    // What is only appended to leaves what was there.
    try Data(repeating: 3, count: length).write(to: URL(filePath: from + "/log"))
    try await settle(leader)
    let handle = try #require(FileHandle(forWritingAtPath: from + "/log"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(repeating: 4, count: 10))
    try handle.close()
    #expect(try await follower.look().role == .following(isAttached: true))
    #expect(try Data(contentsOf: URL(filePath: to + "/log")) == Data(repeating: 3, count: length))
  }

  @Test func filesThatChangeWhileTheyAreCopiedArriveWholeOrNotYet() async throws {
    let place = try Place()
    let (leader, follower, from, to) = try await pair(place)
    let length = DirectoryTests.pieces * DirectoryTests.piece
    try Data(repeating: 0, count: length).write(to: URL(filePath: from + "/x"))
    let isOver = Mutex(false)
    async let writing: Void = {
      defer { isOver.withLock { $0 = true } }
      for version in UInt8(1)...40 {
        for piece in 0..<DirectoryTests.pieces {
          try overwrite(from + "/x", with: version, pieces: piece..<(piece + 1))
          try await Task.sleep(for: .milliseconds(2))
        }
        // Now and then it holds still.
        if version % 10 == 0 { try await Task.sleep(for: .milliseconds(600)) }
      }
    }()
    var last: UInt8?
    var looks = 0
    func look() async throws {
      _ = try await leader.look()
      _ = try await follower.look()
      guard let copy = try? Data(contentsOf: URL(filePath: to + "/x")) else { return }
      // What the file was at one instant: pieces of one version, followed by pieces of the one before.
      let pieces = stride(from: 0, to: copy.count, by: DirectoryTests.piece).map {
        Set(copy[$0..<min($0 + DirectoryTests.piece, copy.count)])
      }
      let versions = pieces.compactMap(\.first)
      let first = try #require(versions.first)
      #expect(copy.count == length && pieces.allSatisfy { $0.count == 1 }, "a piece is a mixture")
      let older = versions.drop { $0 == first }
      #expect(older.allSatisfy { $0 &+ 1 == first }, "a mixture of instants: \(versions)")
      if older.isEmpty { last = first }
    }
    while !isOver.withLock({ $0 }) {
      try await look()
      looks += 1
      try await Task.sleep(for: .milliseconds(1))
    }
    try await writing
    #expect(looks > 10, "otherwise nothing was copied while it changed")
    try await eventually {
      try await look()
      return last == 40
    }
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
