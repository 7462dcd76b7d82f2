package import MusterBytes

/// The bounds of version 1.
public enum LogLimits {
  public static let commitBytesMax = 60 * 1024
  /// The raw bytes of a block's commits.
  public static let blockBytesMax = 1 << 20
}

/// A block that will not change any more: header and commits, chained to the one before.
public struct SealedBlock: Sendable {
  public let header: BlockHeader
  /// The logical block: the header behind its length, then each commit behind its length.
  package let bytes: [UInt8]
  /// SHA-256 of `bytes`.
  package let chain: SHA256Value

  package init(header: BlockHeader, bytes: [UInt8], chain: SHA256Value) {
    self.header = header
    self.bytes = bytes
    self.chain = chain
  }
}

/// Gathers commits until they are sealed as a block.
public struct BlockBuilder: ~Copyable {
  private var commits = ByteWriter(capacity: 64 * 1024)
  private var count: UInt32 = 0
  private var chain: SHA256Value

  /// - Parameter chain: the chain value of the last block before; zero for none.
  package init(after chain: SHA256Value) { self.chain = chain }

  public var isEmpty: Bool { count == 0 }

  /// True when a commit of so many bytes still fits this block.
  public func fits(_ bytes: Int) -> Bool { commits.count + bytes + 4 <= LogLimits.blockBytesMax }

  /// Adds an encoded commit, which is kept as it is for ever.
  ///
  /// - Precondition: it fits, and is within the bound of commits.
  package mutating func append(_ commit: UnsafeRawBufferPointer) {
    precondition(commit.count > 0 && commit.count <= LogLimits.commitBytesMax, "a commit has 1 byte to 60 KiB")
    precondition(fits(commit.count), "a block has at most 1 MiB of commits")
    commits.varint(UInt64(commit.count))
    commits.raw(commit)
    count += 1
  }

  public mutating func append(_ commit: [UInt8]) {
    commit.withUnsafeBytes { append($0) }
  }

  /// Makes the block and begins the next one.
  package mutating func seal(
    origin: BlockOrigin, firstRevision: UInt64, time: UInt64, eventCount: UInt32, digest: SetDigest
  ) -> SealedBlock {
    precondition(!isEmpty, "an empty block is never sealed")
    var header = BlockHeader()
    header.origin = origin
    header.firstRevision = firstRevision
    header.commitCount = count
    header.eventCount = eventCount
    header.time = time
    header.digest = digest
    header.previousChain = chain
    let block = BlockBuilder.join(header, commits.bytes)
    commits.removeAll()
    count = 0
    chain = block.chain
    return block
  }

  /// Makes the block and begins the next one.
  ///
  /// - Parameters:
  ///   - firstRevision: the revision of the first commit: one more than the last of the block before.
  ///   - time: log time of the last commit, in microseconds since 1970; never less than the block before has.
  ///   - eventCount: what is counted as events within the commits; only statistics.
  ///   - digest: of the state after the last commit.
  public mutating func seal(
    origin: BlockOrigin, firstRevision: UInt64, time: UInt64, eventCount: UInt32 = 0,
    digest: StateDigest = StateDigest()
  ) -> SealedBlock {
    seal(
      origin: origin, firstRevision: firstRevision, time: time, eventCount: eventCount,
      digest: SetDigest(low: digest.low, high: digest.high))
  }

  static func join(_ header: BlockHeader, _ commits: UnsafeRawBufferPointer) -> SealedBlock {
    var head = ByteWriter(capacity: BlockHeader.bytesMax)
    header.encode(into: &head)
    var whole = ByteWriter(capacity: head.count + commits.count + 2)
    whole.varint(UInt64(head.count))
    whole.raw(head.bytes)
    whole.raw(commits)
    return SealedBlock(header: header, bytes: whole.array(), chain: SHA256Value.hash(whole.bytes))
  }
}
