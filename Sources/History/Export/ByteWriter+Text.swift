internal import MusterBytes
internal import MusterRendering

extension ByteWriter {
  /// Text that is known when this is compiled.
  @inline(__always)
  mutating func literal(_ text: StaticString) {
    raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A number in decimal digits.
  mutating func decimal(_ number: UInt64) {
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var place = 20
    var rest = number
    repeat {
      place -= 1
      digits[place] = UInt8(48 + rest % 10)
      rest /= 10
    } while rest > 0
    while place < 20 {
      byte(digits[place])
      place += 1
    }
  }
}

/// Times as JSON texts. Those of one second share their beginning.
struct TimeWriter {
  private var second: UInt64 = .max
  /// A quote, and the time down to the point before the fraction.
  private var beginning: [UInt8] = []

  mutating func write(_ time: UInt64, to writer: inout ByteWriter) {
    if time / 1_000_000 != second {
      second = time / 1_000_000
      // Without the six digits and the Z.
      beginning = [UInt8(ascii: "\"")] + Timestamp.format(time).utf8.dropLast(7)
    }
    writer.raw(beginning)
    var fraction = time % 1_000_000
    var scale: UInt64 = 100_000
    while scale > 0 {
      writer.byte(UInt8(48 + fraction / scale))
      fraction %= scale
      scale /= 10
    }
    writer.literal("Z\"")
  }
}
