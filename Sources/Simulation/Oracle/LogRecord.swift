internal import MusterBytes
internal import MusterCluster

/// What the oracle keeps of the log for ever: of each revision enough to know it again.
struct LogRecord {
  /// Of the state after each revision.
  private var digests: [SetDigest] = []
  /// Which topics have something of it, a bit each.
  private var topics: [UInt8] = []
  /// Of the commit as people see it.
  private var reports: [SetDigest] = []
  private var requests: [RequestID?] = []
  private var times: [Microseconds] = []

  /// Who asked for a commit: at most one commit has it.
  struct RequestID: Hashable {
    var session: SessionID
    var sequence: UInt64
  }

  private var executed: [RequestID: Revision] = [:]

  var last: Revision { UInt64(digests.count) }

  /// - Returns: the revision that has the same request id already.
  mutating func append(
    _ commit: Commit, digest: SetDigest, topics: UInt8, report: SetDigest
  ) -> Revision? {
    digests.append(digest)
    self.topics.append(topics)
    reports.append(report)
    times.append(commit.time)
    let id = commit.session == 0 ? nil : RequestID(session: commit.session, sequence: commit.sequence)
    requests.append(id)
    return id.flatMap { executed.updateValue(commit.revision, forKey: $0) }
  }

  private func place(_ revision: Revision) -> Int? {
    revision >= 1 && revision <= last ? Int(revision) - 1 : nil
  }

  func digest(_ revision: Revision) -> SetDigest? { place(revision).map { digests[$0] } }
  func report(_ revision: Revision) -> SetDigest? { place(revision).map { reports[$0] } }
  func request(_ revision: Revision) -> RequestID? { place(revision).flatMap { requests[$0] } }
  func time(_ revision: Revision) -> Microseconds { place(revision).map { times[$0] } ?? 0 }

  func has(_ topic: Int, at revision: Revision) -> Bool {
    place(revision).map { topics[$0] >> topic & 1 == 1 } ?? false
  }

  static func digest(of report: CommitReport) -> SetDigest {
    report.encoded().withUnsafeBytes { SetDigest(row: $0, seed: 7) }
  }
}
