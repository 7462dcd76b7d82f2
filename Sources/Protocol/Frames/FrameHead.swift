package import MusterBytes

/// What a frame on the wire is.
package enum WireKind: UInt8, Sendable, CaseIterable {
  case hello = 1
  case helloReply = 2
  case request = 3
  case reply = 4
  case error = 5
  /// One element of a stream.
  case item = 6
  /// The end of a stream, with a last message.
  case end = 7
  /// More elements of a stream may be sent: `argument` of them.
  case credit = 8
  /// The client does not want the answer any more.
  case cancel = 9
  case ping = 10
  case pong = 11
  /// The server stops: no new calls on this connection. The payload is an error that says why.
  case goAway = 12
}

/// The 16 bytes before the payload of every frame. All integers are little-endian. Frozen.
package struct FrameHead: Equatable, Sendable {
  package static let byteCount = 16
  /// The longest payload. Longer answers are streams.
  package static let payloadMax = (1 << 20) + (64 << 10)
  /// Before the handshake is over no frame is longer.
  package static let greetingMax = 4096

  /// Bytes of payload.
  package var length: UInt32
  package var kind: WireKind
  /// None is defined; they are 0.
  package var flags: UInt8 = 0
  package var method: UInt16 = 0
  /// Which of the connection's calls: chosen by the client, each greater than the one before (modulo 2³²: by less
  /// than 2³¹). 0 is the connection itself.
  package var call: UInt32 = 0
  /// Of a request for a stream its first credit, in elements, and of a credit frame more of it. Of a request for one
  /// reply the time until its deadline, in milliseconds, 0 for none. Otherwise 0, and not looked at.
  package var argument: UInt32 = 0

  package init(
    _ kind: WireKind, length: Int, method: UInt16 = 0, call: UInt32 = 0, argument: UInt32 = 0
  ) {
    precondition(length <= FrameHead.payloadMax, "a payload is bounded")
    self.length = UInt32(length)
    self.kind = kind
    self.method = method
    self.call = call
    self.argument = argument
  }

  /// Writes the 16 bytes at the beginning of `target`.
  package func store(into target: UnsafeMutableRawBufferPointer) {
    precondition(target.count >= FrameHead.byteCount, "a head has 16 bytes")
    target.storeBytes(of: length.littleEndian, toByteOffset: 0, as: UInt32.self)
    target.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
    target.storeBytes(of: flags, toByteOffset: 5, as: UInt8.self)
    target.storeBytes(of: method.littleEndian, toByteOffset: 6, as: UInt16.self)
    target.storeBytes(of: call.littleEndian, toByteOffset: 8, as: UInt32.self)
    target.storeBytes(of: argument.littleEndian, toByteOffset: 12, as: UInt32.self)
  }

  package func encode(into writer: inout ByteWriter) {
    _ = writer.appendUninitialized(atMost: FrameHead.byteCount) { target in
      store(into: target)
      return FrameHead.byteCount
    }
  }
}

/// What stands at the beginning of received bytes.
package enum FrameSighting: Equatable, Sendable {
  /// Not enough yet: at least so many bytes are needed.
  case incomplete(needed: Int)
  case frame(FrameHead)
  case malformed(String)
}

extension FrameHead {
  /// Looks at received bytes, which may be anything.
  ///
  /// - Parameter payloadMax: the longest payload that is acceptable now.
  package static func look(_ bytes: UnsafeRawBufferPointer, payloadMax: Int = FrameHead.payloadMax) -> FrameSighting {
    guard bytes.count >= byteCount else { return .incomplete(needed: byteCount) }
    let length = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
    guard Int(length) <= payloadMax else {
      return .malformed("a frame says it is \(length) bytes long, more than \(payloadMax)")
    }
    guard let kind = WireKind(rawValue: bytes[4]) else { return .malformed("there is no frame kind \(bytes[4])") }
    guard bytes[5] == 0 else { return .malformed("frame flags \(bytes[5]) are not known") }
    guard bytes.count >= byteCount + Int(length) else { return .incomplete(needed: byteCount + Int(length)) }
    var head = FrameHead(kind, length: Int(length))
    head.method = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    head.call = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    head.argument = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    return .frame(head)
  }
}
