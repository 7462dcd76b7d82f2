/// What stands where the next frame should begin, as far as it can be seen.
package enum FrameSight: Equatable, Sendable, CaseIterable {
  /// Nothing but zeros from here to the end of the file.
  case blank
  /// A frame that is whole and follows the one before.
  case whole
  /// A frame whose first sector was not written: zeros, with something behind them.
  case headMissing
  /// A valid header, and sectors of the content are the zeros that were there before.
  case bodyMissing
  /// A valid header, and every sector of the content was written, and they are wrong.
  case bodyRotten
  /// A first sector that was written, and is no valid header.
  case headRotten
  /// A whole frame that does not belong here: another revision, another file.
  case stray
  /// The file ends before the bytes it was made with.
  case cutShort
}

/// What is done about it.
package enum TailVerdict: Equatable, Sendable {
  /// The log goes on behind this frame.
  case goOn
  /// The log ends here.
  case end
  /// The log ends here; what was begun was never acknowledged and is cut, kept aside.
  case torn
  /// Something that was durable cannot be read.
  case corrupt
}

extension TailVerdict {
  /// The table that tells a torn write from corruption.
  ///
  /// A write that a crash interrupted leaves each sector as it was (zeros, since segments are zeroed ahead and never
  /// used twice) or as it was to become. So only what still shows zeros may be torn; only the last frame may be, since
  /// the next one is written after it is durable; and not below what is confirmed. All else is corruption. What this
  /// cannot tell apart: rot that turned a sector of the very last, unconfirmed frame into zeros.
  ///
  /// - Parameters:
  ///   - isConfirmed: a later confirmation, snapshot or segment says that something durable begins here.
  ///   - isFollowed: a whole frame of this segment stands behind it.
  package static func of(_ sight: FrameSight, isConfirmed: Bool, isFollowed: Bool) -> TailVerdict {
    switch sight {
    case .whole: .goOn
    case .blank: isConfirmed ? .corrupt : .end
    case .headMissing, .bodyMissing: isConfirmed || isFollowed ? .corrupt : .torn
    case .bodyRotten, .headRotten, .stray, .cutShort: .corrupt
    }
  }
}
