import Glibc
import MusterBytes
import MusterClient
import MusterCluster
import MusterDisk
import MusterKernel
import MusterLog
import MusterProtocol
import MusterServer
import Testing

/// A server that reads again what it wrote and replays it beside what it serves.
@Suite struct ScrubbingTests {
  /// Waits for what a pass finds; the limit only keeps a failing test from hanging.
  private func eventually(_ what: Comment, _ holds: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
      if try await holds() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    try #require(Bool(false), "waited for \(what)")
  }

  private func passes(_ server: TestServer) async throws -> UInt64 {
    try await number("muster_scrub_passes_total", server)
  }

  private func number(_ metric: String, _ server: TestServer) async throws -> UInt64 {
    try number(metric, in: try await server.metrics())
  }

  private func number(_ metric: String, in metrics: String) throws -> UInt64 {
    let line = metrics.split(separator: "\n").first { $0.hasPrefix("\(metric) ") }
    return try #require(line.flatMap { UInt64($0.dropFirst(metric.count + 1)) }, "there is no \(metric)")
  }

  @Test func whatIsServedIsFollowedAndFoundEqual() async throws {
    let directory = newDirectory()
    try PlantedLog.write(directory, commits: 40)
    let server = try await TestServer.start(directory)
    let client = server.client()
    let reply = try await client.execute(setConfig("a", [1]), attempts: 1)
    let before = try await passes(server)
    try await eventually("two passes") { try await passes(server) >= before + 2 }
    #expect(try await number("muster_scrub_followed_revision", server) >= reply.commit)
    #expect(try await number("muster_scrub_faults_total", server) == 0)
    #expect(try await number("muster_scrub_bytes_total", server) > 0)
    #expect(server.divergence == nil)
    await client.close()
    try await server.end()
  }

  @Test func oneBitOfAViewThatIsNotWhatTheLogSaysIsFoundByTheFirstPass() async throws {
    let directory = newDirectory()
    try PlantedLog.write(directory, commits: 40)
    let server = try await TestServer.start(directory) { journal in
      let state = try PlantedLog.stateWithOneBitFlipped(journal)
      let origin = BlockOrigin(timeline: 1, term: 1, run: journal.run)
      let identity = Identity(clusterID: journal.identity.clusterID, version: "muster test", origin: origin)
      return Kernel(state, identity: identity, after: journal.chain)
    }
    try await eventually("the divergence") { server.divergence != nil }
    // Nothing but a first pass, and a second one of a state made anew, was needed.
    #expect(try number("muster_scrub_passes_total", in: server.metricsAtDivergence) <= 1)
    try await server.end()
  }

  @Test func oneBitThatRotsInAPackedSegmentRaisesAnAlarmThatNamesTheRevision() async throws {
    let directory = newDirectory()
    try PlantedLog.write(directory, commits: 160, valueBytes: 2000)
    let server = try await TestServer.start(directory)
    let client = server.client()
    var packed: [SegmentName] = []
    let storage = FileStorage(root: directory)
    try await eventually("packed segments") {
      packed = SegmentName.all(in: try storage.list(Layout.log)).filter(\.isSealed)
      return packed.count >= 2
    }
    // Behind the segment's own frame and the head of its first pack.
    let place = 160 + FrameHeader.byteCount + 9
    try flip(directory + "/" + packed[1].path, at: place)
    try await eventually("the alarm") { try await alarm(client) != nil }
    let message = try #require(try await alarm(client))
    #expect(message.contains(packed[1].path) && message.contains("revision \(packed[1].first)"), "\(message)")
    #expect(try await number("muster_scrub_faults_total", server) > 0)
    #expect(try await server.metrics().contains("muster_alarms{alarm=\"scrub-fault\"} 1"))
    #expect(server.divergence == nil)

    // It stands until what was damaged is whole again.
    try flip(directory + "/" + packed[1].path, at: place)
    try await eventually("the alarm's end") { try await alarm(client) == nil }
    await client.close()
    try await server.end()
  }

  private func alarm(_ client: Client) async throws -> String? {
    let reply: ReadReply = try await client.call(.read, ReadRequest(.status(StatusQuestion())))
    return reply.answer.status?.alarms.first { $0.name == "scrub-fault" }?.message
  }

  private func flip(_ path: String, at offset: Int) throws {
    let descriptor = open(path, O_RDWR)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var byte: UInt8 = 0
    try #require(pread(descriptor, &byte, 1, off_t(offset)) == 1)
    byte ^= 4
    try #require(pwrite(descriptor, &byte, 1, off_t(offset)) == 1)
  }
}
