/// What a name may look like: lower-case letters, digits, `-`, `_` and `.`, at most 63 bytes.
package enum Names {
  package static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    return !bytes.isEmpty && bytes.count <= Limits.nameBytes && bytes.allSatisfy(isNameByte)
  }

  /// Names joined by `/`.
  package static func isValidPath(_ path: String, components: ClosedRange<Int>) -> Bool {
    guard path.utf8.count <= Limits.pathBytes else { return false }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return components.contains(parts.count) && parts.allSatisfy { isValid(String($0)) }
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
