import Foundation
import Testing

@Suite struct ExampleTests {
  /// The example program, which the build puts beside the tests.
  private func run(_ arguments: [String]) throws -> String {
    let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
    let process = Process()
    process.executableURL = URL(filePath: bundle).deletingLastPathComponent().appending(path: "journal-example")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self)
  }

  @Test func theExampleOfTheLibraryRemembersItsAccount() throws {
    let scratch = Scratch()
    _ = try run([scratch.data, "25", "-10"])
    #expect(try run([scratch.data, "7"]) == "revision 0: 0\nrevision 1: 25\nrevision 2: 15\nrevision 3: 22\n")
  }
}
