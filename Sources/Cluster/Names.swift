/// What a name may look like: lower-case letters, digits, `-`, `_` and `.`, at most 63 bytes.
package enum Names {
  package static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    return !bytes.isEmpty && bytes.count <= Limits.nameBytes && bytes.allSatisfy(isNameByte)
  }

  /// Names joined by `/`.
  package static func isValidPath(_ path: String, components: ClosedRange<Int>) -> Bool {
    let bytes = path.utf8
    guard bytes.count <= Limits.pathBytes else { return false }
    // One walk over the bytes: every command that names a key pays for it.
    var (parts, length) = (1, 0)
    for byte in bytes {
      if byte == UInt8(ascii: "/") {
        guard length > 0 else { return false }
        (parts, length) = (parts + 1, 0)
      } else {
        length += 1
        guard length <= Limits.nameBytes, isNameByte(byte) else { return false }
      }
    }
    return length > 0 && components.contains(parts)
  }

  /// Text that people wrote: anything but control characters.
  package static func isPrintable(_ text: String, bytes limit: Int) -> Bool {
    text.utf8.count <= limit && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
    default: false
    }
  }
}
