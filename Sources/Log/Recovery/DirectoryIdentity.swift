internal import MusterBytes

/// The file that says whose data directory it is.
package enum DirectoryIdentity {
  /// Makes a new journal in an empty directory: the log with its first segment, then the identity. A directory
  /// without identity is no journal yet, so a crash in between loses nothing.
  package static func create(
    _ storage: any Storage, _ identity: LogIdentity, segmentBytes: Int
  ) throws(LogError) {
    precondition(identity.isValid, "a cluster id is 32 hexadecimal digits, and timelines begin at 1")
    let head = LogWriter.segmentHead(
      identity, first: 1, chain: .zero, run: 0, durableThrough: 0, bytes: segmentBytes)
    let first = Layout.live(1)
    try reading { () throws(StorageError) in
      try storage.makeDirectory(Layout.log)
      try storage.makeDirectory(Layout.snapshots)
      try LogWriter.prepareSpare(storage, bytes: segmentBytes, pause: {})
      try storage.write(Layout.spare, at: 0, head)
      try storage.sync(Layout.spare)
      try storage.rename(Layout.spare, to: first)
      try storage.syncDirectory(Layout.log)
      try storage.syncDirectory(Layout.root)
      try storage.replace(Layout.identity, in: Layout.root, with: encode(identity))
    }
  }

  /// True when a journal may be made here: there is nothing, or what is left of making one that was cut short. Without
  /// an identity nothing was ever acknowledged here.
  package static func isVacant(_ storage: any Storage) throws(LogError) -> Bool {
    try reading { () throws(StorageError) in
      let ours = [Layout.lock, Layout.log, Layout.snapshots, Layout.identity + ".new"]
      guard try storage.list(Layout.root).allSatisfy({ ours.contains($0) }) else { return false }
      return try !holdsLog(storage)
    }
  }

  /// True when there is more than a first segment without a block.
  private static func holdsLog(_ storage: any Storage) throws(StorageError) -> Bool {
    guard try storage.list(Layout.snapshots).isEmpty else { return true }
    let files = try storage.list(Layout.log).map { "\(Layout.log)/\($0)" }
    guard files.allSatisfy({ [Layout.spare, Layout.live(1)].contains($0) }) else { return true }
    guard files.contains(Layout.live(1)) else { return false }
    return try storage.read(Layout.live(1), at: Frame.alignment, count: Frame.alignment).contains { $0 != 0 }
  }

  /// Reads whose directory it is.
  package static func read(_ storage: any Storage) throws(LogError) -> LogIdentity {
    let size = try reading { () throws(StorageError) in try storage.size(Layout.identity) }
    guard let size else {
      if try reading({ () throws(StorageError) in try storage.size(Layout.restoring) }) != nil { throw .unfinished }
      if try reading({ () throws(StorageError) in try holdsLog(storage) }) {
        throw fault("the file that says whose directory this is is missing, and a log is there")
      }
      throw .absent
    }
    let bytes = try reading { () throws(StorageError) in
      try storage.read(Layout.identity, at: 0, count: min(size, bytesMax))
    }
    return try decode(bytes)
  }

  /// Writes whose directory it is.
  package static func write(_ storage: any Storage, _ identity: LogIdentity) throws(LogError) {
    try reading { () throws(StorageError) in
      try storage.replace(Layout.identity, in: Layout.root, with: encode(identity))
    }
  }

  /// Above every identity with its ancestors.
  private static let bytesMax = 4 * Frame.alignment
  private static let clusterIDBytes = 32

  /// The cluster id in digits, and behind it the ancestors when there are any.
  static func encode(_ identity: LogIdentity) -> [UInt8] {
    var content = ByteWriter(capacity: 64)
    content.utf8(identity.clusterID)
    var header = identity.frame(.identity)
    if !identity.ancestors.isEmpty {
      header.namesAncestors = true
      Ancestry(identity.ancestors).encode(into: &content)
    }
    var writer = ByteWriter(capacity: 256)
    Frame.append(content.bytes, header, codec: .none, to: &writer)
    return writer.array()
  }

  private static func decode(_ bytes: [UInt8]) throws(LogError) -> LogIdentity {
    switch bytes.withUnsafeBytes({ FrameHeader.parse($0) }) {
    case .newer(let version, let flags): throw .newer(file: Layout.identity, version: version, flags: flags)
    case .blank, .broken: throw fault("whose directory this is cannot be read")
    case .valid(let header):
      var content = ByteWriter(capacity: 64)
      let isWhole = bytes.withUnsafeBytes {
        Frame.expand(header, UnsafeRawBufferPointer(rebasing: $0[FrameHeader.byteCount...]), into: &content)
      }
      guard isWhole, header.kind == .identity, let identity = decode(content.bytes, header) else {
        throw fault("whose directory this is makes no sense")
      }
      return identity
    }
  }

  private static func decode(_ content: UnsafeRawBufferPointer, _ header: FrameHeader) -> LogIdentity? {
    guard content.count >= clusterIDBytes else { return nil }
    let digits = String(decoding: content[..<clusterIDBytes], as: UTF8.self)
    var identity = LogIdentity(clusterID: digits, timeline: header.timeline)
    let rest = UnsafeRawBufferPointer(rebasing: content[clusterIDBytes...])
    guard identity.isValid, identity.owns(header), header.namesAncestors == !rest.isEmpty else { return nil }
    guard let ancestry = try? Ancestry(bytes: rest, refusingUnknownFields: true), ancestry.isSound else { return nil }
    identity.ancestors = ancestry.ancestors
    return identity
  }

  private static func fault(_ problem: String) -> LogError {
    .corrupt(Fault(file: Layout.identity, offset: 0, problem: problem))
  }
}
