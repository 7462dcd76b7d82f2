import MusterBytes
import MusterProtocol
import MusterWorkload
import Testing

@Suite struct FrameTests {
  @Test(arguments: WireKind.allCases) func whatIsWrittenIsSeen(kind: WireKind) {
    let head = FrameHead(kind, length: 3, method: 0x1234, call: 0xdead_beef, argument: 0x8765_4321)
    let bytes = frame(head, [1, 2, 3])
    #expect(bytes.count == 19)
    #expect(look(bytes) == .frame(head))
  }

  @Test func theHeadIsLittleEndianAndFixed() {
    let head = FrameHead(.request, length: 0x0001_0203, method: 0x0405, call: 0x0607_0809, argument: 0x0a0b_0c0d)
    var writer = ByteWriter()
    head.encode(into: &writer)
    #expect(
      writer.array() == [
        0x03, 0x02, 0x01, 0x00, 3, 0, 0x05, 0x04, 0x09, 0x08, 0x07, 0x06, 0x0d, 0x0c, 0x0b, 0x0a,
      ])
  }

  @Test func everyTruncationSaysHowMuchIsNeeded() {
    let bytes = frame(FrameHead(.item, length: 5, call: 1), [1, 2, 3, 4, 5])
    for length in 0..<bytes.count {
      #expect(look(Array(bytes[..<length])) == .incomplete(needed: length < 16 ? 16 : 21))
    }
  }

  @Test func aLengthAboveTheLimitIsRefusedBeforeAnythingIsWaitedFor() {
    var bytes = frame(FrameHead(.request, length: 0, call: 1), [])
    bytes.replaceSubrange(0..<4, with: [0xff, 0xff, 0xff, 0xff])
    #expect(isMalformed(look(bytes)))
    bytes.replaceSubrange(0..<4, with: [0x01, 0x10, 0, 0])
    #expect(look(bytes) == .incomplete(needed: 16 + 4097))
    #expect(isMalformed(look(bytes, payloadMax: 4096)))
  }

  @Test func unknownKindsAndFlagsAreRefused() {
    for kind in UInt8.min...UInt8.max {
      var bytes = frame(FrameHead(.ping, length: 0), [])
      bytes[4] = kind
      #expect(isMalformed(look(bytes)) == (WireKind(rawValue: kind) == nil))
    }
    for flags in UInt8(1)...UInt8.max {
      var bytes = frame(FrameHead(.ping, length: 0), [])
      bytes[5] = flags
      #expect(isMalformed(look(bytes)))
    }
  }
}

@Suite struct FrameAssemblerTests {
  private let conversation: [(FrameHead, [UInt8])] = [
    (FrameHead(.ping, length: 0), []),
    (FrameHead(.request, length: 5, method: 2, call: 1, argument: 9), [1, 2, 3, 4, 5]),
    (FrameHead(.request, length: 300, method: 1, call: 2), [UInt8](repeating: 7, count: 300)),
    (FrameHead(.cancel, length: 0, call: 1), []),
  ]

  private var bytes: [UInt8] { conversation.flatMap { frame($0.0, $0.1) } }

  @Test func framesAreTheSameHoweverTheBytesAreCut() {
    let whole = bytes
    for size in 1...whole.count {
      var assembler = FrameAssembler()
      var frames: [Frame] = []
      for start in stride(from: 0, to: whole.count, by: size) {
        frames += assemble(Array(whole[start..<min(start + size, whole.count)]), &assembler)
      }
      #expect(frames == conversation.map { Frame(head: $0.0, payload: $0.1) }, "pieces of \(size) bytes")
      #expect(assembler.heldBytes == 0)
    }
  }

  @Test func noMoreThanOneFrameIsHeldHoweverManyStraddle() {
    let whole = frame(FrameHead(.request, length: 84, call: 1), [UInt8](repeating: 1, count: 84))
    var assembler = FrameAssembler()
    // Pieces that always end inside a frame.
    var stream = Array(whole[..<50])
    var count = 0
    for _ in 0..<1000 {
      stream += whole[50...] + whole[..<50]
      count += assemble(stream, &assembler).count
      #expect(assembler.heldBytes == 50)
      stream = []
    }
    #expect(count == 1000)
  }

  @Test func whatIsMalformedStaysSo() {
    var assembler = FrameAssembler()
    let bad: [UInt8] = [0, 0, 0, 0, 99] + [UInt8](repeating: 0, count: 11)
    for size in 1...16 {
      var fresh = FrameAssembler()
      var verdict = ""
      for start in stride(from: 0, to: 16, by: size) {
        var piece = Array(bad[start..<min(start + size, 16)])
        piece.withUnsafeMutableBytes { bytes in
          var rest = UnsafeRawBufferPointer(bytes)
          if case .malformed(let problem) = fresh.next(from: &rest, payloadMax: 4096) { verdict = problem }
        }
      }
      #expect(verdict == "there is no frame kind 99")
    }
    #expect(assemble([], &assembler).isEmpty)
  }

  @Test func randomBytesAreRefusedOrWaitedFor() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let garbage = (0..<random.below(64)).map { _ in UInt8(random.below(256)) }
      var assembler = FrameAssembler()
      let frames = assemble(garbage, &assembler)
      #expect(frames.allSatisfy { $0.payload.count + 16 <= garbage.count })
      #expect(assembler.heldBytes <= garbage.count)
    }
  }
}
