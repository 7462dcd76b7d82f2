package import MusterCluster

/// Events as CloudEvents 1.0 in the JSON format: an envelope for each event of a commit, each in a line.
///
/// What is true of the whole commit stands in extension attributes, whose names are lower-case letters and digits;
/// revisions are texts, because an integer of CloudEvents has 32 bits.
package struct CloudEvents: Sendable {
  private let clusterID: String
  private let timeline: UInt64

  package init(clusterID: String, timeline: UInt64) {
    self.clusterID = clusterID
    self.timeline = timeline
  }

  /// The envelopes of a commit.
  package func lines(_ commit: CommitReport) -> String {
    commit.events.enumerated().map { place, event in JSON.object(envelope(commit, event, place)).line + "\n" }.joined()
  }

  /// The revision of a line that this wrote; nil of any other.
  package func revision(ofLine line: String) -> UInt64? {
    guard line.hasPrefix(beginning) else { return nil }
    let rest = line.dropFirst(beginning.count)
    return rest.firstIndex(of: "-").flatMap { UInt64(rest[..<$0]) }
  }

  /// What every line of this cluster and timeline begins with, down to the revision.
  private var beginning: String { "{\"specversion\":\"1.0\",\"id\":\"\(timeline)-" }

  private func envelope(_ commit: CommitReport, _ event: EventReport, _ place: Int) -> [JSON.Member] {
    var members: [JSON.Member] = [
      .init("specversion", .text("1.0")), .init("id", .text("\(timeline)-\(commit.revision)-\(place)")),
      .init("source", .text("urn:muster:cluster:\(clusterID)")), .init("type", .text("muster.\(event.type)")),
      .init("time", .text(Timestamp.format(commit.time))), .init("subject", .text(event.subject)),
      .init("datacontenttype", .text("application/json")),
      .init("dataschema", .text("urn:muster:event:1:\(event.type)")),
      .init("revision", .text(String(commit.revision))), .init("timeline", .text(String(timeline))),
      .init("principalkind", .text(commit.principalKind.name)), .init("assurance", .text(commit.assurance.name)),
      .init("reasonkind", .text(commit.reason.kind.name)),
    ]
    // An attribute without a value is left out.
    let optional = [
      ("principal", commit.principal), ("requestid", commit.requestID),
      ("cause", commit.cause == 0 ? "" : String(commit.cause)), ("reason", commit.reason.text),
      ("tenant", commit.tenant), ("traceparent", commit.traceParent),
    ]
    members += optional.filter { !$0.1.isEmpty }.map { JSON.Member($0.0, .text($0.1)) }
    let data = event.fields.map { JSON.Member($0.name, $0.value.json) }
    return members + [.init("data", .object(data))]
  }
}

extension EventReport {
  /// The thing that the event is about, as `blame` and `why` name it; `cluster` when it is about all of it.
  package var subject: String {
    let kinds = [
      ("shard", "shard"), ("key", "config"), ("node", "node"), ("collection", "collection"), ("tenant", "tenant"),
      ("principal", "principal"), ("client", "client"), ("alarm", "alarm"),
    ]
    for (field, kind) in kinds {
      guard case .text(let name)? = fields.first(where: { $0.name == field })?.value, !name.isEmpty else { continue }
      guard kind == "config", case .text(let scope)? = fields.first(where: { $0.name == "scope" })?.value,
        scope != "cluster"
      else { return "\(kind)/\(name)" }
      return "\(kind)/\(name)@\(scope)"
    }
    return "cluster"
  }
}
