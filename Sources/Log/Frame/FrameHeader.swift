package import MusterBytes

/// What a frame holds.
package enum FrameKind: UInt8, Sendable {
  /// The first frame of a segment: the chain value before its first block.
  case segment = 1
  /// One logical block.
  case block = 2
  /// Nothing but the word that everything up to `durableThrough` is on disk.
  case confirmation = 3
  /// Many blocks, without their chain values.
  case pack = 4
  /// Where the packs of a sealed segment are.
  case index = 5
  /// What a snapshot is of.
  case manifest = 6
  /// Pages of a snapshot.
  case pages = 7
  /// Whose data directory it is.
  case identity = 8
  /// Which packs of a sealed segment speak of what.
  case keys = 9
  /// Where the history that is still kept begins.
  case horizon = 13
  /// What a backup holds.
  case backup = 14
}

/// The 128 bytes before everything that is stored. All integers are little-endian.
///
/// Frozen. `FileFormats.md` draws it, and a test decodes the example there.
package struct FrameHeader: Equatable, Sendable {
  package static let byteCount = 128
  package static let magic: UInt64 = 0x3166_7265_7473_756d  // "musterf1"
  /// The newest version that is written, and the newest that is read. Version 2 adds keys to sealed segments, and
  /// names and lists of pages to snapshots; all else stays what it was, and says so.
  package static let newestVersion: UInt16 = 2

  /// The version that this frame is of; an older reader must not interpret it.
  package var version: UInt16 = 1
  package var kind = FrameKind.block
  package var codec = Codec.none
  /// Reserved for trained dictionaries; 0 is none.
  package var dictionary: UInt32 = 0
  /// Reserved for keys of sealed content; 0 is none.
  package var key: UInt32 = 0
  /// The cluster id's 16 bytes.
  package var cluster: (UInt64, UInt64) = (0, 0)
  package var timeline: UInt64 = 0
  package var firstRevision: UInt64 = 0
  package var commitCount: UInt32 = 0
  package var storedBytes: UInt32 = 0
  package var rawBytes: UInt32 = 0
  /// Blocks in a pack, pages in a unit.
  package var parts: UInt32 = 0
  /// When this frame was written, everything up to here was durable.
  package var durableThrough: UInt64 = 0
  /// Log time of the last commit.
  package var time: UInt64 = 0
  /// The first revision of the file it belongs to: a frame that strayed here from elsewhere is found out.
  package var anchor: UInt64 = 0
  package var run: UInt64 = 0
  /// A confirmation at a clean stop: nothing follows it.
  package var isFinal = false
  /// The content names ancestors: whoever does not know of them would take their frames for strangers'.
  package var namesAncestors = false
  package var storedChecksum: UInt32 = 0

  package init() {}

  package static func == (a: FrameHeader, b: FrameHeader) -> Bool { a.encoded() == b.encoded() }

  package func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: FrameHeader.byteCount)
    writer.fixed(FrameHeader.magic)
    writer.fixed(version)
    writer.fixed(version)  // the oldest reader that can read this
    writer.fixed(UInt32(namesAncestors ? 1 : 0))  // critical flags
    writer.fixed(UInt32(isFinal ? 1 : 0))  // ignorable flags
    writer.byte(kind.rawValue)
    writer.byte(codec.rawValue)
    writer.fixed(UInt16(0))
    writer.fixed(dictionary)
    writer.fixed(key)
    writer.fixed(cluster.0)
    writer.fixed(cluster.1)
    writer.fixed(timeline)
    writer.fixed(firstRevision)
    writer.fixed(commitCount)
    writer.fixed(storedBytes)
    writer.fixed(rawBytes)
    writer.fixed(parts)
    writer.fixed(durableThrough)
    writer.fixed(time)
    writer.fixed(anchor)
    writer.fixed(run)
    writer.fixed(UInt64(0))
    writer.fixed(storedChecksum)
    writer.fixed(CRC32C.checksum(writer.bytes))
    precondition(writer.count == FrameHeader.byteCount, "a frame header has 128 bytes")
    return writer.array()
  }
}

/// What reading a frame header can find.
package enum FrameHeaderResult: Sendable {
  case valid(FrameHeader)
  /// All zeros: never written.
  case blank
  /// Readable, and of a version or with flags that this program must not interpret.
  case newer(version: UInt16, flags: UInt32)
  case broken(String)
}

extension FrameHeader {
  /// The critical flags of this version.
  private static let knownFlags: UInt32 = 1

  /// Reads a header from at least 128 bytes. Nothing in it is believed before its checksum holds.
  package static func parse(_ bytes: UnsafeRawBufferPointer) -> FrameHeaderResult {
    guard bytes.count >= byteCount else { return .broken("the file ends within a frame header") }
    let head = UnsafeRawBufferPointer(rebasing: bytes[..<byteCount])
    if head.allSatisfy({ $0 == 0 }) { return .blank }
    let stored = UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 124, as: UInt32.self))
    guard UInt64(littleEndian: head.loadUnaligned(as: UInt64.self)) == magic else {
      return .broken("no frame begins here")
    }
    guard CRC32C.checksum(UnsafeRawBufferPointer(rebasing: head[..<124])) == stored else {
      return .broken("the checksum of the frame header does not hold")
    }
    let minimum = UInt16(littleEndian: head.loadUnaligned(fromByteOffset: 10, as: UInt16.self))
    let critical = UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    guard minimum <= newestVersion, critical & ~knownFlags == 0 else {
      return .newer(version: minimum, flags: critical)
    }
    do throws(WireError) {
      return .valid(try decode(head))
    } catch {
      return .broken("the frame header makes no sense")
    }
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> FrameHeader {
    var reader = ByteReader(bytes)
    _ = try reader.take(10)
    var header = FrameHeader()
    header.version = try reader.fixed()
    header.namesAncestors = try reader.fixed(UInt32.self) & 1 != 0
    header.isFinal = try reader.fixed(UInt32.self) & 1 != 0
    guard let kind = FrameKind(rawValue: try reader.byte()), let codec = Codec(rawValue: try reader.byte()) else {
      throw .outOfRange(field: 0)
    }
    header.kind = kind
    header.codec = codec
    _ = try reader.fixed(UInt16.self)
    header.dictionary = try reader.fixed()
    header.key = try reader.fixed()
    header.cluster = (try reader.fixed(), try reader.fixed())
    header.timeline = try reader.fixed()
    header.firstRevision = try reader.fixed()
    header.commitCount = try reader.fixed()
    header.storedBytes = try reader.fixed()
    header.rawBytes = try reader.fixed()
    header.parts = try reader.fixed()
    header.durableThrough = try reader.fixed()
    header.time = try reader.fixed()
    header.anchor = try reader.fixed()
    header.run = try reader.fixed()
    _ = try reader.fixed(UInt64.self)
    header.storedChecksum = try reader.fixed()
    guard header.dictionary == 0, header.key == 0 else { throw .outOfRange(field: 0) }
    guard Int(header.storedBytes) <= Frame.storedBytesMax, Int(header.rawBytes) <= Frame.rawBytesMax else {
      throw .outOfRange(field: 0)
    }
    return header
  }
}
