internal import MusterBytes
internal import MusterCluster
internal import MusterHistory
internal import MusterLog
internal import MusterWorkload

/// Restores of a small cluster, cut short and begun anew, also at another revision.
///
/// Until a restore is finished its directory is no journal, or is one that has everything; and a restore into what a
/// crash left of one succeeds. When it is finished, the journal stays.
package final class RestoreScenario {
  private let survey: Survey
  private var random: SeededGenerator
  private let source = WeakDisk()
  private let last: Revision
  private var context: UInt64

  package init(seed: UInt64, _ survey: Survey) throws {
    self.survey = survey
    random = SeededGenerator(seed: seed)
    context = random.next()
    last = try RestoreScenario.fill(source, seed: seed)
  }

  /// Writes a history as a server does, with snapshots in its second half.
  private static func fill(_ disk: WeakDisk, seed: UInt64) throws -> Revision {
    let log = try LogDriver.create(disk)
    var generator = HistoryGenerator(seed: seed, scale: .init(nodes: 8, shards: 40, rarity: 12))
    var random = SeededGenerator(seed: seed ^ 1)
    while log.lastRevision < 260 {
      var commits: [[UInt8]] = []
      var events = 0
      for _ in 0...random.below(12) {
        let commit = generator.next()
        commits.append(commit.encoded())
        events += commit.events.count
      }
      if !log.isSpareReady { try log.prepareSpare() }
      let state = generator.state
      try log.append(commits, time: state.time, events: events, digest: state.digest)
      if log.lastRevision > 130, random.oneIn(6) { try LogDriver.writeSnapshot(of: state, on: disk) }
    }
    try log.pack(History.keys)
    return log.lastRevision
  }

  /// Restores late, dies at every operation in turn, and restores early into what that left.
  ///
  /// - Parameter stride: only every so manieth operation.
  package func run(stride: Int) throws {
    let late = last - Revision(random.below(20))
    try restoreAndLook(at: late, into: DiskImage())
    var death = 1 + random.below(stride)
    while let left = try interrupted(at: late, operation: death) {
      try restoreAndLook(at: 1 + Revision(random.below(Int(last))), into: left)
      death += stride
    }
  }

  /// What a restore that dies leaves; nil when it is done before.
  private func interrupted(at revision: Revision, operation death: Int) throws -> DiskImage? {
    let disk = WeakDisk()
    var operations = 0
    disk.beforeChange = {
      operations += 1
      if operations == death { throw BrokenPromise("it was to die here") }
    }
    do {
      try restore(at: revision, into: disk)
      return nil
    } catch {
      let window = disk.window()
      // Nearly everything stays, so that much lies in the way of the next restore.
      return window.image(window.counts.map { random.oneIn(8) ? random.below($0) : $0 - 1 })
    }
  }

  private func restoreAndLook(at revision: Revision, into image: DiskImage) throws {
    let disk = WeakDisk(image)
    // What the crash left may be a journal already, when only the going of the mark was missing.
    if (try? DirectoryIdentity.read(disk)) != nil { return }
    context += 1
    disk.beforeChange = { [unowned self] in try look(disk, revision, isFinished: false) }
    do { try restore(at: revision, into: disk) } catch { throw disk.stopped ?? error }
    context += 1
    try look(disk, revision, isFinished: true)
  }

  private func look(_ disk: WeakDisk, _ revision: Revision, isFinished: Bool) throws {
    try survey.look(at: disk, context: context) { image in try check(image, revision, isFinished) }
  }

  private func check(_ image: DiskImage, _ revision: Revision, _ isFinished: Bool) throws {
    let disk = WeakDisk(image)
    do throws(LogError) {
      _ = try DirectoryIdentity.read(disk)
    } catch .absent, .unfinished {
      guard !isFinished else { throw BrokenPromise("a restore that was finished is gone") }
      try restore(at: revision, into: disk)
    }
    let log = try LogDriver(disk)
    guard log.lastRevision == revision + 1 else {
      throw BrokenPromise("a restore to \(revision) ends at \(log.lastRevision)")
    }
    let history = try history(disk)
    _ = try Verification.run(history.log, history.snapshots)
    let isTheSame = try history.log.commits().prefix(Int(revision)).elementsEqual(sourceCommits.prefix(Int(revision)))
    guard isTheSame else { throw BrokenPromise("a restored commit is another") }
  }

  private lazy var sourceCommits: [[UInt8]] = (try? history(source).log.commits()) ?? []

  private func history(_ disk: WeakDisk) throws -> History {
    let log = try LogDriver.reader(disk)
    return History(log, SnapshotStore(disk, try DirectoryIdentity.read(disk)), through: log.lastRevision)
  }

  private func restore(at revision: Revision, into disk: WeakDisk) throws {
    let occasion = Restoration.Occasion(
      clusterID: String(repeating: "a", count: 32), principal: "ann", wallTime: 1, reason: "a drill")
    _ = try Restoration.run(try history(source), from: source, at: revision, into: disk, occasion)
  }
}
