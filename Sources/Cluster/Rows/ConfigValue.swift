package import MusterBytes

package enum ConfigType: UInt32, Sendable, CaseIterable {
  case text = 0
  case integer = 1
  case boolean = 2
  case bytes = 3

  package var name: String {
    switch self {
    case .text: "text"
    case .integer: "integer"
    case .boolean: "boolean"
    case .bytes: "bytes"
    }
  }

  package init?(name: String) {
    guard let type = ConfigType.allCases.first(where: { $0.name == name }) else { return nil }
    self = type
  }
}

/// A typed configuration value. On the wire: a message with exactly one field set.
package enum ConfigValue: Message, Hashable {
  case text(String)
  case integer(Int64)
  case boolean(Bool)
  case bytes([UInt8])
  /// Encrypted before it was decided: the log never held it in the open.
  case sealed(SealedValue)

  package var type: ConfigType {
    switch self {
    case .text: .text
    case .integer: .integer
    case .boolean: .boolean
    case .bytes: .bytes
    case .sealed(let value): value.type
    }
  }

  package var byteCount: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .bytes(let bytes): bytes.count
    case .integer, .boolean: 8
    case .sealed(let value): value.content.count
    }
  }

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .text(let text):
      writer.tag(1, WireType.delimited)
      writer.varint(UInt64(text.utf8.count))
      writer.utf8(text)
    case .integer(let number):
      writer.tag(2, WireType.varint)
      writer.varint(UInt64(bitPattern: number << 1 ^ number >> 63))
    case .boolean(let flag):
      writer.tag(3, WireType.varint)
      writer.byte(flag ? 1 : 0)
    case .bytes(let bytes):
      writer.tag(4, WireType.delimited)
      writer.varint(UInt64(bytes.count))
      writer.raw(bytes)
    case .sealed(var value): writer.message(5, &value)
    }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else { throw .noAlternative }
    switch next.field {
    case 1:
      var text = ""
      try reader.string(1, &text, max: Limits.configValueBytes)
      self = .text(text)
    case 2:
      var number: Int64 = 0
      try reader.sint64(2, &number)
      self = .integer(number)
    case 3:
      guard next.type == WireType.varint else { throw .wireType(field: 3) }
      _ = try reader.varint()
      let flag = try reader.varint()
      guard flag <= 1 else { throw .outOfRange(field: 3) }
      self = .boolean(flag == 1)
    case 4:
      var bytes: [UInt8] = []
      try reader.bytes(4, &bytes, max: Limits.configValueBytes)
      self = .bytes(bytes)
    case 5:
      var value = SealedValue()
      try reader.message(5, &value)
      self = .sealed(value)
    default:
      throw .noAlternative
    }
    guard reader.isAtEnd else { throw .fieldOrder(field: next.field) }
  }
}
