import MusterCluster
import MusterProtocol

/// Where answers come from: a server, or a data directory.
protocol Source: AnyObject {
  /// Answers about one moment, all pages of it.
  func answer(_ question: Question, at moment: Moment) async throws -> ReadReply
  func log(_ request: LogRequest, _ each: (CommitReport) throws -> Void) async throws -> HistoryEnd
  func diff(_ a: Moment, _ b: Moment, _ each: (Difference) throws -> Void) async throws -> HistoryEnd
  func blame(_ request: BlameRequest) async throws -> BlameReply
  func why(_ request: WhyRequest) async throws -> WhyReply
  func bisect(_ request: BisectRequest) async throws -> BisectReply
  func info() async throws -> ServerInfo
  /// The newest signed checkpoint; a server signs one of what is durable now.
  func checkpoint() async throws -> CheckpointReply
  func prove(_ request: ProveRequest) async throws -> ProveReply
  /// Calls `each` with the parts of the proof of an export, in the order of the log.
  func proveExport(_ request: ProveExportRequest, _ each: (ProofPart) throws -> Void) async throws
}

extension Question {
  /// The same question from behind a mark.
  func after(_ mark: UInt32) -> Question {
    switch self {
    case .nodes(var question):
      question.page.after = mark
      return .nodes(question)
    case .collections(var question):
      question.page.after = mark
      return .collections(question)
    case .shards(var question):
      question.page.after = mark
      return .shards(question)
    case .configs(var question):
      question.page.after = mark
      return .configs(question)
    case .schemas(var question):
      question.page.after = mark
      return .schemas(question)
    case .tenants(var question):
      question.page.after = mark
      return .tenants(question)
    case .status, .session, .explain, .plan, .recovery, .check: return self
    }
  }
}

extension Answer {
  mutating func append(_ page: Answer) {
    nodes += page.nodes
    collections += page.collections
    shards += page.shards
    configs += page.configs
    schemas += page.schemas
    tenants += page.tenants
    next = page.next
  }
}
