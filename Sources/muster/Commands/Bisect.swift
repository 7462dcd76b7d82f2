import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

/// An expression over the state.
enum CheckText {
  static let examples = """
    Examples of checks:
      node("n3").state == up
      shard("orders/17").leader != ""
      count(shards where leaderless) == 0
      count(nodes where state == up and zone == "a") >= 2
      all(shards where collection != "orders" or inSync >= 2)
      not any(nodes where state in (suspect, down))
      config("cache/size") == 512
      config("cache/size", "node:n3").exists
      collection("orders").shards == 12 and collection("orders").state == active
      any(shards where on("n3") and moving)
    Sources/Cluster/Expressions/Expressions.md describes the language.
    """

  /// A check that cannot be read is a usage error.
  static func validate(_ text: String) throws {
    do throws(ExpressionError) { _ = try Expression(text) } catch {
      throw ValidationError("the check cannot be read \(error.pointing(into: text))")
    }
  }
}

struct Bisect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The first revision at which a check became false.",
    discussion: """
      Example: muster bisect --check 'count(shards where leaderless) == 0' --from "1h ago"
      The check must hold at --from and not at --to. If it became false several times in between, one of these \
      is found. It looks at few states: about the binary logarithm of the revisions between.

      \(CheckText.examples)
      """)
  @Option(help: "What held once, and does not now.") var check: String
  @Option(help: "A moment when it held: a revision, a time, or \"10m ago\"; without it the beginning.") var from:
    String?
  @Option(help: "A moment when it did not hold; without it now.") var to: String?
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try CheckText.validate(check)
    try Failure.asValidation { _ = try request }
  }

  private var request: BisectRequest {
    get throws {
      BisectRequest(
        check, from: try from.map { try ReadOptions.moment($0) }, to: try to.map { try ReadOptions.moment($0) } ?? .now)
    }
  }

  func run() async throws {
    let reply = try await place.source().bisect(request)
    let head = DocumentHead(
      schema: "bisect", timeline: reply.timeline, revision: reply.commit.revision, time: reply.commit.time)
    let members: [JSON.Member] = [
      .init("check", .text(check)), .init("from", .number(reply.from)), .init("to", .number(reply.to)),
      .init("commit", reply.commit.json), .init("statesRead", .number(reply.statesRead)),
      .init("blocksRead", .number(reply.blocksRead)),
    ]
    output.show(head, members) {
      "\(check) held until revision \(reply.commit.revision - 1), and no more at\n" + LogPrinter.words(reply.commit)
        + "looked at \(reply.statesRead) states, read \(reply.blocksRead) blocks\n"
    }
  }
}

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Whether a check holds, now or then: exit 0 when it does, 1 when not.",
    discussion: """
      Example: muster check 'node("n3").state == up' --at "10m ago"

      \(CheckText.examples)
      """)
  @Argument(help: "An expression over the state.") var check: String
  @OptionGroup var options: ReadOptions

  func validate() throws { try CheckText.validate(check) }

  func run() async throws {
    let reply = try await options.place.source().answer(.check(CheckQuestion(check)), at: options.moment)
    let holds = reply.answer.check?.holds ?? false
    let head = DocumentHead(schema: "check", timeline: reply.timeline, revision: reply.revision, time: reply.time)
    options.output.show(head, [.init("check", .text(check)), .init("holds", .flag(holds))]) {
      "\(check) \(holds ? "holds" : "does not hold") at revision \(reply.revision)\n"
    }
    guard holds else { throw Failure(.refused, "the check does not hold at revision \(reply.revision)") }
  }
}
