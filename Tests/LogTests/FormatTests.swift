import Foundation
import MusterBytes
import MusterLog
import MusterSimulatedDisk
import Testing

/// The bytes of version 1. These never change: a log that was written once can be read for ever.
@Suite struct FormatTests {
  @Test func aFrameHeaderHasTheseBytes() {
    var header = LogHarness.identity.frame(.block)
    header.codec = .lz4
    header.firstRevision = 42
    header.commitCount = 3
    header.storedBytes = 100
    header.rawBytes = 250
    header.durableThrough = 41
    header.time = 1_700_000_000_000_000
    header.anchor = 1
    header.run = 7
    header.storedChecksum = 0xdead_beef
    let expected =
      "6d757374657266310100010000000000000000000201000000000000000000007766554433221100ffeeddccbbaa9988"
      + "01000000000000002a000000000000000300000064000000fa00000000000000290000000000000000401e18240a0600"
      + "010000000000000007000000000000000000000000000000efbeadde"
    let bytes = header.encoded()
    #expect(hexadecimal(bytes.dropLast(4)) == expected)
    guard case .valid(let back) = bytes.withUnsafeBytes({ FrameHeader.parse($0) }) else {
      Issue.record("the header is valid")
      return
    }
    #expect(back == header)
  }

  @Test func aNewerFrameIsNotInterpreted() {
    var bytes = LogHarness.identity.frame(.block).encoded()
    bytes[10] = 3
    let sum = CRC32C.checksum(Array(bytes[..<124]))
    for place in 0..<4 { bytes[124 + place] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(place))) }
    guard case .newer(let version, _) = bytes.withUnsafeBytes({ FrameHeader.parse($0) }) else {
      Issue.record("the header is newer")
      return
    }
    #expect(version == 3)
  }

  @Test func aBlockHasTheseBytes() {
    var builder = BlockBuilder(after: .zero)
    builder.append([1, 2, 3])
    builder.append([4])
    let block = builder.seal(
      origin: BlockOrigin(timeline: 1, term: 2, run: 3), firstRevision: 5, time: 1000, eventCount: 2,
      digest: SetDigest(low: 1, high: 2))
    #expect(
      hexadecimal(block.bytes)
        == "450801100218032005280230023801" + "40e8074a1001000000000000000200000000000000" + "5220"
        + String(repeating: "00", count: 32) + "03010203" + "0104")
    #expect(block.chain == SHA256Value.hash(block.bytes))
  }
}

/// The document of the formats must show bytes that this program reads.
@Suite struct FormatDocumentTests {
  @Test func theExampleHeaderIsTheOneOfTheGoldenTest() throws {
    var bytes = try FormatDocumentTests.example("frame-header")
    #expect(bytes.count == FrameHeader.byteCount - 4)
    let sum = CRC32C.checksum(bytes)
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) }
    guard case .valid(let header) = bytes.withUnsafeBytes({ FrameHeader.parse($0) }) else {
      Issue.record("the example is a valid header")
      return
    }
    #expect(header.kind == .block)
    #expect(header.codec == .lz4)
    #expect(header.firstRevision == 42)
    #expect(header.commitCount == 3)
    #expect(header.durableThrough == 41)
    #expect(LogHarness.identity.owns(header))
  }

  @Test func theExampleOfKeysIsOneThatIsRead() throws {
    let bytes = try FormatDocumentTests.example("key-unit")
    let found = FoundKeys()
    let isWhole = try bytes.withUnsafeBytes { raw in
      try KeyUnit.walk(raw, first: 5, keys: 2, packCount: 5) { key, packs in
        found.keys.append((key, packs))
        return true
      }
    }
    #expect(isWhole)
    #expect(found.keys.map(\.0) == [5, 9])
    #expect(found.keys.map(\.1) == [[0, 1, 4], [2]])
  }

  private final class FoundKeys {
    var keys: [(UInt64, [UInt32])] = []
  }

  /// The bytes of an example in the document.
  private static func example(_ name: String) throws -> [UInt8] {
    let document = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/Log/FileFormats.md")
    let parts = try String(contentsOf: document, encoding: .utf8).components(separatedBy: "```example \(name)\n")
    try #require(parts.count == 2)
    var rest = Substring(parts[1].components(separatedBy: "```")[0].filter { !$0.isWhitespace })
    var bytes: [UInt8] = []
    while rest.count >= 2 {
      bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
      rest = rest.dropFirst(2)
    }
    return bytes
  }
}
