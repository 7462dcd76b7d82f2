internal import MusterControllers
internal import MusterBytes
internal import MusterCluster
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
    let bound = NIOLoopBound(self, eventLoop: loop)
    switch recall {
    case .read(let request):
      archive.read(through: last) { [loop] reader in
        let reply = answer(request, reader, clock, timeline)
        loop.execute { bound.value.sendAnswer(call, reply) }
      }
    case .log(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] reader in
        let source = Result { () throws(HistoryError) in
          RecallSource(.log(try LogCursor(request, try reader.get().history, names: names, clock: clock)))
        }
        loop.execute { bound.value.opened(call, source) }
      }
    case .diff(let request, let credit):
      recalls[call] = RecallStream(credit: credit, isBusy: true)
      archive.read(through: last) { [loop] reader in
        let source = Result { () throws(HistoryError) in try differences(request, try reader.get(), clock, timeline) }
        loop.execute { bound.value.opened(call, source) }
      }
    }
  }

  fileprivate func sendAnswer(_ call: CallID, _ reply: Result<ReadReply, HistoryError>) {
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
    archive.read(through: 0) { [loop] _ in
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
    archive.read(through: through) { [loop] reader in
      let found = Result { () throws(HistoryError) in try commits(reader, from, through, limit) }
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

// MARK: On the archive's thread

private func answer(
  _ request: ReadRequest, _ reader: Result<ArchiveReader, HistoryError>, _ clock: Microseconds, _ timeline: UInt64
) -> Result<ReadReply, HistoryError> {
  Result { () throws(HistoryError) in
    let reader = try reader.get()
    let revision = try reader.history.resolve(request.at, clock: clock)
    let state = try reader.state(at: revision, following: request.question.parts)
    var reply = ReadReply()
    reply.timeline = timeline
    reply.revision = state.revision
    reply.time = state.time
    do throws(Refusal) { reply.answer = try state.answer(request.question, PlacementAdvisor()) } catch {
      throw .refused(error)
    }
    return reply
  }
}

private func differences(
  _ request: DiffRequest, _ reader: ArchiveReader, _ clock: Microseconds, _ timeline: UInt64
) throws(HistoryError) -> RecallSource {
  let a = try reader.state(at: try reader.history.resolve(request.a, clock: clock))
  let b = try reader.state(at: try reader.history.resolve(request.b, clock: clock))
  var all: [Difference] = []
  Differ.diff(a, b) { all.append($0) }
  var end = HistoryEnd()
  end.timeline = timeline
  end.from = a.revision
  end.revision = b.revision
  end.time = b.time
  end.blocksRead = reader.history.log.cost.blocks
  return RecallSource(.differences(all, end))
}

private func commits(
  _ reader: Result<ArchiveReader, HistoryError>, _ from: Revision, _ through: Revision, _ limit: Int
) throws(HistoryError) -> [Commit] {
  var found: [Commit] = []
  try reader.get().history.forEachCommit(from: from, through: through) {
    found.append($0)
    return found.count < limit
  }
  return found
}

extension RPCError {
  /// An error of the past as a client sees it.
  init(_ error: HistoryError) {
    switch error {
    case .refused(let refusal): self.init(.refused, refusal.message, details: refusal.encoded())
    case .future, .beforeBeginning: self.init(.noSuchMoment, "\(error)")
    case .divergence, .log(.corrupt): self.init(.corruption, "\(error)")
    case .log: self.init(.internalFault, "\(error)")
    }
  }
}
