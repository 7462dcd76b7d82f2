import MusterCluster
import MusterProtocol
import MusterRendering

/// What an export is of: who goes on with it must mean the same.
struct ExportIdentity: Equatable {
  var clusterID: String
  var timeline: UInt64
  var format: String
  var filter: CommitFilter

  /// As it stands beside the export.
  var line: String { JSON.object(members).line + "\n" }

  /// Names with what they are, in their order.
  var members: [JSON.Member] {
    [
      .init("schema", .text("muster.export/1")), .init("clusterID", .text(clusterID)),
      .init("timeline", .number(timeline)), .init("format", .text(format)), .init("filter", .text(filterWords)),
    ]
  }

  /// The filters as the command takes them; empty for everything.
  var filterWords: String {
    [
      ("--node", filter.node), ("--shard", filter.shard), ("--collection", filter.collection),
      ("--config", filter.configKey), ("--principal", filter.principal), ("--type", filter.eventType),
      ("--tenant", filter.tenant),
    ].filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
  }

  func isOther(_ path: String) -> Failure {
    Failure(
      .refused,
      "\(path) was begun as another export: of another cluster, or with other filters; choose another file, or repeat the "
        + "filters with which it was begun")
  }
}
