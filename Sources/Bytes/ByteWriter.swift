/// A growing buffer that integers, strings and nested messages are written into.
///
/// It owns raw memory instead of an array because appending to `[UInt8]` byte by byte costs ten times as much.
///
/// Public and inlinable, like the reader and `Message`, although no product shows them: the compiler specialises no
/// `package` code for another module, and field lists that are not specialised cost four times as much.
public struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var used: Int

  /// The number of bytes written so far.
  @inlinable public var count: Int { used }

  /// - Parameter capacity: bytes to allocate at first; the buffer doubles when it is full.
  public init(capacity: Int = 256) {
    let size = max(capacity, 16)
    base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    self.capacity = size
    used = 0
  }

  deinit { base.deallocate() }

  /// The bytes written so far. The pointer is good until the next write.
  @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  public func array() -> [UInt8] { [UInt8](bytes) }

  /// Forgets what was written and keeps the memory.
  @inlinable public mutating func removeAll() { used = 0 }

  /// Forgets what was written after the first `length` bytes.
  public mutating func truncate(to length: Int) {
    precondition(length <= count, "a writer cannot be truncated to more than it holds")
    used = length
  }

  @inline(never) @usableFromInline
  mutating func grow(_ extra: Int) {
    let size = max(capacity * 2, count + extra)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    fresh.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = fresh
    capacity = size
  }

  @inlinable @inline(__always)
  mutating func reserve(_ extra: Int) {
    if count + extra > capacity { grow(extra) }
  }

  @inlinable
  public mutating func byte(_ value: UInt8) {
    reserve(1)
    base.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
    used += 1
  }

  @inlinable
  public mutating func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
      used += 1
      rest >>= 7
    }
    base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
    used += 1
  }

  /// Writes a little-endian integer of its full width.
  @inlinable
  public mutating func fixed<T: FixedWidthInteger>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
    used += MemoryLayout<T>.size
  }

  /// Overwrites a little-endian integer that was written before.
  public mutating func patch<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count, "a patch must lie within what was written")
    base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
  }

  /// Overwrites bytes that were written before.
  public mutating func overwrite(_ source: [UInt8], at offset: Int) {
    precondition(offset >= 0 && offset + source.count <= count, "what is overwritten must lie within what was written")
    source.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { (base + offset).copyMemory(from: start, byteCount: bytes.count) }
    }
  }

  @inlinable
  public mutating func raw(_ source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress, source.count > 0 else { return }
    reserve(source.count)
    (base + count).copyMemory(from: start, byteCount: source.count)
    used += source.count
  }

  public mutating func raw(_ source: [UInt8]) {
    source.withUnsafeBytes { raw($0) }
  }

  public mutating func raw(_ source: ArraySlice<UInt8>) {
    source.withUnsafeBytes { raw($0) }
  }

  public mutating func utf8(_ source: String) {
    var copy = source
    copy.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
  }

  public mutating func zeros(_ length: Int) {
    guard length > 0 else { return }
    reserve(length)
    (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: length)
    used += length
  }

  /// Lets `body` fill up to `limit` bytes behind what was written; it says how many it filled, or nil for none.
  public mutating func appendUninitialized(
    atMost limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int?
  ) -> Bool {
    reserve(limit)
    guard let filled = body(UnsafeMutableRawBufferPointer(start: base + count, count: limit)) else { return false }
    precondition(filled >= 0 && filled <= limit, "no more can be filled than was offered")
    used += filled
    return true
  }

  @inlinable
  public mutating func tag(_ field: Int, _ type: UInt64) {
    varint(UInt64(field) << 3 | type)
  }

  /// Writes a length-delimited field whose content `body` writes; the length comes out minimal.
  @inlinable
  public mutating func delimited<E: Error>(_ field: Int, _ body: (inout ByteWriter) throws(E) -> Void) throws(E) {
    let start = beginDelimited(field)
    try body(&self)
    endDelimited(start)
  }

  /// Writes a tag and a placeholder for the length, and says where the placeholder is.
  @inlinable
  public mutating func beginDelimited(_ field: Int) -> Int {
    tag(field, WireType.delimited)
    byte(0)
    return count - 1
  }

  /// Puts the length of what was written after the placeholder at `start` in its place.
  @inlinable
  public mutating func endDelimited(_ start: Int) {
    let length = count - start - 1
    if length < 0x80 {
      base.storeBytes(of: UInt8(length), toByteOffset: start, as: UInt8.self)
      return
    }
    let size = ByteWriter.varintSize(UInt64(length))
    reserve(size - 1)
    (base + start + size).copyMemory(from: base + start + 1, byteCount: length)
    used = start
    varint(UInt64(length))
    used = start + size + length
  }

  /// The number of bytes a varint of this value takes.
  @inlinable
  public static func varintSize(_ value: UInt64) -> Int {
    max(1, (70 - value.leadingZeroBitCount) / 7)
  }
}
