internal import MusterBytes
internal import MusterCluster
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import MusterProtocol
internal import MusterWorkload

/// What the real server's archive does on a thread of its own: here one job after the other, each in its time.
extension SimulatedServer {
  private static let pieceMax: UInt32 = 64

  private func read(through last: Revision, _ job: @escaping (Result<History, HistoryError>) -> Void) {
    jobs.append { [unowned self] in
      job(
        Result { () throws(HistoryError) in
          try shelf.history(through: last) { older throws(LogError) in
            History(
              try LogReader.openChanging(disk, SimulatedServer.identity, reusing: older),
              SnapshotStore(disk, SimulatedServer.identity), through: last)
          }
        })
    }
    nextJob()
  }

  private func nextJob() {
    guard !isArchiveBusy, !jobs.isEmpty else { return }
    isArchiveBusy = true
    later(.past, 200 + UInt64(world.random.below(5000)))
  }

  func runJob() {
    isArchiveBusy = false
    if !jobs.isEmpty { jobs.removeFirst()() }
    nextJob()
  }

  /// Begins to answer a question about the past.
  func begin(_ call: CallID, _ recall: Recall) {
    let (last, names, timeline, clock) = (kernel.view.revision, kernel.view, kernel.identity.timeline, now.wall)
    switch recall {
    case .read(let request):
      read(through: last) { [unowned self] history in
        do throws(HistoryError) {
          let reply = try shelf.answer(request, try history.get(), clock: clock, timeline: timeline, vault: nil)
          send(.reply, call, reply.encoded())
        } catch {
          send(.error, call, RPCError(error).encoded())
        }
      }
    case .log(let request, let credit):
      open(call, credit) { history throws(HistoryError) in
        RecallSource(.log(try LogCursor(request, history, names: names, clock: clock)))
      }
    case .diff(let request, let credit):
      open(call, credit) { [unowned self] history throws(HistoryError) in
        try shelf.differences(request, history, clock: clock, timeline: timeline)
      }
    case .journalFiles(let credit):
      open(call, credit) { history throws(HistoryError) in try RecallSource.files(history) }
    case .journalRead(let request, let credit):
      open(call, credit) { history throws(HistoryError) in RecallSource.file(request, history) }
    }
  }

  private func open(
    _ call: CallID, _ credit: UInt32, _ make: @escaping (History) throws(HistoryError) -> RecallSource
  ) {
    recalls[call] = RecallStream(credit: credit, isBusy: true)
    read(through: kernel.view.revision) { [unowned self] history in
      guard recalls[call] != nil else { return }
      do throws(HistoryError) {
        recalls[call]?.source = try make(try history.get())
        recalls[call]?.isBusy = false
        pump(call)
      } catch {
        fail(call, error)
      }
    }
  }

  private func fail(_ call: CallID, _ error: HistoryError) {
    _ = recalls.remove(call) || kernel.cancel(call)
    send(.error, call, RPCError(error).encoded())
  }

  /// Makes the next elements of a stream, as far as its credit goes.
  func pump(_ call: CallID) {
    guard let stream = recalls[call], let source = stream.source, !stream.isBusy, stream.credit > 0 else { return }
    recalls[call]?.isBusy = true
    let (count, timeline) = (Int(min(stream.credit, SimulatedServer.pieceMax)), kernel.identity.timeline)
    read(through: 0) { [unowned self] _ in
      guard recalls[call] != nil else { return }
      do throws(HistoryError) {
        let piece = try source.next(count, timeline: timeline)
        for item in piece.items { send(.item, call, item) }
        recalls[call]?.credit -= UInt32(piece.items.count)
        recalls[call]?.isBusy = false
        guard let end = piece.end else { return pump(call) }
        _ = recalls.remove(call)
        send(.end, call, end)
      } catch {
        fail(call, error)
      }
    }
  }

  /// Reads commits for a watcher that is behind.
  func catchUp(_ call: CallID, _ from: Revision, _ through: Revision, _ limit: Int) {
    world.marks.sometimes(.watcherCaughtUp)
    read(through: through) { [unowned self] history in
      do throws(HistoryError) {
        let found = try shelf.commits(from: from, through: through, limit: limit, try history.get())
        kernel.caughtUp(call, found, through: found.last?.revision ?? through)
      } catch {
        fail(call, error)
      }
    }
  }
}
