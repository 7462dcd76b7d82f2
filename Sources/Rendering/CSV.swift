package import MusterCluster

/// Commits as comma-separated values (RFC 4180), a row for each event.
package enum CSV {
  package static let heading =
    "revision,time,wallTime,principal,requestID,cause,reason,tenant,type,fields\r\n"

  package static func rows(_ commit: CommitReport) -> String {
    let head = [
      String(commit.revision), Timestamp.format(commit.time), Timestamp.format(commit.wallTime), commit.principal,
      commit.requestID, commit.cause == 0 ? "" : String(commit.cause),
      commit.reason.kind == .unstated ? commit.reason.text : commit.reason.words, commit.tenant,
    ]
    return commit.events.map { event in
      let fields = JSON.object(event.fields.map { JSON.Member($0.name, $0.value.json) }).line
      return (head + [event.type, fields]).map(quoted).joined(separator: ",") + "\r\n"
    }.joined()
  }

  private static func quoted(_ cell: String) -> String {
    let isPlain = cell.utf8.allSatisfy { $0 != 0x22 && $0 != 0x2c && $0 != 0x0a && $0 != 0x0d }
    return isPlain
      ? cell : "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
