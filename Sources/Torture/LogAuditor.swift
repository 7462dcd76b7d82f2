import Glibc
import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol

/// Follows the log of the server and compares it with the ledger.
///
/// Of every commit of ours it checks that it was sent, holds what was sent, comes once, in its client's order, and behind
/// everything that had been acknowledged when it was sent; of every acknowledgement that the log has it at the revision
/// that was said.
final class LogAuditor {
  private let ledger: Ledger
  /// The next revision to look at.
  private(set) var next: Revision = 1
  /// The last command of each client, and where each that was not compared yet stands.
  private var lastSequence: [Int: UInt64] = [:]
  private var places: [Int: [UInt64: Revision]] = [:]
  /// A hash of every commit, by revision less one: what was once shown never changes.
  private(set) var hashes: [Int] = []
  private(set) var commits = 0
  /// The newest commit's log time, and what the server's wall clock said then.
  private var time: Microseconds = 0
  private var wallTime: Microseconds = 0
  /// How often the server's wall clock said less than for the commit before, and how far it was from the true time.
  private(set) var wallTimeWentBack = 0
  private(set) var wallTimeFurthest: Microseconds = 0

  init(_ ledger: Ledger) { self.ledger = ledger }

  /// Reads on, up to a revision.
  func follow(_ address: String, through target: Revision) async throws {
    guard target >= next, let servers = ServerList(address) else { return }
    let client = Client(servers, hello: Hello(principal: "torture", kind: .service, software: "torture"))
    do {
      let stream = try await client.stream(.watch, WatchRequest(.everything, from: next))
      try await stream.forEach { element in
        guard case .item(let bytes) = element else { return false }
        let item = try WatchItem(bytes: bytes)
        if let commit = item.commit { try self.see(commit) }
        return item.revision < target
      }
    } catch {
      await client.close()
      throw error
    }
    await client.close()
    guard next > target else { throw TortureError("the watch ended at revision \(next - 1), before \(target)") }
  }

  private func see(_ commit: CommitReport) throws {
    guard commit.revision == next else {
      throw TortureError("revision \(commit.revision) is shown where \(next) was to come")
    }
    next += 1
    hashes.append(commit.hashValue)
    try seeTimes(commit)
    guard let written = written(commit) else { return }
    commits += 1
    let last = lastSequence[written.client] ?? 0
    guard written.sequence == last + 1 else {
      let what = written.sequence <= last ? "twice, or out of order" : "before one that it was sent after"
      throw TortureError("\(commit.requestID) is in the log \(what), at revision \(commit.revision)")
    }
    lastSequence[written.client] = written.sequence
    places[written.client, default: [:]][written.sequence] = commit.revision
    try check(written, commit)
  }

  private func seeTimes(_ commit: CommitReport) throws {
    guard commit.time >= time else {
      throw TortureError("revision \(commit.revision) has log time \(commit.time), and the one before it has \(time)")
    }
    if commit.wallTime < wallTime { wallTimeWentBack += 1 }
    (time, wallTime) = (commit.time, commit.wallTime)
    let now = TrueTime.microseconds(CLOCK_REALTIME)
    wallTimeFurthest = max(wallTimeFurthest, now > wallTime ? now - wallTime : wallTime - now)
  }

  private func written(_ commit: CommitReport) -> Written? {
    let parts = commit.requestID.split(separator: ":")
    guard parts.count == 2, parts[0].hasPrefix("torture-"), let client = Int(parts[0].dropFirst("torture-".count)),
      let sequence = UInt64(parts[1])
    else { return nil }
    return Written(client: client, sequence: sequence)
  }

  private func check(_ written: Written, _ commit: CommitReport) throws {
    guard let before = ledger.sentAfter(written) else {
      throw TortureError("revision \(commit.revision) is a command that nobody sent")
    }
    guard commit.revision > before else {
      throw TortureError("revision \(commit.revision) was sent after \(before) had been acknowledged")
    }
    let fields = commit.events.flatMap(\.fields)
    guard fields.contains(FieldReport("key", .text(written.key))),
      fields.contains(FieldReport("value", .text(written.value)))
    else { throw TortureError("revision \(commit.revision) holds something else than was sent") }
  }

  /// Compares what was acknowledged, as far as the log was read.
  func settle() throws {
    for entry in ledger.takeUnchecked(through: next - 1) {
      let place = places[entry.client]?.removeValue(forKey: entry.sequence)
      guard place == entry.revision else {
        let found = place.map { "at \($0)" } ?? "nowhere"
        throw TortureError(
          "command \(entry.sequence) of client \(entry.client) was acknowledged at revision \(entry.revision), and is "
            + found)
      }
    }
  }
}
