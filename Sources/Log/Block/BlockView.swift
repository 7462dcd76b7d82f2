package import MusterBytes

/// A block that was read: its header, and its commits in borrowed memory.
public struct BlockView {
  public let header: BlockHeader
  /// The commits, each behind its length.
  package let commits: UnsafeRawBufferPointer

  /// Parses a logical block, or one whose chain value was left out.
  package init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
    var reader = ByteReader(bytes, refusesUnknownFields: true)
    var inner = try reader.nested()
    header = try BlockHeader(from: &inner)
    commits = reader.rest
  }

  /// Calls `body` with the bytes of each commit and its revision until it returns false.
  ///
  /// - Returns: false when `body` did.
  /// - Throws: `WireError` when the lengths do not add up.
  @inline(__always)
  public func forEachCommit(
    _ body: (UnsafeRawBufferPointer, UInt64) throws -> Bool
  ) throws -> Bool {
    var reader = ByteReader(commits)
    var revision = header.firstRevision
    for _ in 0..<header.commitCount {
      if try !body(try reader.delimited(), revision) { return false }
      revision += 1
    }
    guard reader.isAtEnd else { throw WireError.truncated }
    return true
  }

  /// The logical block, when it follows `previous`.
  func encode(following previous: SHA256Value, into writer: inout ByteWriter) {
    var full = header
    full.previousChain = previous
    var head = ByteWriter(capacity: BlockHeader.bytesMax)
    full.encode(into: &head)
    writer.varint(UInt64(head.count))
    writer.raw(head.bytes)
    writer.raw(commits)
  }

  /// The chain value of this block, when it follows `previous`.
  package func chain(after previous: SHA256Value) -> SHA256Value {
    var full = header
    full.previousChain = previous
    var head = ByteWriter(capacity: BlockHeader.bytesMax + 16)
    full.encode(into: &head)
    // The length stands before the header in the block, and behind it in this piece of memory.
    let count = head.count
    head.varint(UInt64(count))
    return SHA256Value.hash(
      UnsafeRawBufferPointer(rebasing: head.bytes[count...]), UnsafeRawBufferPointer(rebasing: head.bytes[..<count]),
      commits)
  }
}
