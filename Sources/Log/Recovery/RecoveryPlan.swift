package import MusterBytes

/// One thing that recovery does to the files.
public enum RecoveryAction: Equatable, Sendable {
  /// Something that a crash left half made and that nothing refers to.
  case remove(String)
  /// Copies what was begun and never acknowledged to a file of its own before it is cleared.
  case keepAside(file: String, offset: Int, bytes: Int, copy: String)
  /// Writes zeros over it, so that the segment is again what it was before the write.
  case clear(file: String, offset: Int, bytes: Int)
  /// Writes frames again that are readable and were not confirmed: after a failed sync, what is read may be only in
  /// memory.
  case rewrite(file: String, offset: Int, bytes: Int)
  /// Gives a file that ended cleanly its zeros back.
  case extend(file: String, from: Int, to: Int)
}

/// What recovery found and what it will do. Making a plan changes nothing; `inspect` prints it, tests assert it.
public struct RecoveryPlan: Sendable {
  public var actions: [RecoveryAction] = []
  public var lastRevision: UInt64 = 0
  /// Log time of the last commit.
  public var lastTime: UInt64 = 0
  /// The highest run that wrote here.
  public var lastRun: UInt64 = 0
  public var lastTerm: UInt64 = 0
  /// The highest revision that was confirmed as durable before.
  public var confirmedThrough: UInt64 = 0
  /// Bytes of a write that was cut short.
  public var tornBytes = 0
  /// The segment that is written on.
  package var segment: SegmentName
  package var segmentBytes: Int
  /// Where its next frame goes.
  package var end: Int
  package var chain: SHA256Value
  package var digest: SetDigest
}

extension RecoveryPlan {
  /// Makes the plan for a log that was read without a fault.
  package static func make(_ log: LogReader) throws(LogError) -> RecoveryPlan {
    guard let last = log.segments.last else { throw .absent }
    var plan = RecoveryPlan(
      segment: last.name, segmentBytes: last.fileBytes, end: last.live?.end ?? last.fileBytes,
      chain: last.chainAfter ?? last.chainBefore, digest: SetDigest())
    plan.lastRevision = log.lastRevision
    plan.lastTime = log.lastTime
    plan.actions = try leftovers(log)
    if let live = last.live {
      let broken = try reading { () throws(StorageError) in try log.storage.list(Layout.broken) }
      plan.planTail(of: live, in: last.name, broken)
    }
    try plan.readLastBlock(log)
    return plan
  }

  /// - Parameter broken: what earlier recoveries kept aside.
  private mutating func planTail(of live: LiveScan, in name: SegmentName, _ broken: [String]) {
    lastRun = live.run
    confirmedThrough = live.durableThrough
    segmentBytes = live.declaredBytes
    if live.tornBytes > 0 {
      tornBytes = live.tornBytes
      let bytes = min(Frame.aligned(live.tornBytes), live.fileBytes - live.end)
      let copy = RecoveryPlan.free("\(name.path.dropFirst(4))-\(live.end)", among: broken)
      actions.append(.keepAside(file: name.path, offset: live.end, bytes: bytes, copy: copy))
      actions.append(.clear(file: name.path, offset: live.end, bytes: bytes))
    }
    // What nobody says is durable may be in the page cache alone, if the process before died of a failed sync.
    let unconfirmed = live.blocks.first { $0.header.lastRevision > live.durableThrough }?.offset
    if !Mutant.isOn(.tailNotRewritten), let first = unconfirmed ?? live.lastConfirmation {
      actions.append(.rewrite(file: name.path, offset: first, bytes: live.end - first))
    }
    if live.fileBytes < live.declaredBytes {
      actions.append(.extend(file: name.path, from: live.fileBytes, to: live.declaredBytes))
    }
  }

  /// A name that does not cost the evidence of an earlier crash at the same place.
  static func free(_ name: String, among taken: [String]) -> String {
    var number = 1
    while taken.contains("\(name)-\(number).broken") { number += 1 }
    return "\(Layout.broken)/\(name)-\(number).broken"
  }

  /// The chain value, digest and term to go on from.
  private mutating func readLastBlock(_ log: LogReader) throws(LogError) {
    guard let unit = log.units(from: lastRevision, through: lastRevision).last, lastRevision > 0 else { return }
    let found = LastBlock()
    do {
      _ = try log.forEachBlock(in: unit) { view in
        found.note(view)
        return true
      }
    } catch let error as LogError {
      throw error
    } catch {
      throw .corrupt(
        Fault(file: unit.segment.path, offset: unit.offset, revision: lastRevision, problem: "the last block: \(error)")
      )
    }
    lastRun = max(lastRun, found.header.origin.run)
    lastTerm = found.header.origin.term
    digest = found.header.digest
    // Packed blocks carry no chain value of their own; the segment's footer has that of its last.
    if let last = found.chain { chain = last }
  }

  private static func leftovers(_ log: LogReader) throws(LogError) -> [RecoveryAction] {
    let names = try reading { () throws(StorageError) in try log.storage.list(Layout.log) }
    let restoring = try reading { () throws(StorageError) in try log.storage.size(Layout.restoring) }
    var actions = restoring.map { _ in [RecoveryAction.remove(Layout.restoring)] } ?? []
    actions += try Cutting.leftovers(log.storage, log.identity).map { RecoveryAction.remove($0) }
    for name in names {
      let path = "\(Layout.log)/\(name)"
      let isReplaced = Layout.number(name, ending: ".live").map {
        names.contains(String(Layout.sealed($0).dropFirst(4)))
      }
      if name.hasSuffix(".new") || path == Layout.spare || isReplaced == true { actions.append(.remove(path)) }
    }
    for name in try reading({ () throws(StorageError) in try log.storage.list(Layout.snapshots) })
    where name.hasSuffix(".new") {
      actions.append(.remove("\(Layout.snapshots)/\(name)"))
    }
    return actions
  }
}

/// What is kept of the last block of a unit, whose memory is borrowed.
private final class LastBlock {
  var header = BlockHeader()
  /// Its chain value, when it says what it follows.
  private(set) var chain: SHA256Value?

  func note(_ view: BlockView) {
    header = view.header
    chain = view.header.previousChain.map { view.chain(after: $0) }
  }
}

// MARK: - Carrying it out

extension RecoveryPlan {
  /// Does what the plan says. Each action is durable before the next begins.
  package func execute(_ storage: any Storage) throws(LogError) {
    for action in actions {
      try reading { () throws(StorageError) in try RecoveryPlan.execute(action, storage) }
    }
  }

  private static func execute(_ action: RecoveryAction, _ storage: any Storage) throws(StorageError) {
    switch action {
    case .remove(let path):
      try storage.remove(path)
      try storage.syncDirectory(path.contains("/") ? String(path.prefix { $0 != "/" }) : Layout.root)
    case .keepAside(let file, let offset, let bytes, let copy):
      try storage.makeDirectory(Layout.broken)
      try storage.syncDirectory(Layout.root)
      try storage.replace(copy, in: Layout.broken, with: try storage.read(file, at: offset, count: bytes))
    case .clear(let file, let offset, let bytes):
      try storage.write(file, at: offset, [UInt8](repeating: 0, count: bytes))
      try storage.sync(file)
    case .rewrite(let file, let offset, let bytes):
      try storage.write(file, at: offset, try storage.read(file, at: offset, count: bytes))
      try storage.sync(file)
    case .extend(let file, let from, let to):
      try storage.write(file, at: from, [UInt8](repeating: 0, count: to - from))
      try storage.sync(file)
    }
  }
}
