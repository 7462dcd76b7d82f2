import MusterBytes
import MusterCluster
import MusterRendering
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", UInt64(0)), ("2026-11-22T03:14:00Z", 1_795_317_240_000_000),
    ("2026-11-22T05:14:00+02:00", 1_795_317_240_000_000), ("2024-02-29T23:59:59.5Z", 1_709_251_199_500_000),
    ("2024-02-29t23:59:59.123456789z", 1_709_251_199_123_456), ("2000-12-31T00:00:00-05:30", 978_240_600_000_000),
  ])
  func timesAreRead(_ text: String, _ expected: UInt64) {
    #expect(Timestamp.parse(text) == expected)
    #expect(Timestamp.parse(Timestamp.format(expected)) == expected)
  }

  @Test(arguments: [
    (UInt64(0), "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"),
    (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    (253_402_300_800_000_000, "10000-01-01T00:00:00.000000Z"),
  ])
  func timesAreWritten(_ microseconds: UInt64, _ text: String) {
    #expect(Timestamp.format(microseconds) == text)
  }

  @Test func whatIsWrittenIsReadAgain() {
    var microseconds: UInt64 = 1
    while microseconds < 253_402_300_800_000_000 {
      #expect(Timestamp.parse(Timestamp.format(microseconds)) == microseconds)
      microseconds += microseconds / 7 + 86_399_999_999
    }
    #expect(!Timestamp.format(.max).isEmpty)
  }

  @Test(arguments: [
    "", "now", "2026-11-22", "2026-11-22T03:14:00", "2026-13-22T03:14:00Z", "2025-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z", "2026-11-22T03:14:00.Z", "1969-12-31T23:59:59Z", "2026-11-22T03:14:00+2:00",
  ])
  func whatIsNoTimeIsNone(_ text: String) {
    #expect(Timestamp.parse(text) == nil)
  }
}

@Suite struct MomentTests {
  @Test(
    arguments: [
      ("1234", Moment.revision(1234)), ("0", .revision(0)), ("10m ago", .ago(600_000_000)),
      ("1h30m ago", .ago(5_400_000_000)), ("2d ago", .ago(172_800_000_000)),
      ("2026-11-22T03:14:00Z", .time(1_795_317_240_000_000)),
    ] as [(String, Moment)])
  func momentsAreRead(_ text: String, _ expected: Moment) {
    #expect(Moment(text: text) == expected)
  }

  @Test(arguments: [
    "", "-1", "10 m ago", "m ago", "10x ago", "10 ago", "99999999999999999999", "yesterday", "1.5h ago",
  ])
  func whatIsNoMomentIsNone(_ text: String) {
    #expect(Moment(text: text) == nil)
  }
}

@Suite struct JSONTests {
  @Test func everythingThatMustBeEscapedIs() {
    let value = JSON.members(["a\"b": .text("x\\y\n\u{1}é"), "n": .signed(-5), "l": .list([.null, .flag(true)])])
    #expect(value.line == "{\"a\\\"b\":\"x\\\\y\\n\\u0001é\",\"n\":-5,\"l\":[null,true]}")
  }

  @Test func everyByteThatMayNotStandAsItIsIsEscaped() {
    for byte in UInt8(0)..<0x80 {
      let text = "a" + String(UnicodeScalar(byte)) + "é"
      let line = JSON.text(text).line
      let inner = line.dropFirst(2).dropLast(2)
      let isPlain = byte >= 0x20 && byte != 0x22 && byte != 0x5c
      #expect(isPlain ? inner == String(UnicodeScalar(byte)) : inner.first == "\\" && inner.count >= 2)
      #expect(line.utf8.allSatisfy { $0 >= 0x20 })
    }
    #expect(JSON.text("").line == "\"\"")
    #expect(JSON.text("\"\"").line == "\"\\\"\\\"\"")
  }

  @Test func aRowOfValuesQuotesWhatItMust() {
    var commit = CommitReport()
    commit.revision = 7
    commit.time = 1_795_317_240_000_000
    commit.wallTime = commit.time
    commit.principal = "a,b"
    commit.reason = Reason(.request, text: "said \"go\"\r\nnow")
    commit.events = [
      EventReport("LeaderElected", [FieldReport("shard", .text("c/1")), FieldReport("epoch", .number(2))]),
      EventReport("NodeLeft", []),
    ]
    let time = "2026-11-22T03:14:00.000000Z"
    let head = "7,\(time),\(time),\"a,b\",,,\"said \"\"go\"\"\r\nnow\",,"
    #expect(
      CSV.rows(commit) == head + "LeaderElected,\"{\"\"shard\"\":\"\"c/1\"\",\"\"epoch\"\":2}\"\r\n" + head
        + "NodeLeft,{}\r\n")
  }

  @Test(arguments: [
    ([], ""), ([1], "AQ=="), ([1, 2], "AQI="), ([1, 2, 3], "AQID"), ([255, 254, 253, 252], "//79/A=="),
  ])
  func base64IsTheStandardOne(_ bytes: [UInt8], _ text: String) {
    #expect(Base64.encode(bytes) == text)
  }

  @Test func columnsAreAsWideAsTheyMustBe() {
    var table = Table(["A", "LONG"])
    table.add(["value", "x"])
    #expect(table.text == "A      LONG\nvalue  x\n")
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [
    ("100", UInt64(100)), ("1KiB", 1024), ("2GiB", 2 << 30), ("3MB", 3_000_000), ("1.5GiB", nil), ("GiB", nil),
    ("-1", nil), ("99999999999PB", nil),
  ])
  func amountsAreRead(_ text: String, _ expected: UInt64?) {
    #expect(Quantity.parse(text) == expected)
  }

  @Test func listsOfAmountsAreRead() {
    #expect(Quantity.parseAmounts("disk=1GiB,cpu=8") == [Amount("disk", 1 << 30), Amount("cpu", 8)])
    #expect(Quantity.parseAmounts("disk") == nil)
    #expect(Quantity.parseAmounts("disk=1GiB,") == nil)
  }
}
