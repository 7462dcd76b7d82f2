import Foundation
import MusterCluster
import MusterRendering
import Testing

@Suite struct CloudEventsTests {
  private let envelopes = CloudEvents(clusterID: "00ff", timeline: 3)

  private var commit: CommitReport {
    var commit = CommitReport()
    commit.revision = 1234
    commit.time = 1_700_000_000_000_000
    commit.principal = "ada"
    commit.reason = Reason(.request, text: "because \"so\"")
    commit.events = [
      EventReport("LeaderElected", [FieldReport("shard", .text("orders/1")), FieldReport("epoch", .number(4))]),
      EventReport("ConfigSet", [FieldReport("key", .text("a")), FieldReport("scope", .text("node:n1"))]),
      EventReport("MaintenanceChanged", [FieldReport("on", .flag(true))]),
    ]
    return commit
  }

  @Test func eachEventIsAnEnvelopeWithWhatTheStandardAsksFor() throws {
    let lines = envelopes.lines(commit).split(separator: "\n")
    #expect(lines.count == 3)
    var ids: Set<String> = []
    for line in lines {
      let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["specversion"] as? String == "1.0")
      #expect(object["source"] as? String == "urn:muster:cluster:00ff")
      #expect((object["type"] as? String)?.hasPrefix("muster.") == true)
      #expect(object["time"] as? String == "2023-11-14T22:13:20.000000Z")
      #expect(object["datacontenttype"] as? String == "application/json")
      #expect(object["data"] is [String: Any])
      ids.insert(try #require(object["id"] as? String))
      for (name, value) in object where name != "data" {
        #expect(name.allSatisfy { $0.isLowercase || $0.isNumber } && name.count <= 20, "\(name)")
        #expect((value as? String)?.isEmpty == false, "\(name) has a value")
      }
    }
    #expect(ids == ["3-1234-0", "3-1234-1", "3-1234-2"])
  }

  @Test func theSubjectIsTheThingAsOtherCommandsNameIt() {
    #expect(commit.events.map(\.subject) == ["shard/orders/1", "config/a@node:n1", "cluster"])
  }

  @Test func aLineSaysItsRevisionAndThoseOfOthersDoNot() {
    let line = String(envelopes.lines(commit).split(separator: "\n")[1])
    #expect(envelopes.revision(ofLine: line) == 1234)
    #expect(CloudEvents(clusterID: "00ff", timeline: 4).revision(ofLine: line) == nil)
    for text in ["", "{", "{\"revision\":5}", String(line.prefix(30))] {
      #expect(envelopes.revision(ofLine: text) == nil)
    }
  }
}
