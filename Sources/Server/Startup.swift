internal import Glibc
internal import MusterCluster
package import MusterDisk
internal import MusterHistory
package import MusterKernel
internal import MusterLog

/// What a server does before it serves.
package enum Startup {
  /// Opens the data directory, or makes it when it is absent or empty.
  ///
  /// - Parameter expected: the cluster that it must be of; nil for any.
  package static func open(_ path: String, expected: String?) throws -> Journal {
    if Journal.isVacant(path) {
      let identity = LogIdentity(clusterID: expected ?? newClusterID(), timeline: 1)
      guard identity.isValid else { throw JournalError.log(.foreign(file: "the expected cluster id"), directory: path) }
      try Journal.create(path, identity: identity)
    }
    let journal = try openPatiently(path)
    if let expected, expected != journal.identity.clusterID {
      throw JournalError.log(.foreign(file: "the directory (cluster \(journal.identity.clusterID))"), directory: path)
    }
    return journal
  }

  /// A process that was killed holds its lock until the kernel has buried it: a start right after waits for that.
  private static func openPatiently(_ path: String) throws -> Journal {
    var options = JournalOptions()
    options.keys = History.keys
    for _ in 0..<40 {
      do throws(JournalError) {
        return try Journal.open(path, options: options)
      } catch {
        guard case .locked = error else { throw error }
      }
      Pause.milliseconds(50)
    }
    return try Journal.open(path, options: options)
  }

  private static func newClusterID() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
      let digits = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Rebuilds the state and makes the kernel that goes on from it.
  package static func kernel(_ journal: Journal, version: String) throws -> Kernel {
    let last = journal.lastRevision
    let state = try History(try journal.reader(), journal.snapshots, through: last).state(at: last)
    let origin = BlockOrigin(
      timeline: journal.identity.timeline, term: max(1, journal.recovery.lastTerm), run: journal.run)
    let identity = Identity(clusterID: journal.identity.clusterID, version: version, origin: origin)
    return Kernel(state, identity: identity, after: journal.chain)
  }
}
