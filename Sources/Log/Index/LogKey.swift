/// Something that commits speak of: a kind of thing, and its number. What kinds and numbers mean is the caller's matter.
public struct LogKey: Hashable, Comparable, Sendable {
  public var kind: UInt32
  public var id: UInt32

  public init(kind: UInt32, id: UInt32) {
    self.kind = kind
    self.id = id
  }

  public static func < (a: LogKey, b: LogKey) -> Bool { a.number < b.number }

  /// Kind and number as one, in the same order.
  var number: UInt64 { UInt64(kind) << 32 | UInt64(id) }

  init(number: UInt64) {
    kind = UInt32(truncatingIfNeeded: number >> 32)
    id = UInt32(truncatingIfNeeded: number)
  }
}

/// Finds what a commit speaks of. The log keeps commits as they are; whoever makes them knows how to read them.
public struct CommitKeys: Sendable {
  /// Which keys it finds, above 0: an index that was made by another one is not used.
  public let scheme: UInt32
  /// Calls its second argument with every key of a commit, in any order and as often as it likes.
  let find: @Sendable (UnsafeRawBufferPointer, (LogKey) -> Void) throws -> Void

  public init(
    scheme: UInt32, find: @escaping @Sendable (UnsafeRawBufferPointer, (LogKey) -> Void) throws -> Void
  ) {
    precondition(scheme > 0, "0 says that there is no index")
    self.scheme = scheme
    self.find = find
  }
}

/// Which commits are looked for, as far as an index can tell: of each group of keys one must be spoken of.
public struct LogSelection: Sendable {
  /// Every group must be met by one of its ranges.
  public private(set) var groups: [[ClosedRange<LogKey>]] = []
  /// Finds the keys that are meant.
  let keys: CommitKeys

  public init(_ keys: CommitKeys) { self.keys = keys }

  /// Demands that a commit speaks of one of these.
  public mutating func require(anyOf ranges: [ClosedRange<LogKey>]) { groups.append(ranges) }

  public mutating func require(anyOf keys: some Sequence<LogKey>) { groups.append(keys.map { $0...$0 }) }

  /// True when it leaves nothing out.
  public var isEverything: Bool { groups.isEmpty }

  /// True when a commit that speaks of these may be meant.
  ///
  /// - Parameter spoken: ascending, each once.
  func accepts(_ spoken: [UInt64]) -> Bool {
    groups.allSatisfy { ranges in
      ranges.contains { range in
        var low = 0
        var high = spoken.count
        while low < high {
          let middle = (low + high) / 2
          if spoken[middle] < range.lowerBound.number { low = middle + 1 } else { high = middle }
        }
        return low < spoken.count && spoken[low] <= range.upperBound.number
      }
    }
  }
}
