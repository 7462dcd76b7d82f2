import MusterBytes
import Testing

private struct Sample: FieldMessage, Equatable {
  var number: UInt64 = 0
  var small: UInt32 = 0
  var signed: Int64 = 0
  var flag = false
  var text = ""
  var blob: [UInt8] = []
  var maybe: UInt64?
  var list: [UInt64] = []
  var inner: Inner?
  var many: [Inner] = []

  mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &number)
    try fields.uint32(2, &small)
    try fields.sint64(3, &signed)
    try fields.bool(4, &flag)
    try fields.string(5, &text, max: 64)
    try fields.bytes(6, &blob, max: 1000)
    try fields.optional(7, &maybe)
    try fields.packed(8, &list, count: 300)
    try fields.message(9, &inner)
    try fields.messages(20, &many, count: 10)
  }
}

private struct Inner: FieldMessage, Equatable {
  var value: UInt64 = 0
  var name = ""

  mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint64(1, &value)
    try fields.string(2, &name, max: 500)
  }
}

private let full = Sample(
  number: .max, small: .max, signed: -5, flag: true, text: "né", blob: Array(repeating: 7, count: 200), maybe: 0,
  list: (0..<300).map { $0 * 77 }, inner: Inner(value: 3, name: String(repeating: "x", count: 300)),
  many: [Inner(value: 1, name: "a"), Inner(), Inner(value: 9, name: "")])

@Suite struct WireTests {
  @Test func whatIsWrittenIsReadBack() throws {
    #expect(try Sample(bytes: full.encoded()) == full)
    #expect(try Sample(bytes: []) == Sample())
    #expect(Sample().encoded().isEmpty)
  }

  @Test func everyTruncationIsRefusedOrIsAPrefixOfFields() {
    let bytes = full.encoded()
    for length in 0..<bytes.count {
      let cut = Array(bytes[..<length])
      if let message = try? Sample(bytes: cut) { #expect(message.encoded() == cut) }
    }
  }

  @Test func everyFlippedBitIsRefusedOrStaysCanonical() {
    let bytes = full.encoded()
    for bit in 0..<(bytes.count * 8) {
      var bad = bytes
      bad[bit / 8] ^= 1 << (bit % 8)
      guard let message = try? Sample(bytes: bad, refusingUnknownFields: true) else { continue }
      let again = message.encoded()
      #expect((try? Sample(bytes: again)) == message)
    }
  }

  @Test(
    arguments: [
      ([0x08, 0x80, 0x00], WireError.varintNotMinimal),
      ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], .varintNotMinimal),
      ([0x08], .truncated),
      ([0x10, 0x01, 0x08, 0x01], .fieldOrder(field: 1)),
      ([0x08, 0x01, 0x08, 0x01], .fieldOrder(field: 1)),
      ([0x0a, 0x01, 0x00], .wireType(field: 1)),
      ([0x10, 0x80, 0x80, 0x80, 0x80, 0x10], .outOfRange(field: 2)),
      ([0x20, 0x02], .outOfRange(field: 4)),
      ([0x2a, 0x01, 0xff], .notUTF8(field: 5)),
      ([0x2a, 0x41] + Array(repeating: 0x61, count: 65), .tooLong(field: 5, limit: 64)),
      ([0x2a, 0x7f], .truncated),
      ([0x08, 0x01, 0xa8, 0x06, 0x01], .unknownField(field: 101)),
      ([0x00, 0x01], .outOfRange(field: 0)),
    ] as [([UInt8], WireError)])
  func badBytesAreNamed(_ bytes: [UInt8], _ expected: WireError) {
    #expect(throws: expected) { try Sample(bytes: bytes, refusingUnknownFields: true) }
  }

  @Test func unknownFieldsAreSkippedWhenAllowed() throws {
    let message = try Sample(bytes: [0x08, 0x01, 0xa8, 0x06, 0x01, 0xaa, 0x06, 0x01, 0x00])
    #expect(message.number == 1)
  }

  @Test func varintsHaveTheSizeThatIsSaid() {
    for shift in 0..<64 {
      for value in [UInt64(1) << shift, (UInt64(1) << shift) - 1, .max] {
        var writer = ByteWriter()
        writer.varint(value)
        #expect(writer.count == ByteWriter.varintSize(value))
      }
    }
  }
}
