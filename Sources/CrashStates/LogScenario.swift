internal import MusterLog
internal import MusterWorkload

/// The life of a log: it is made, written, rolled, packed, cut, has snapshots taken and dropped, stops, crashes and is
/// recovered; what runs on threads of its own in a journal happens between and within its appends.
///
/// Before every operation on the disk every state that a crash might leave then is recovered from and compared with what
/// was promised.
package final class LogScenario {
  private let survey: Survey
  private var random: SeededGenerator
  private var disk = WeakDisk()
  private var log: LogDriver?
  private var promise = LogPromise() {
    didSet { context += 1 }
  }
  /// Which promise it is.
  private var context: UInt64 = 0
  private var isInBackground = false
  private var isAppending = false
  private var lastSnapshot: (revision: UInt64, depth: UInt32)?
  /// How many states of a moment recovery itself is looked at from.
  private static let recoveriesLookedAt = 1
  private static let statesOfRecovery = 6

  private let isDeafTo: (String) -> Bool

  /// - Parameter isDeafTo: paths that the disk does not sync, to see that this is found.
  package init(seed: UInt64, _ survey: Survey, isDeafTo: @escaping (String) -> Bool = { _ in false }) {
    random = SeededGenerator(seed: seed)
    self.survey = survey
    self.isDeafTo = isDeafTo
    // Runs with different seeds promise different things.
    context = random.next()
  }

  package func run(steps: Int) throws {
    watch()
    try settle { log = try LogDriver.create(disk) }
    promise.isCreated = true
    for _ in 0..<steps { try settle { try step() } }
    try look()
  }

  /// The reason why a run ended, instead of what the disk said.
  private func settle(_ body: () throws -> Void) throws {
    do { try body() } catch { throw disk.stopped ?? error }
  }

  private func watch() {
    disk.isDeafTo = isDeafTo
    disk.beforeChange = { [unowned self] in
      try look()
      try interleave()
    }
  }

  private func step() throws {
    guard let log else { return }
    switch random.below(40) {
    case 0..<20: try append()
    case 20..<27: try log.confirm()
    case 27..<30: try inBackground { try log.pack() }
    case 30..<34: try inBackground { try snapshot() }
    case 34, 35: try inBackground { try cut() }
    case 36: try inBackground { try thin() }
    case 37: try stopCleanly()
    default: try crash()
    }
  }

  // MARK: What is looked at

  private func look() throws {
    var nested = LogScenario.recoveriesLookedAt
    try survey.look(at: disk, context: context) { image in
      let isDeep = nested > 0 && random.oneIn(4)
      if isDeep { nested -= 1 }
      let plan = try promise.check(image) { disk in if isDeep { self.watchRecovery(of: disk) } }
      if plan.tornBytes > 0 { survey.noteTorn() }
    }
  }

  /// A start may be cut short like everything else.
  private func watchRecovery(of disk: WeakDisk) {
    disk.beforeChange = { [unowned disk, promise, survey, context] in
      try survey.look(at: disk, context: context, isRecovery: true, atMost: LogScenario.statesOfRecovery) {
        try promise.check($0)
      }
    }
  }

  // MARK: What happens

  private func commits() -> [[UInt8]] {
    (0...random.below(3)).map { _ in
      let length = 1 + random.below(random.oneIn(6) ? 6000 : 1800)
      let isRandom = random.oneIn(2)
      return (0..<length).map {
        isRandom ? UInt8(truncatingIfNeeded: random.next()) : UInt8(truncatingIfNeeded: $0 / 9)
      }
    }
  }

  private func append() throws {
    guard let log else { return }
    let commits = commits()
    let bytes = commits.reduce(0) { $0 + $1.count + 3 }
    if !log.hasRoom(for: bytes) && !log.isSpareReady { try inBackground { try log.prepareSpare() } }
    // The room may have been used meanwhile.
    try write(commits)
  }

  private func write(_ commits: [[UInt8]]) throws {
    promise.attempted = commits
    try log?.append(commits)
    promise.acknowledged += commits
    promise.attempted = []
  }

  /// What other threads do meanwhile.
  private func inBackground(_ body: () throws -> Void) throws {
    isInBackground = true
    defer { isInBackground = false }
    try body()
  }

  private func interleave() throws {
    guard isInBackground, !isAppending, let log, random.oneIn(2) else { return }
    isAppending = true
    defer { isAppending = false }
    let commits = commits()
    if log.hasRoom(for: commits.reduce(0) { $0 + $1.count + 3 }) { try write(commits) }
    if random.oneIn(3) { try log.confirm() }
  }

  private func snapshot() throws {
    let revision = UInt64(promise.acknowledged.count)
    guard revision > 0, revision > lastSnapshot?.revision ?? 0 else { return }
    var manifest = SnapshotManifest()
    manifest.revision = revision
    if let lastSnapshot, lastSnapshot.depth < SnapshotWriter.deltasMax, random.oneIn(2) {
      manifest.parent = lastSnapshot.revision
      manifest.depth = lastSnapshot.depth + 1
    }
    let file = try SnapshotWriter(disk, LogDriver.identity, manifest)
    for page in 0..<3 as Range<UInt32> {
      try [UInt8](repeating: UInt8(page), count: 100 + random.below(900)).withUnsafeBytes {
        try file.add(PageAddress(table: 1, page: page), $0)
      }
    }
    _ = try file.finish()
    promise.snapshots.insert(revision)
    lastSnapshot = (revision, manifest.depth)
  }

  private func cut() throws {
    let reader = try LogDriver.reader(disk)
    let store = SnapshotStore(disk, LogDriver.identity)
    var bounds = RetentionBounds()
    bounds.logBytes = UInt64(reader.segments.reduce(0) { $0 + $1.fileBytes } / 2)
    guard var horizon = try RetentionPlanner.horizon(reader, store, bounds) else { return }
    horizon.cutAt = UInt64(promise.acknowledged.count)
    let oldest = try store.base(ofSnapshotAt: horizon.revision) ?? horizon.revision
    promise.snapshots = promise.snapshots.filter { $0 >= oldest }
    promise.nextHorizon = horizon
    try Cutting.cut(disk, LogDriver.identity, to: horizon)
    promise.horizon = horizon
    promise.nextHorizon = nil
  }

  private func thin() throws {
    let store = SnapshotStore(disk, LogDriver.identity)
    for name in SnapshotThinning.plan(try store.list(), try LogDriver.reader(disk)) {
      promise.snapshots.remove(name.revision)
      try store.remove(name)
    }
  }

  private func stopCleanly() throws {
    try log?.confirm(isFinal: true)
    log = try LogDriver(disk)
  }

  /// One of the states that a crash may leave becomes the disk.
  private func crash() throws {
    let window = disk.window()
    let image = window.image(window.counts.map { random.below($0) })
    disk = WeakDisk(image)
    log = try LogDriver(disk)
    watch()
    // What was begun and not acknowledged may be there.
    promise.acknowledged += try LogDriver.reader(disk).commits().dropFirst(acknowledgedAndKept)
    promise.attempted = []
  }

  private var acknowledgedAndKept: Int {
    promise.acknowledged.count - Int(promise.horizon?.firstRevision ?? 1) + 1
  }
}
