internal import MusterBytes
internal import MusterCluster
internal import MusterDisk
internal import MusterHistory
internal import MusterKernel
internal import MusterLog
internal import MusterProtocol
internal import NIOCore

/// Elements that are made for a stream at a time.
private let pieceMax: UInt32 = 256

extension Server {
  /// Begins to answer a question about the past.
  func begin(_ call: CallID, _ recall: Recall) {
    let last = kernel.view.revision
    let names = kernel.view
    let timeline = kernel.identity.timeline
    let clock = Clock.now().wall
    let vault = kernel.vault
    let bound = NIOLoopBound(self, eventLoop: loop)
    switch recall {
    case .read(let request):
      archive.read(through: last) { [loop] shelf, history in
        let reply = Result { () throws(HistoryError) in
          try shelf.answer(request, try history.get(), clock: clock, timeline: timeline, vault: vault).encoded()
        }
        loop.execute { bound.value.sendAnswer(call, reply) }
      }
    case .blame(let request):
      archive.read(through: last) { [loop] shelf, history in
        let reply = Result { () throws(HistoryError) in
          try shelf.blame(request, try history.get(), clock: clock, timeline: timeline).encoded()
        }
        loop.execute { bound.value.sendAnswer(call, reply) }
      }
    case .why(let request):
      archive.read(through: last) { [loop] shelf, history in
        let reply = Result { () throws(HistoryError) in
          try shelf.why(request, try history.get(), clock: clock, timeline: timeline).encoded()
        }
        loop.execute { bound.value.sendAnswer(call, reply) }
      }
    case .bisect(let request):
      archive.read(through: last) { [loop] _, history in
        let search = Result { () throws(HistoryError) in
          BisectSearch(try Bisector(request, try history.get(), clock: clock), names: names, timeline: timeline)
        }
        loop.execute { bound.value.goOn(call, search) }
      }
    case .log(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] _, history in
        let source = Result { () throws(HistoryError) in
          RecallSource(.log(try LogCursor(request, try history.get(), names: names, clock: clock)))
        }
        loop.execute { bound.value.opened(call, source) }
      }
    case .diff(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] shelf, history in
        let source = Result { () throws(HistoryError) in
          try shelf.differences(request, try history.get(), clock: clock, timeline: timeline)
        }
        loop.execute { bound.value.opened(call, source) }
      }
    case .checkpoint: sendCheckpoint(call)
    case .prove(let request):
      archive.read(through: last) { [loop, journal] _, history in
        let reply = Result { () throws(HistoryError) in
          try history.get().prove(request, AuditFiles(journal.storage), timeline: timeline)
        }
        loop.execute { bound.value.sendProof(call, reply) }
      }
    case .proveExport(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop, journal] _, history in
        let source = Result { () throws(HistoryError) in
          RecallSource(.proof(try ExportProver(request, try history.get(), AuditFiles(journal.storage))))
        }
        loop.execute { bound.value.opened(call, source) }
      }
    case .journalFiles(let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] _, history in
        let source = Result { () throws(HistoryError) in try RecallSource.files(try history.get()) }
        loop.execute { bound.value.opened(call, source) }
      }
    case .journalRead(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] _, history in
        let source = Result { () throws(HistoryError) in RecallSource.file(request, try history.get()) }
        loop.execute { bound.value.opened(call, source) }
      }
    }
  }

  /// Looks at the next state of a search. Others who ask about the past come in between.
  fileprivate func goOn(_ call: CallID, _ search: Result<BisectSearch, HistoryError>) {
    guard case .success(let search) = search else { return sendAnswer(call, search.map { _ in [] }) }
    let bound = NIOLoopBound(self, eventLoop: loop)
    archive.read(through: 0) { [loop] _, _ in
      let answer = Result { () throws(HistoryError) in try search.next()?.encoded() }
      loop.execute {
        switch answer {
        case .success(nil): bound.value.goOn(call, .success(search))
        case .success(let reply?): bound.value.sendAnswer(call, .success(reply))
        case .failure(let error): bound.value.sendAnswer(call, .failure(error))
        }
      }
    }
  }

  fileprivate func sendAnswer(_ call: CallID, _ reply: Result<[UInt8], HistoryError>) {
    switch reply {
    case .success(let reply): send(.reply, call, reply)
    case .failure(let error): send(.error, call, RPCError(error).encoded())
    }
  }

  fileprivate func sendProof(_ call: CallID, _ reply: Result<ProveReply, HistoryError>) {
    switch reply {
    case .success(let reply): send(.reply, call, reply.encoded())
    case .failure(let error): send(.error, call, RPCError(error).encoded())
    }
  }

  fileprivate func opened(_ call: CallID, _ source: Result<RecallSource, HistoryError>) {
    guard recalls[call] != nil else { return }
    switch source {
    case .success(let source):
      recalls[call]?.source = source
      recalls[call]?.isBusy = false
      pump(call)
    case .failure(let error):
      _ = recalls.remove(call)
      send(.error, call, RPCError(error).encoded())
    }
  }

  /// Makes the next elements of a stream, as far as its credit goes.
  func pump(_ call: CallID) {
    guard let stream = recalls[call], let source = stream.source, !stream.isBusy, stream.credit > 0, !isStuck(call)
    else {
      return
    }
    recalls[call]?.isBusy = true
    let count = Int(min(stream.credit, pieceMax))
    let timeline = kernel.identity.timeline
    let bound = NIOLoopBound(self, eventLoop: loop)
    archive.read(through: 0) { [loop] _, _ in
      let piece = Result { () throws(HistoryError) in try source.next(count, timeline: timeline) }
      loop.execute { bound.value.sendPiece(call, piece) }
    }
  }

  fileprivate func sendPiece(_ call: CallID, _ piece: Result<(items: [[UInt8]], end: [UInt8]?), HistoryError>) {
    guard recalls[call] != nil else { return }
    switch piece {
    case .failure(let error):
      _ = recalls.remove(call)
      send(.error, call, RPCError(error).encoded())
    case .success(let piece):
      for item in piece.items { send(.item, call, item) }
      recalls[call]?.credit -= UInt32(piece.items.count)
      recalls[call]?.isBusy = false
      if let end = piece.end {
        _ = recalls.remove(call)
        send(.end, call, end)
      } else {
        pump(call)
      }
    }
  }

  /// Reads commits for a watcher that is behind.
  func catchUp(_ call: CallID, _ from: Revision, _ through: Revision, _ limit: Int) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    archive.read(through: through) { [loop] shelf, history in
      let found = Result { () throws(HistoryError) in
        try shelf.commits(from: from, through: through, limit: limit, try history.get())
      }
      loop.execute { bound.value.caughtUp(call, found, through) }
    }
  }

  fileprivate func caughtUp(_ call: CallID, _ found: Result<[Commit], HistoryError>, _ through: Revision) {
    switch found {
    case .success(let commits):
      kernel.caughtUp(call, commits, through: commits.last?.revision ?? through)
      carryOutEffects()
    case .failure(let error):
      _ = kernel.cancel(call)
      send(.error, call, RPCError(error).encoded())
    }
    endTickSoon()
  }
}
