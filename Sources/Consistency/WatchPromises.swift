/// What a watcher was shown, over all its connections.
package struct WatchRecord<Content: Hashable & Sendable>: Sendable {
  package enum Item: Sendable, Hashable {
    case commit(revision: UInt64, Content)
    /// Everything up to the revision was shown.
    case mark(revision: UInt64)
    /// The connection ended, and the next one asks from a revision on.
    case resumed(from: UInt64)
  }

  /// The first revision that was asked for.
  package var from: UInt64
  package var items: [Item] = []

  package init(from: UInt64) { self.from = from }
}

/// What a watch promises: each commit of its topic from where it began, once, in order, whole, also over many
/// connections; and a mark means that nothing before it is missing.
package enum WatchPromise: String, Sendable {
  case ordered, unique, reliable, atomic, resumable, bookmarkable
}

package struct BrokenWatch: Error, Hashable, Sendable, CustomStringConvertible {
  package var promise: WatchPromise
  package var revision: UInt64

  package init(promise: WatchPromise, revision: UInt64) {
    self.promise = promise
    self.revision = revision
  }

  package var description: String { "a watch is not \(promise.rawValue) at revision \(revision)" }
}

extension WatchRecord {
  /// Compares with the log.
  ///
  /// - Parameters:
  ///   - log: what the topic has at each of its revisions, in order.
  ///   - end: a revision up to which everything must have been shown.
  package func check(against log: [(revision: UInt64, content: Content)], through end: UInt64) throws(BrokenWatch) {
    var expected = log[...].drop { $0.revision < from }
    var shown: UInt64 = from - 1
    for item in items {
      switch item {
      case .commit(let revision, let content):
        try follow(revision, content, shown, &expected)
        shown = revision
      case .mark(let revision):
        if let missed = expected.first, missed.revision <= revision {
          throw BrokenWatch(promise: .bookmarkable, revision: missed.revision)
        }
        shown = max(shown, revision)
      case .resumed(let revision):
        // It goes on where it was told that everything is shown, and neither before nor behind that.
        guard revision == shown + 1 else { throw BrokenWatch(promise: .resumable, revision: revision) }
      }
    }
    if let missed = expected.first, missed.revision <= end {
      throw BrokenWatch(promise: .reliable, revision: missed.revision)
    }
  }

  private func follow(
    _ revision: UInt64, _ content: Content, _ shown: UInt64,
    _ expected: inout ArraySlice<(revision: UInt64, content: Content)>
  ) throws(BrokenWatch) {
    guard revision != shown else { throw BrokenWatch(promise: .unique, revision: revision) }
    guard revision > shown else { throw BrokenWatch(promise: .ordered, revision: revision) }
    guard let next = expected.first, next.revision >= revision else {
      throw BrokenWatch(promise: .reliable, revision: expected.first?.revision ?? revision)
    }
    // A commit that the log does not have, or that it has with other events.
    guard next.revision == revision, next.content == content else {
      throw BrokenWatch(promise: .atomic, revision: revision)
    }
    expected.removeFirst()
  }
}
