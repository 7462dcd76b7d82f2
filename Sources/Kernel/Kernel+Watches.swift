internal import MusterBytes
package import MusterCluster
internal import MusterHistory
internal import MusterProtocol

extension Kernel {
  /// Begins to show commits. A watcher without credit stays where it is; what it missed it is shown once it grants
  /// more, from memory or from the journal.
  func watch(_ call: CallID, _ request: WatchRequest, credit: UInt32) {
    let next = view.revision + 1
    // The first commit is of revision 1: whoever asks from 0 on wants everything.
    let from = max(request.from ?? next, 1) + (Mutant.isOn(.watchResumesLate) && (request.from ?? 0) > 64 ? 1 : 0)
    guard from >= view.retention.horizon else {
      let history = view.retention
      return fail(
        call,
        RPCError(
          .noSuchMoment,
          "revision \(from) is not kept any more: history before revision \(history.horizon) was cut at revision "
            + "\(history.cutAt)"))
    }
    guard from <= next else {
      fail(
        call,
        RPCError(.invalidArgument, "revision \(from) is in the future: the newest is \(view.revision)"))
      return
    }
    watches.add(call, Watch(topic: request.topic, next: from, credit: credit, marked: from - 1))
    feed(call)
  }

  /// Shows a watcher what it has not seen, as far as its credit goes: from memory where that reaches, else from the
  /// journal.
  func feed(_ call: CallID) {
    guard var watch = watches[call], !watch.isCatchingUp, watch.credit > 0, watch.next <= view.revision else { return }
    if recent.contains(watch.next) {
      feedFromMemory(call, &watch)
    } else {
      watch.isCatchingUp = true
      effects.append(
        .catchUp(call, from: watch.next, through: view.revision, limit: Int(min(watch.credit, Kernel.catchUpMax))))
    }
    watches[call] = watch
  }

  private func feedFromMemory(_ call: CallID, _ watch: inout Watch) {
    let last = view.revision
    let before = watch.credit
    while watch.credit > 0, watch.next <= last {
      let range = recent.item(watch.next, watch.topic) { commit in item(commit, watch.topic).map { encode($0) } }
      if let range {
        effects.append(.item(call, range))
        watch.credit -= 1
        watch.marked = watch.next
      }
      watch.next += 1
    }
    count { $0.deliveries += UInt64(before - watch.credit) }
  }

  /// Commits read for one watcher at a time.
  package static let catchUpMax: UInt32 = 512

  /// Commits were read for a watcher that was behind.
  ///
  /// - Parameter through: everything up to this revision is in `commits` or was left out by the topic.
  package func caughtUp(_ call: CallID, _ commits: [Commit], through: Revision) {
    guard var watch = watches[call] else { return }
    precondition(watch.isCatchingUp, "commits are read only for a watcher that is behind")
    watch.isCatchingUp = false
    for commit in commits {
      guard watch.credit > 0, commit.revision >= watch.next else { break }
      if let item = item(commit, watch.topic) {
        effects.append(.item(call, encode(item)))
        watch.credit -= 1
        watch.marked = commit.revision
        count { $0.deliveries += 1 }
      }
      watch.next = commit.revision + (Mutant.isOn(.watchSkipsAfterCatchUp) && commits.count > 8 ? 2 : 1)
    }
    if commits.isEmpty || watch.next > (commits.last?.revision ?? 0) { watch.next = max(watch.next, through + 1) }
    watches[call] = watch
    feed(call)
  }

  /// Shows new commits to everybody who watches. Each is encoded once a topic, not once a watcher.
  func deliver(_ publication: Publication) {
    recent.append(publication.commits, bytes: publication.bytes)
    for call in watches.calls { feed(call) }
  }

  private func item(_ commit: Commit, _ topic: WatchTopic) -> WatchItem? {
    guard let shown = commit.filtered(to: topic) else { return nil }
    var item = WatchItem()
    item.timeline = identity.timeline
    item.revision = commit.revision
    item.commit = view.report(shown)
    return item
  }

  /// Tells watchers that saw nothing for a while how far everything was shown, so that they resume near the end.
  func markIdleWatches() {
    for call in watches.calls {
      guard var watch = watches[call], !watch.isCatchingUp, watch.credit > 0 else { continue }
      guard watch.next == view.revision + 1, watch.marked + 1 < watch.next else { continue }
      var item = WatchItem()
      item.timeline = identity.timeline
      item.revision = watch.next - 1
      effects.append(.item(call, encode(item)))
      watch.credit -= 1
      watch.marked = watch.next - 1
      watches[call] = watch
    }
  }

  /// How many watchers there are, and how far the slowest is behind.
  package var watchLag: (watchers: Int, commits: UInt64) {
    var lag: UInt64 = 0
    for call in watches.calls {
      if let watch = watches[call] { lag = max(lag, view.revision + 1 - min(watch.next, view.revision + 1)) }
    }
    return (watches.count, lag)
  }
}
