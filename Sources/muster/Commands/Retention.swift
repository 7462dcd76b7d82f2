import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct Retention: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "How long history is kept: for ever, unless somebody says otherwise.",
    discussion: "Example: muster retention set --log-age 90d --log-bytes 10GiB",
    subcommands: [Show.self, Set.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The policy, and what was cut.",
      discussion: """
        Example: muster retention show --output json
        With --at the policy as it was, and what had been cut then; keptFrom says where the history begins now.
        """)
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let source = try options.place.source()
      let reply = try await source.answer(.retention(RetentionQuestion()), at: try options.moment)
      let row = reply.answer.retention ?? HistoryRow()
      let newest = try await source.answer(.retention(RetentionQuestion()), at: .now).answer.retention ?? row
      let head = DocumentHead(
        schema: "retention", timeline: reply.timeline, revision: reply.revision, time: reply.time)
      options.output.show(head, row.members + [.init("keptFrom", .number(max(newest.horizon, 1)))]) {
        var text =
          row.policy.isForEver
          ? "\(newest.horizon > 0 ? "what is there" : "everything") is kept for ever\n"
          : "log        \(row.policy.words.log)\n"
        if !row.policy.isForEver { text += "snapshots  \(row.policy.words.snapshots)\n" }
        if row.horizon > 0 {
          text +=
            "horizon    revision \(row.horizon) (\(Timestamp.format(row.horizonTime))), cut at revision \(row.cutAt)\n"
        }
        if newest.horizon > row.horizon { text += "since then \(Show.words(newest))\n" }
        return text
      }
    }

    private static func words(_ row: HistoryRow) -> String {
      "history before revision \(row.horizon) was cut, at revision \(row.cutAt) (\(Timestamp.format(row.cutTime)))"
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Changes the policy; what is not named stays as it is.",
      discussion: """
        Example: muster retention set --log-age 90d --log-bytes 10GiB
                 muster retention set --log-age forever
        What is cut is gone, and said so in the log before it goes. Whatever both bounds allow to go goes, in whole
        segments; the state at the horizon, and everything since, stays.
        """)
    @Option(help: "Keep commits for so long: 90d, 12h, or forever.") var logAge: String?
    @Option(help: "Keep so many bytes of the log: 10GiB, or forever.") var logBytes: String?
    @Option(help: "Keep snapshots for so long; at least what the log needs.") var snapshotAge: String?
    @Option(help: "Keep so many bytes of snapshots; at least what the log needs.") var snapshotBytes: String?
    @OptionGroup var options: MutationOptions

    func validate() throws {
      guard [logAge, logBytes, snapshotAge, snapshotBytes].contains(where: { $0 != nil }) else {
        throw ValidationError("say what to keep: --log-age, --log-bytes, --snapshot-age or --snapshot-bytes")
      }
      try Failure.asValidation { _ = try changed(RetentionPolicy()) }
    }

    private func changed(_ policy: RetentionPolicy) throws -> RetentionPolicy {
      var policy = policy
      if let logAge { policy.logSeconds = try Set.seconds(logAge) }
      if let logBytes { policy.logBytes = try Set.bytes(logBytes) }
      if let snapshotAge { policy.snapshotSeconds = try Set.seconds(snapshotAge) }
      if let snapshotBytes { policy.snapshotBytes = try Set.bytes(snapshotBytes) }
      return policy
    }

    private static func seconds(_ text: String) throws -> UInt64 {
      if text == "forever" { return 0 }
      guard let span = Quantity.parseDuration(text), span > 0 else {
        throw Failure.usage("\"\(text)\" is no duration such as 90d or 12h, nor forever")
      }
      return span / 1_000_000
    }

    private static func bytes(_ text: String) throws -> UInt64 {
      if text == "forever" { return 0 }
      guard let bytes = Quantity.parse(text), bytes > 0 else {
        throw Failure.usage("\"\(text)\" is no size such as 10GiB, nor forever")
      }
      return bytes
    }

    func run() async throws {
      let connection = try Connection(options.server)
      let reply = try await ServerSource(connection).answer(.retention(RetentionQuestion()), at: .now)
      let policy = try changed(reply.answer.retention?.policy ?? RetentionPolicy())
      try await options.run(.setRetention(SetRetention(policy)), on: connection)
    }
  }
}

extension RetentionPolicy {
  fileprivate var words: (log: String, snapshots: String) {
    (RetentionPolicy.words(logSeconds, logBytes), RetentionPolicy.words(snapshotSeconds, snapshotBytes))
  }

  private static func words(_ seconds: UInt64, _ bytes: UInt64) -> String {
    var parts: [String] = []
    if seconds > 0 { parts.append("for \(seconds) s") }
    if bytes > 0 { parts.append("up to \(Quantity.format(bytes))") }
    return parts.isEmpty ? "for ever" : parts.joined(separator: ", ")
  }
}

extension HistoryRow {
  fileprivate var members: [JSON.Member] {
    [
      .init("logSeconds", .optional(policy.logSeconds)), .init("logBytes", .optional(policy.logBytes)),
      .init("snapshotSeconds", .optional(policy.snapshotSeconds)),
      .init("snapshotBytes", .optional(policy.snapshotBytes)), .init("horizon", .optional(horizon)),
      .init("horizonTime", horizon == 0 ? .null : .text(Timestamp.format(horizonTime))),
      .init("cutAt", .optional(cutAt)), .init("cutTime", cutAt == 0 ? .null : .text(Timestamp.format(cutTime))),
    ]
  }
}
