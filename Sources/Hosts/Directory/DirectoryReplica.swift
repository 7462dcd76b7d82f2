internal import Glibc
internal import MusterBytes
internal import MusterHosting
internal import Synchronization

/// One replica: a directory `files` whose content is the data.
///
/// Whoever works with the files does so where the file `leading` stands beside `files`, and stops when it goes. The leader
/// notices what changed by size and time, and counts the change; followers fetch the manifest and what they are missing.
/// Each file is copied whole or not at all; the set of files is not changed at one instant.
actor DirectoryReplica: HostedReplica {
  private enum Role: Equatable {
    case idle
    case leading(Leadership)
    case following(Following)
  }

  private let directory: String
  private let tree: FileTree
  nonisolated let address: String
  private let forget: @Sendable () -> Void
  private var record: ReplicaRecord
  private var role = Role.idle
  /// What the server of this node shows to others.
  private let manifest: Mutex<FileManifest>
  /// Files whose content is not what the manifest says.
  private var damaged: Set<String> = []
  private var isAttached = false
  private var bytesToCopy: UInt64 = 0
  private var lastScan: ContinuousClock.Instant?
  private var heardFollowers = ContinuousClock.now
  /// No file was being changed when the leader looked last.
  private var isStill = true

  /// A look copies for so long at most; the next one goes on.
  private static let slice = Duration.seconds(1)
  private static let chunk: UInt32 = 256 * 1024
  /// A leader that too few followers answer for so long takes no writes.
  private static let lease = Duration.seconds(4)
  private static let scanInterval = Duration.seconds(5)

  init(
    _ directory: String, _ address: String, mustExist: Bool, forget: @escaping @Sendable () -> Void
  ) throws {
    self.directory = directory
    self.address = address
    self.forget = forget
    tree = FileTree(root: "\(directory)/files")
    try FileText.makeDirectory(directory)
    record = try ReplicaRecord.read(directory) ?? ReplicaRecord(isLost: mustExist)
    try record.write(directory)
    try FileText.makeDirectory(tree.root)
    try FileText.makeDirectory("\(directory)/incoming")
    let text = try FileText.read("\(directory)/manifest", bytesMax: FileManifest.bytesMax)
    let known = text.flatMap { FileManifest(text: $0) }
    manifest = Mutex(known ?? FileManifest())
    // A manifest that cannot be read is no manifest: what is there counts for nothing.
    if text != nil, known == nil { record.isLost = true }
    if let epoch = record.ledEpoch, epoch >= record.promised {
      role = .leading(Leadership(epoch: epoch, acknowledgements: 0, followers: []))
    }
  }

  private func save(_ change: (inout ReplicaRecord) -> Void) throws {
    var fresh = record
    change(&fresh)
    guard fresh != record else { return }
    try fresh.write(directory)
    record = fresh
  }

  private func publish(_ fresh: FileManifest) throws {
    try FileText.replace("\(directory)/manifest", with: fresh.text)
    manifest.withLock { $0 = fresh }
  }

  private var current: FileManifest { manifest.withLock { $0 } }

  private func show(leading: Bool) throws {
    let file = "\(directory)/leading"
    if leading {
      if access(file, F_OK) != 0 { try FileText.replace(file, with: "\(record.promised)\n") }
    } else {
      try FileText.delete(file)
    }
  }

  // MARK: Roles

  func lead(_ leadership: Leadership) async throws {
    try requirePromise(leadership.epoch)
    try requireData()
    let isLeader = if case .leading(let now) = role { now.epoch == leadership.epoch } else { false }
    if !isLeader {
      var fresh = current
      let run = fresh.history >> 32 == UInt64(leadership.epoch) ? UInt32(truncatingIfNeeded: fresh.history) &+ 1 : 0
      fresh.history = HostPosition.history(epoch: leadership.epoch, run: run)
      try publish(fresh)
    }
    try save {
      $0.promised = max($0.promised, leadership.epoch)
      $0.ledEpoch = leadership.epoch
    }
    role = .leading(leadership)
    heardFollowers = .now
    if leadership.isPaused || leadership.acknowledgements > 0 && !isLeader { try show(leading: false) }
  }

  func follow(_ following: Following) async throws {
    try requirePromise(following.epoch)
    try show(leading: false)
    try save { $0.ledEpoch = nil }
    if role != .following(following) { isAttached = false }
    role = .following(following)
  }

  func promise(epoch: UInt32) async throws -> HostPosition {
    try show(leading: false)
    try save {
      $0.promised = max($0.promised, epoch)
      $0.ledEpoch = nil
    }
    if case .leading = role { try scan() }
    role = .idle
    try requireData()
    return position
  }

  private func requirePromise(_ epoch: UInt32) throws {
    guard epoch >= record.promised else {
      throw HostProblem.notNow("it promised epoch \(record.promised), which is later than \(epoch)")
    }
  }

  private func requireData() throws {
    guard !record.isLost else { throw HostProblem.dataLost("its data is gone, and was not copied anew yet") }
    guard damaged.isEmpty else {
      throw HostProblem.dataLost("\(damaged.count) files are rotten, \(damaged.min() ?? "") among them")
    }
  }

  private var position: HostPosition {
    manifest.withLock { HostPosition(history: $0.history, offset: $0.offset) }
  }

  // MARK: Looking

  func look() async throws -> ReplicaCondition {
    var condition = ReplicaCondition(role: .idle)
    switch role {
    case .idle: break
    case .leading(let leadership):
      try requireData()
      try scan()
      condition.role = .leading(epoch: leadership.epoch)
      condition.followers = leadership.followers.map { progress(of: $0.peer) }
      // What was written last before a pause is handed over too.
      for place in condition.followers.indices where leadership.isPaused && !isStill {
        condition.followers[place].hasEverything = false
      }
      try keepLease(leadership, condition.followers)
    case .following(let following):
      if let source = following.source, !source.address.isEmpty {
        do { isAttached = try copy(from: source) } catch {
          isAttached = false
          condition.problem = "\(error)"
        }
        condition.role = .following(isAttached: isAttached)
      }
    }
    condition.isEmptied = record.isLost
    condition.position = record.isLost || !damaged.isEmpty ? nil : position
    condition.bytes = current.entries.reduce(0) { $0 &+ $1.bytes }
    condition.bytesToCopy = bytesToCopy
    return condition
  }

  /// Users are let in only while enough followers are there to take over what they write.
  private func keepLease(_ leadership: Leadership, _ followers: [FollowerProgress]) throws {
    let counted = Set(leadership.followers.filter(\.isCounted).map(\.peer.node))
    let answering = followers.count { counted.contains($0.node) && $0.lag != nil }
    if answering >= leadership.acknowledgements { heardFollowers = .now }
    let holds = heardFollowers.duration(to: .now) < DirectoryReplica.lease
    try show(leading: holds && !leadership.isPaused)
  }

  /// Takes over into the manifest what users changed.
  private func scan() throws {
    var fresh = current
    let before = fresh.entries
    isStill = true
    fresh.entries = try tree.files().compactMap { seen in
      if let known = fresh[seen.path], known.bytes == seen.bytes, known.changed == seen.changed { return known }
      if let entry = try tree.entry(seen) { return entry }
      // What changes is taken over once it holds still.
      isStill = false
      return fresh[seen.path]
    }
    guard fresh.entries != before else { return }
    fresh.offset += 1
    try publish(fresh)
  }

  private func progress(of peer: Peer) -> FollowerProgress {
    let mine = position
    guard let link = try? FileLink(peer.address),
      let answer = try? link.ask(FileProtocol.Request(kind: .head, shard: number), most: 64)
    else { return FollowerProgress(node: peer.node, hasEverything: false, lag: nil) }
    let words = String(decoding: answer, as: UTF8.self).split(separator: " ").compactMap { UInt64($0) }
    guard words.count == 2, words[0] == mine.history else {
      return FollowerProgress(node: peer.node, hasEverything: false, lag: nil)
    }
    let lag = mine.offset > words[1] ? mine.offset - words[1] : 0
    return FollowerProgress(node: peer.node, hasEverything: lag == 0, lag: lag)
  }

  private var number: UInt32 { DirectoryHost.number(of: directory) ?? 0 }

  // MARK: Copying

  /// - Returns: true when everything that the source had when it was asked is here.
  private func copy(from source: Peer) throws -> Bool {
    let link = try FileLink(source.address)
    let answer = try link.ask(FileProtocol.Request(kind: .manifest, shard: number))
    guard let wanted = FileManifest(text: String(decoding: answer, as: UTF8.self)) else {
      throw HostProblem.notNow("the manifest of \(source.node) cannot be read")
    }
    try noteStrangers()
    var mine = current
    if mine.history == wanted.history, mine.offset == wanted.offset, damaged.isEmpty, !record.isLost { return true }
    let deadline = ContinuousClock.now + DirectoryReplica.slice
    var isWhole = true
    var missing: UInt64 = 0
    for entry in wanted.entries where damaged.contains(entry.path) || mine[entry.path]?.digest != entry.digest {
      if ContinuousClock.now < deadline, let seen = try fetch(entry, link) {
        var installed = entry
        installed.changed = seen.changed
        mine.entries.removeAll { $0.path == entry.path }
        mine.entries.append(installed)
        mine.entries.sort { $0.path < $1.path }
        damaged.remove(entry.path)
      } else {
        isWhole = false
        missing &+= entry.bytes
      }
    }
    bytesToCopy = missing
    if isWhole {
      for entry in mine.entries where wanted[entry.path] == nil {
        try tree.remove(entry.path)
        damaged.remove(entry.path)
      }
      for seen in try tree.files() where wanted[seen.path] == nil { try tree.remove(seen.path) }
      damaged.formIntersection(wanted.entries.map(\.path))
      mine.entries.removeAll { wanted[$0.path] == nil }
      (mine.history, mine.offset) = (wanted.history, wanted.offset)
    }
    try publish(mine)
    if isWhole { try save { $0.isLost = false } }
    return isWhole
  }

  /// Files of a follower that somebody else changed are fetched again.
  private func noteStrangers() throws {
    guard lastScan.map({ $0.duration(to: .now) >= DirectoryReplica.scanInterval }) ?? true else { return }
    lastScan = .now
    let mine = current
    let present = try tree.files()
    for entry in mine.entries {
      let seen = present.first { $0.path == entry.path }
      if seen?.bytes != entry.bytes || seen?.changed != entry.changed { damaged.insert(entry.path) }
    }
  }

  /// Fetches a file, going on where an earlier try ended.
  ///
  /// - Returns: what it looks like in its place; nil when the source changes it just now.
  private func fetch(_ entry: FileEntry, _ link: FileLink) throws -> FileTree.Seen? {
    let received = "\(directory)/incoming/\(entry.digest)"
    let file = open(received, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileText.problem("write", received) }
    defer { close(file) }
    var done = UInt64(max(0, lseek(file, 0, SEEK_END)))
    while done < entry.bytes {
      // Of a file that only grows, what the manifest speaks of is there as it was.
      let most = UInt32(min(UInt64(DirectoryReplica.chunk), entry.bytes - done))
      let request = FileProtocol.Request(kind: .content, shard: number, offset: done, most: most, path: entry.path)
      let part = try link.ask(request, most: Int(most))
      guard !part.isEmpty else { break }
      guard FileText.writeAll(file, part) else { throw FileText.problem("write", received) }
      done += UInt64(part.count)
    }
    guard fsync(file) == 0 else { throw FileText.problem("sync", received) }
    guard done == entry.bytes, try FileTree.digest(received) == entry.digest else {
      try FileText.delete(received)
      return nil
    }
    try tree.install(received, as: entry.path)
    return tree.look(entry.path)
  }

  // MARK: Checking

  func checksum() async throws -> ReplicaChecksum? {
    let known = current
    guard known.history > 0, !record.isLost else { return nil }
    var text = ""
    for entry in known.entries {
      let digest = try FileTree.digest("\(tree.root)/\(entry.path)") ?? "missing"
      // What somebody changes just now is no rot: its size or time is another.
      let isAsNoted = tree.look(entry.path).map { $0.bytes == entry.bytes && $0.changed == entry.changed } ?? true
      if digest != entry.digest, isAsNoted { damaged.insert(entry.path) }
      guard isAsNoted else { return nil }
      text += "\(digest) \(entry.path)\n"
    }
    return ReplicaChecksum(
      position: HostPosition(history: known.history, offset: known.offset),
      value: SHA256Value.hash(Array(text.utf8)).hex)
  }

  func wipe() async throws {
    try show(leading: false)
    try save {
      $0.isLost = true
      $0.ledEpoch = nil
    }
    role = .idle
    for name in ["files", "incoming", "manifest"] { try FileText.delete("\(directory)/\(name)") }
    try FileText.makeDirectory(tree.root)
    try FileText.makeDirectory("\(directory)/incoming")
    manifest.withLock { $0 = FileManifest() }
    damaged = []
    isAttached = false
  }

  func drop() async throws {
    try FileText.delete(directory)
    forget()
  }

  // MARK: Serving others

  /// Called on the server's thread.
  nonisolated func answer(_ request: FileProtocol.Request) -> [UInt8]? {
    let manifest = manifest.withLock { $0 }
    switch request.kind {
    case .head: return Array("\(manifest.history) \(manifest.offset)".utf8)
    case .manifest: return Array(manifest.text.utf8)
    case .content:
      guard manifest[request.path] != nil else { return nil }
      return try? tree.read(request.path, at: request.offset, most: Int(request.most))
    }
  }
}

extension ReplicaRecord {
  /// The epoch in which a directory leads, or nil.
  fileprivate var ledEpoch: UInt32? {
    get { UInt32(positionRun) }
    set { positionRun = newValue.map(String.init) ?? "" }
  }
}
