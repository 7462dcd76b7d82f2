/// What a question to the log and its snapshots cost.
public struct ReadCost: Equatable, Sendable {
  /// Blocks of the log that were expanded.
  public var blocks: UInt64 = 0
  /// Pages of snapshots that were expanded, and units of the index.
  public var pages: UInt64 = 0
  /// Stored bytes that were read for these; the directories of files are not counted.
  public var bytes: UInt64 = 0

  public init() {}

  public static func + (a: ReadCost, b: ReadCost) -> ReadCost {
    var sum = a
    sum.blocks += b.blocks
    sum.pages += b.pages
    sum.bytes += b.bytes
    return sum
  }

  /// What was spent since `before`, which is an earlier reading of the same account.
  public static func - (a: ReadCost, before: ReadCost) -> ReadCost {
    var rest = a
    rest.blocks -= before.blocks
    rest.pages -= before.pages
    rest.bytes -= before.bytes
    return rest
  }
}
