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
      answer(call) { [unowned self] history throws(HistoryError) in
        try shelf.answer(request, history, clock: clock, timeline: timeline, vault: nil).encoded()
      }
    case .blame(let request):
      answer(call) { [unowned self] history throws(HistoryError) in
        try shelf.blame(request, history, clock: clock, timeline: timeline).encoded()
      }
    case .why(let request):
      answer(call) { [unowned self] history throws(HistoryError) in
        try shelf.why(request, history, clock: clock, timeline: timeline).encoded()
      }
    case .bisect(let request):
      read(through: last) { [unowned self] history in
        do throws(HistoryError) {
          let bisector = try Bisector(request, try history.get(), clock: clock)
          goOn(call, BisectSearch(bisector, names: names, timeline: timeline))
        } catch {
          send(.error, call, RPCError(error).encoded())
        }
      }
    case .checkpoint, .prove, .proveExport:
      // Signing is the shell's: no key is simulated.
      send(.error, call, RPCError(.unavailable, "a simulated server has no key and signs nothing").encoded())
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

  private func answer(_ call: CallID, _ make: @escaping (History) throws(HistoryError) -> [UInt8]) {
    read(through: kernel.view.revision) { [unowned self] history in
      do throws(HistoryError) {
        send(.reply, call, try make(try history.get()))
      } catch {
        send(.error, call, RPCError(error).encoded())
      }
    }
  }

  /// Looks at the next state of a search. Others who ask about the past come in between.
  private func goOn(_ call: CallID, _ search: BisectSearch) {
    read(through: 0) { [unowned self] _ in
      do throws(HistoryError) {
        guard let reply = try search.next() else { return goOn(call, search) }
        send(.reply, call, reply.encoded())
      } catch {
        send(.error, call, RPCError(error).encoded())
      }
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
