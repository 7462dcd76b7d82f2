internal import MusterBytes
internal import MusterCluster
internal import MusterRendering

/// Texts by dense number, written as JSON once, in one piece of memory.
struct NameTable: ~Copyable {
  private var bytes = ByteWriter(capacity: 1 << 12)
  /// Where the text of each number ends; the first is before number 1.
  private var ends: [Int] = [0]

  /// Adds the text of the next number.
  mutating func append(_ text: String) {
    JSON.text(text).write(to: &bytes)
    ends.append(bytes.count)
  }

  /// Writes the text of a number as JSON; `#17` when there is none.
  func write(_ id: UInt32, to writer: inout ByteWriter) {
    guard id >= 1, Int(id) < ends.count else {
      JSON.text("#\(id)").write(to: &writer)
      return
    }
    writer.raw(slice(id))
  }

  /// The same without the quotes: as the beginning of a longer text.
  func writeInner(_ id: UInt32, to writer: inout ByteWriter) {
    guard id >= 1, Int(id) < ends.count else {
      writer.utf8("#\(id)")
      return
    }
    let text = slice(id)
    writer.raw(UnsafeRawBufferPointer(rebasing: text[1..<(text.count - 1)]))
  }

  private func slice(_ id: UInt32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes.bytes[ends[Int(id) - 1]..<ends[Int(id)]])
  }
}
