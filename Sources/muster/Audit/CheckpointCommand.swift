import ArgumentParser
import MusterAudit
import MusterProtocol
import MusterRendering

struct CheckpointCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "A signed note of what the log is now, to be kept elsewhere.",
    discussion: """
      Example: muster checkpoint --to 2026-11-24.note
               muster checkpoint --key
      Whoever keeps one finds out about every later change to what was in the log (`muster verify --checkpoint`), and can
      check proofs without a server (`muster check-proof`). A server signs one of all that is durable; --data shows the
      newest that was signed.
      """)
  @Option(help: "A file for the note; - for standard output.") var to: String?
  @Flag(help: "Print only the key that notes can be checked with: publish it.") var key = false
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let reply = try await place.source().checkpoint()
    if key { return Terminal.out(reply.verifierKey + "\n") }
    let note = String(decoding: reply.note, as: UTF8.self)
    if let to { return try NoteFile.write(note, to: to) }
    let checkpoint = try Checkpoint(SignedNote(reply.note))
    let head = DocumentHead(schema: "checkpoint", timeline: reply.timeline, revision: reply.revision, time: 0)
    let members: [JSON.Member] =
      checkpoint.members + [.init("note", .text(note)), .init("keys", .list([.text(reply.verifierKey)]))]
    output.show(head, members) { note }
  }
}

extension Checkpoint {
  var members: [JSON.Member] {
    var members: [JSON.Member] = [
      .init("origin", .text(origin)), .init("size", .number(size)), .init("root", .text(root.base64)),
    ]
    if let parent {
      members.append(
        .init(
          "parent",
          .members([
            "origin": .text(parent.origin), "size": .number(parent.size), "root": .text(parent.root.base64),
          ])))
    }
    return members
  }
}
