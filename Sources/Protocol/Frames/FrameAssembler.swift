internal import MusterBytes

/// What comes next in received bytes.
package enum AssembledFrame {
  /// The payload is good until the next call of `next`.
  case frame(FrameHead, UnsafeRawBufferPointer)
  /// All that was received is used up; what is missing comes with the next bytes.
  case incomplete
  /// Nothing after this can be understood.
  case malformed(String)
}

/// Cuts a stream of bytes, which arrives in pieces of any size, into frames.
///
/// A frame that lies whole in a piece is used where it is. Only one that straddles pieces is copied, so memory is
/// bounded by one frame however the pieces are cut.
package struct FrameAssembler: ~Copyable {
  /// The beginning of a frame that has not come whole, or a frame that was just handed out.
  private var partial = ByteWriter(capacity: 512)
  private var isPartialUsed = false

  package init() {}

  /// Bytes that are kept until the rest of their frame comes.
  package var heldBytes: Int { isPartialUsed ? 0 : partial.count }

  /// Takes the next frame off the front of `input`.
  ///
  /// - Parameter payloadMax: the longest payload that is acceptable now.
  package mutating func next(from input: inout UnsafeRawBufferPointer, payloadMax: Int) -> AssembledFrame {
    if isPartialUsed { forgetPartial() }
    return partial.count > 0 ? complete(from: &input, payloadMax) : takeWhole(from: &input, payloadMax)
  }

  private mutating func forgetPartial() {
    isPartialUsed = false
    // A long frame is rare: its memory is not kept for the next straddler, which is short as a rule.
    if partial.count > 64 << 10 { partial = ByteWriter(capacity: 512) } else { partial.removeAll() }
  }

  private mutating func takeWhole(from input: inout UnsafeRawBufferPointer, _ payloadMax: Int) -> AssembledFrame {
    switch FrameHead.look(input, payloadMax: payloadMax) {
    case .frame(let head):
      let end = FrameHead.byteCount + Int(head.length)
      let payload = UnsafeRawBufferPointer(rebasing: input[FrameHead.byteCount..<end])
      input = UnsafeRawBufferPointer(rebasing: input[end...])
      return .frame(head, payload)
    case .incomplete:
      partial.raw(input)
      input = UnsafeRawBufferPointer(rebasing: input[input.count...])
      return .incomplete
    case .malformed(let problem):
      return .malformed(problem)
    }
  }

  private mutating func complete(from input: inout UnsafeRawBufferPointer, _ payloadMax: Int) -> AssembledFrame {
    while true {
      switch FrameHead.look(partial.bytes, payloadMax: payloadMax) {
      case .frame(let head):
        isPartialUsed = true
        return .frame(head, UnsafeRawBufferPointer(rebasing: partial.bytes[FrameHead.byteCount...]))
      case .malformed(let problem):
        return .malformed(problem)
      case .incomplete(let needed):
        guard !input.isEmpty else { return .incomplete }
        let count = min(needed - partial.count, input.count)
        partial.raw(UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
      }
    }
  }
}
