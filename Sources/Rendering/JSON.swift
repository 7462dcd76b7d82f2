package import MusterBytes

/// A JSON value whose members keep their order. Fractions are decimal, so that what is written is what was counted.
package enum JSON: Equatable, Sendable {
  case null
  case flag(Bool)
  case number(UInt64)
  case signed(Int64)
  /// A number in millionths, written with as many places as it needs.
  case millionths(UInt64)
  case text(String)
  case list([JSON])
  case object([Member])

  package struct Member: Equatable, Sendable {
    package var name: String
    package var value: JSON

    package init(_ name: String, _ value: JSON) {
      self.name = name
      self.value = value
    }
  }

  package static func members(_ members: KeyValuePairs<String, JSON>) -> JSON {
    .object(members.map { Member($0.key, $0.value) })
  }

  /// A duration that was counted in microseconds.
  package static func seconds(_ microseconds: UInt64) -> JSON { .millionths(microseconds) }

  /// A share or a rate, to two places; null when there is nothing to divide by.
  package static func ratio(_ dividend: UInt64, _ divisor: UInt64) -> JSON {
    guard divisor > 0 else { return .null }
    let (high, low) = dividend.multipliedFullWidth(by: 100)
    guard high < divisor else { return .number(dividend / divisor) }
    let hundredths = divisor.dividingFullWidth((high, low)).quotient
    let (scaled, overflow) = hundredths.multipliedReportingOverflow(by: 10_000)
    return overflow ? .number(hundredths / 100) : .millionths(scaled)
  }

  /// Text, or null when there is none.
  package static func optional(_ text: String) -> JSON { text.isEmpty ? .null : .text(text) }

  /// A number, or null for 0, where 0 is none.
  package static func optional(_ number: UInt64) -> JSON { number == 0 ? .null : .number(number) }
}

extension JSON {
  /// Appends the value in one line.
  package func write(to writer: inout ByteWriter) {
    switch self {
    case .null: writer.utf8("null")
    case .flag(let flag): writer.utf8(flag ? "true" : "false")
    case .number(let number): writer.utf8(String(number))
    case .signed(let number): writer.utf8(String(number))
    case .millionths(let number): writer.utf8(JSON.decimal(number))
    case .text(let text): JSON.writeText(text, to: &writer)
    case .list(let list):
      writer.byte(UInt8(ascii: "["))
      for (place, value) in list.enumerated() {
        if place > 0 { writer.byte(UInt8(ascii: ",")) }
        value.write(to: &writer)
      }
      writer.byte(UInt8(ascii: "]"))
    case .object(let members):
      writer.byte(UInt8(ascii: "{"))
      for (place, member) in members.enumerated() {
        if place > 0 { writer.byte(UInt8(ascii: ",")) }
        JSON.writeText(member.name, to: &writer)
        writer.byte(UInt8(ascii: ":"))
        member.value.write(to: &writer)
      }
      writer.byte(UInt8(ascii: "}"))
    }
  }

  private static func decimal(_ millionths: UInt64) -> String {
    let whole = String(millionths / 1_000_000)
    guard millionths % 1_000_000 > 0 else { return whole }
    var places = String(millionths % 1_000_000 + 1_000_000).dropFirst()
    while places.last == "0" { places.removeLast() }
    return whole + "." + places
  }

  /// Writes a string with everything escaped that JSON does not allow as it is.
  private static func writeText(_ text: String, to writer: inout ByteWriter) {
    writer.byte(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): writer.utf8("\\\"")
      case UInt8(ascii: "\\"): writer.utf8("\\\\")
      case UInt8(ascii: "\n"): writer.utf8("\\n")
      case UInt8(ascii: "\r"): writer.utf8("\\r")
      case UInt8(ascii: "\t"): writer.utf8("\\t")
      case 0..<0x20:
        writer.utf8("\\u00")
        writer.utf8(hexadecimal([byte]))
      default: writer.byte(byte)
      }
    }
    writer.byte(UInt8(ascii: "\""))
  }

  package var line: String {
    var writer = ByteWriter()
    write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
