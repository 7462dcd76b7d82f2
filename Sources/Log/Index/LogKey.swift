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

/// Calls its second argument with every key of a commit, in any order and as often as it likes.
public typealias KeyFinder = @Sendable (UnsafeRawBufferPointer, (LogKey) -> Void) throws -> Void

/// Finds what a commit speaks of. The log keeps commits as they are; whoever makes them knows how to read them.
public struct CommitKeys: Sendable {
  /// Which keys it finds, above 0.
  public let scheme: UInt32
  /// What was looked for before. Indexes of other schemes are not used.
  let older: [OlderKeys]
  let find: KeyFinder

  public init(scheme: UInt32, after older: [OlderKeys] = [], find: @escaping KeyFinder) {
    precondition(scheme > 0, "0 says that there is no index")
    precondition(older.allSatisfy { $0.scheme < scheme }, "schemes are counted up")
    self.scheme = scheme
    self.older = older
    self.find = find
  }

  /// What an index of a scheme was made with; nil for a scheme that is not known.
  func finder(of scheme: UInt32) -> KeyFinder? {
    scheme == self.scheme ? find : older.first { $0.scheme == scheme }?.find
  }

  /// The ranges to look for in an index of a scheme, where one of `ranges` is wanted; nil for a scheme that is not known.
  func ranges(_ ranges: [ClosedRange<LogKey>], in scheme: UInt32) -> [ClosedRange<LogKey>]? {
    scheme == self.scheme ? ranges : older.first { $0.scheme == scheme }?.widened(ranges)
  }
}

/// A scheme of before: segments that were packed with it stay as they are, and their indexes are still used.
public struct OlderKeys: Sendable {
  public let scheme: UInt32
  /// What to look for where one of its argument's ranges is wanted: the same, and the keys by which this scheme finds
  /// those commits of which it did not say that they speak of them.
  let widened: @Sendable ([ClosedRange<LogKey>]) -> [ClosedRange<LogKey>]
  let find: KeyFinder

  public init(
    scheme: UInt32, widened: @escaping @Sendable ([ClosedRange<LogKey>]) -> [ClosedRange<LogKey>],
    find: @escaping KeyFinder
  ) {
    precondition(scheme > 0, "0 says that there is no index")
    self.scheme = scheme
    self.widened = widened
    self.find = find
  }
}

extension CommitKeys {
  /// To pack segments as it was done before.
  public init(_ older: OlderKeys) { self.init(scheme: older.scheme, find: older.find) }
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
