import Testing

import MusterHosts

@Suite struct RESPTests {
  private func parse(_ text: String) throws -> RESPValue? {
    var parser = RESPParser()
    parser.append(Array(text.utf8))
    return try parser.next()
  }

  @Test func valuesAreReadAsTheyWereSent() throws {
    #expect(try parse("+OK\r\n") == .simple("OK"))
    #expect(try parse("-ERR no\r\n") == .error("ERR no"))
    #expect(try parse(":-7\r\n") == .integer(-7))
    #expect(try parse("$3\r\na\r\n\r\n") == .bulk([97, 13, 10]))
    #expect(try parse("$-1\r\n") == .null)
    #expect(try parse("_\r\n") == .null)
    #expect(try parse("=7\r\ntxt:a\r\n\r\n") == .bulk([97, 13, 10]))
    #expect(try parse("%1\r\n+a\r\n:1\r\n") == .array([.simple("a"), .integer(1)]))
    let pushed = try parse(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n")
    #expect(pushed == .push([.bulk(Array("invalidate".utf8)), .array([.bulk([97])])]))
    #expect(try parse("*2\r\n:1\r\n*1\r\n$0\r\n\r\n") == .array([.integer(1), .array([.bulk([])])]))
  }

  @Test func whatComesInPiecesIsReadOnceItIsWhole() throws {
    let text = Array("*2\r\n$5\r\nhello\r\n+x\r\n:4\r\n".utf8)
    var parser = RESPParser()
    var values: [RESPValue] = []
    for byte in text {
      parser.append([byte])
      while let value = try parser.next() { values.append(value) }
    }
    #expect(values == [.array([.bulk(Array("hello".utf8)), .simple("x")]), .integer(4)])
  }

  @Test(arguments: [
    "?\r\n", "\r\n", ":x\r\n", "$99999999999\r\n", "$9223372036854775808\r\n", "*70000\r\n", "%40000\r\n",
    "%9223372036854775807\r\n", ">70000\r\n", "+a\rb", "$1\r\nabc\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", String(repeating: "a", count: 70_000),
  ])
  func whatIsNoValueIsRefused(_ text: String) {
    #expect(throws: RESPError.self) { try parse(text) }
  }
}
