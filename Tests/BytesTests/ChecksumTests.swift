import MusterBytes
import Testing

@Suite struct ChecksumTests {
  /// The check value of CRC-32C in RFC 3720's sense: the digits 1 to 9.
  @Test func theStandardCheckValueHolds() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
  }

  @Test func hardwareAndTablesAgree() {
    var bytes: [UInt8] = []
    var state: UInt32 = 1
    for _ in 0..<20_000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(truncatingIfNeeded: state >> 24))
    }
    for length in [0, 1, 7, 8, 9, 63, 3071, 3072, 3073, 6144, 9999, 20_000] {
      bytes[..<length].withUnsafeBytes { raw in
        #expect(CRC32C.checksum(raw, continuing: 77) == CRC32C.portable(raw, continuing: 77))
      }
    }
  }

  @Test func sha256OfTheEmptyStringIsTheStandardOne() {
    #expect(SHA256Value.hash([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  /// The value that MurmurHash3_x64_128 gives for this text with seed 0.
  @Test func rowDigestIsMurmur3() {
    let digest = Array("The quick brown fox jumps over the lazy dog".utf8).withUnsafeBytes {
      SetDigest(row: $0, seed: 0)
    }
    #expect(digest.low == 0xe34b_bc7b_bc07_1b6c)
    #expect(digest.high == 0x7a43_3ca9_c49a_9347)
  }

  @Test func setDigestsDoNotDependOnOrder() {
    func digest(_ text: String) -> SetDigest { Array(text.utf8).withUnsafeBytes { SetDigest(row: $0, seed: 3) } }
    var a = digest("one")
    a += digest("two")
    var b = digest("two")
    b += digest("one")
    #expect(a == b)
    b -= digest("two")
    #expect(b == digest("one"))
  }
}

@Suite struct CompressionTests {
  @Test(arguments: [Codec.lz4, .zstandard]) func roundTrip(_ codec: Codec) throws {
    let source = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 / 17) }
    var packed = ByteWriter()
    let shrank = source.withUnsafeBytes { Compression.compress($0, with: codec, into: &packed) }
    #expect(shrank && packed.count < source.count)
    var back = ByteWriter()
    try Compression.expand(packed.bytes, with: codec, length: source.count, limit: 10_000, into: &back)
    #expect(back.array() == source)
  }

  @Test(arguments: [Codec.lz4, .zstandard]) func hostileInputIsRefused(_ codec: Codec) throws {
    let source = [UInt8](repeating: 9, count: 100_000)
    var packed = ByteWriter()
    _ = source.withUnsafeBytes { Compression.compress($0, with: codec, into: &packed) }
    let bytes = packed.array()
    var target = ByteWriter()
    for (length, limit) in [(100_000, 99_999), (99_999, 100_000), (100_001, 200_000), (-1, 10), (0, 10)] {
      _ = bytes.withUnsafeBytes { raw in
        #expect(throws: CompressionError.self) {
          try Compression.expand(raw, with: codec, length: length, limit: limit, into: &target)
        }
      }
    }
    for bit in 0..<(bytes.count * 8) {
      var bad = bytes
      bad[bit / 8] ^= 1 << (bit % 8)
      bad.withUnsafeBytes { raw in
        try? Compression.expand(raw, with: codec, length: 100_000, limit: 100_000, into: &target)
      }
      target.removeAll()
    }
  }

  @Test func randomBytesAreLeftRaw() {
    var state: UInt64 = 5
    let source = (0..<500).map { _ -> UInt8 in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return UInt8(truncatingIfNeeded: state >> 56)
    }
    var packed = ByteWriter()
    #expect(source.withUnsafeBytes { !Compression.compress($0, with: .lz4, into: &packed) })
    #expect(packed.count == 0)
  }
}
