import MusterBytes
import MusterControllers
import MusterKernel
import MusterVault
import MusterCluster
import MusterDisk
import MusterHistory
import MusterLog
import MusterProtocol
import MusterServer

/// Answers from a data directory, which is only read.
final class DataSource: Source {
  let directory: DataDirectory
  let history: History
  /// The state that was asked for last: several questions of one command are about one moment.
  private var recent: State?
  private lazy var clock: Microseconds = history.lastTime
  /// Where the keys of sensitive values are; nil for the directory's own.
  var keys: String?
  private let path: String

  init(_ path: String) throws {
    self.path = path
    directory = try DataDirectory(path)
    let log = try directory.log()
    history = History(log, directory.snapshots, through: directory.lastRevision(log))
    history.present = Clock.now().wall
  }

  private func state(
    at moment: Moment, following parts: StateParts = .all, for question: Question? = nil
  ) throws -> State {
    let revision = try history.resolve(moment, clock: clock)
    if let recent, recent.revision == revision, recent.parts.isSuperset(of: parts) { return recent }
    if let question, let focus = try history.focus(on: question, at: revision) { return focus }
    let state = try history.state(at: revision, following: parts)
    recent = state
    return state
  }

  func answer(_ question: Question, at moment: Moment) async throws -> ReadReply {
    let before = history.cost
    let state = try state(at: moment, following: question.parts, for: question)
    var reply = ReadReply()
    reply.note(history.cost - before)
    reply.timeline = directory.identity.timeline
    reply.revision = state.revision
    reply.time = state.time
    reply.answer = try state.answer(question, PlacementAdvisor())
    reply.answer.reveal(question, with: vault(for: question))
    while reply.answer.next != 0 {
      reply.answer.append(try state.answer(question.after(reply.answer.next), PlacementAdvisor()))
    }
    return reply
  }

  /// Made only when values are to be shown: whoever reads leaves no trace.
  private func vault(for question: Question) -> FileVault? {
    guard case .configs(let question) = question, question.isRevealed else { return nil }
    return FileVault(reading: FileStorage(root: keys ?? path + "/keys"))
  }

  func info() async throws -> ServerInfo {
    var info = ServerInfo()
    info.timeline = directory.identity.timeline
    info.revision = history.last
    info.clusterID = directory.identity.clusterID
    try history.log.forEachBlock(from: max(history.last, 1), through: history.last) { block in
      info.term = block.header.origin.term
      info.run = block.header.origin.run
      return true
    }
    return info
  }

  func log(_ request: LogRequest, _ each: (CommitReport) throws -> Void) async throws -> HistoryEnd {
    let cursor = try LogCursor(request, history, names: try history.state(at: history.last), clock: clock)
    while !cursor.isDone {
      for commit in try cursor.next(256) { try each(commit) }
    }
    return try cursor.end(timeline: directory.identity.timeline)
  }

  /// The commits of a request as lines of JSON, a piece at a time: what `log` says, without making reports of it.
  ///
  /// - Parameter each: called with whole lines and the number of them.
  func lines(_ request: LogRequest, _ each: (borrowing ByteWriter, Int) throws -> Void) throws {
    let names = try history.state(at: history.last)
    let cursor = try LogCursor(request, history, names: names, clock: clock)
    var writer = CommitLineWriter(names: names, clients: try history.forgottenClients(of: names))
    var lines = ByteWriter(capacity: 1 << 17)
    while !cursor.isDone {
      let commits = try cursor.nextCommits(256)
      lines.removeAll()
      for commit in commits { writer.write(commit, to: &lines) }
      try each(lines, commits.count)
    }
  }

  private func subject(
    _ entity: String, _ moment: Moment, countingReplicas: Bool = false
  ) throws -> (EntityName, EntityFocus) {
    guard let name = EntityName(entity) else {
      throw Failure.usage("\"\(entity)\" is nothing to ask about: give \(EntityName.forms)")
    }
    let revision = try history.resolve(moment, clock: clock)
    let focus = try history.focus(on: name, at: revision, countingReplicas: countingReplicas) {
      (revision) throws(HistoryError) in try history.state(at: revision)
    }
    return (name, focus)
  }

  func blame(_ request: BlameRequest) async throws -> BlameReply {
    let (name, focus) = try subject(request.entity, request.at)
    var reply = try history.blame(name, in: focus)
    reply.timeline = directory.identity.timeline
    return reply
  }

  func why(_ request: WhyRequest) async throws -> WhyReply {
    let (name, focus) = try subject(request.entity, request.at, countingReplicas: true)
    var reply = try history.why(name, in: focus)
    reply.timeline = directory.identity.timeline
    return reply
  }

  func bisect(_ request: BisectRequest) async throws -> BisectReply {
    let bisector = try Bisector(request, history, clock: clock)
    while try !bisector.step() {}
    var reply = try bisector.reply(names: try state(at: .now))
    reply.timeline = directory.identity.timeline
    return reply
  }

  func diff(_ a: Moment, _ b: Moment, _ each: (Difference) throws -> Void) async throws -> HistoryEnd {
    let before = history.cost
    let from = try history.resolve(a, clock: clock)
    let to = try history.resolve(b, clock: clock)
    for difference in try history.differences(from: from, to: to) { try each(difference) }
    var end = HistoryEnd()
    end.timeline = directory.identity.timeline
    end.from = from
    end.revision = to
    end.time = try history.time(of: to)
    end.note(history.cost - before)
    return end
  }
}
