import MusterBytes
import MusterCluster
import MusterRendering
import Testing

/// The fields that scripts read, in the order they are promised.
@Suite struct DocumentTests {
  private func text(_ members: [JSON.Member]) -> String { JSON.object(members).line }

  @Test func aNode() {
    var node = NodeReport()
    node.name = "n1"
    node.id = 3
    node.state = .up
    node.isCordoned = true
    node.incarnation = 2
    node.domain = "eu/a/r1"
    node.labels = [Label("disk", "ssd")]
    node.capacity = [Amount("disk", 1 << 40), Amount("cpu", 8)]
    node.used = [Amount("disk", 1 << 30)]
    node.address = "10.0.0.1:9000"
    node.replicas = 4
    node.leaders = 1
    node.since = 1_795_317_240_000_001
    #expect(
      text(node.members).hasPrefix(
        #"{"name":"n1","id":3,"state":"up","cordoned":true,"incarnation":2,"domain":"eu/a/r1","labels":{"disk":"ssd"},"#
          + #""capacity":{"disk":1099511627776,"cpu":8},"used":{"disk":1073741824},"address":"10.0.0.1:9000","#
          + #""replicas":4,"leaders":1,"since":"2026-11-22T03:14:00.000001Z""#))
  }

  @Test func aShardWithoutALeader() {
    var shard = ShardReport()
    shard.collection = "orders"
    shard.index = 17
    shard.epoch = 3
    var replica = ReplicaReport()
    replica.node = "n2"
    replica.role = .follower
    replica.isInSync = true
    shard.replicas = [replica]
    let line = text(shard.members)
    #expect(line.hasPrefix(#"{"shard":"orders/17","#))
    #expect(line.contains(#""epoch":3,"leader":null,"replicas":[{"node":"n2","role":"follower","inSync":true,"#))
    #expect(line.contains(#""moving":null"#))
  }

  @Test func aCommit() {
    var commit = CommitReport()
    commit.revision = 9
    commit.time = 1_000_000
    commit.wallTime = 2_000_000
    commit.principal = "ada"
    commit.requestID = "job:7"
    commit.cause = 8
    commit.reason = Reason(.request, text: "the shop opens")
    commit.events = [EventReport("ConfigSet", [FieldReport("key", .text("a")), FieldReport("value", .bytes([0xff]))])]
    let line = text(commit.members)
    #expect(
      line.hasPrefix(
        #"{"revision":9,"time":"1970-01-01T00:00:01.000000Z","wallTime":"1970-01-01T00:00:02.000000Z","principal":"ada","#
      ))
    #expect(line.contains(#""requestID":"job:7","cause":8,"reason":"the shop opens""#))
    #expect(line.hasSuffix(#""events":[{"type":"ConfigSet","key":"a","value":{"base64":"/w=="}}]}"#))
  }

  @Test func aStatus() {
    var status = StatusReport()
    status.digest = "00ff"
    status.nodesByState = NodeState.allCases.map { $0 == .up ? 5 : $0 == .down ? 1 : 0 }
    (status.shards, status.availableShards, status.underReplicatedShards) = (12, 11, 2)
    (status.leaderlessShards, status.movingShards) = (1, 3)
    let line = text(status.members)
    #expect(line.hasPrefix(#"{"digest":"00ff","nodes":{"#))
    #expect(line.contains(#""up":5,"suspect":0,"down":1"#))
    #expect(
      line.contains(#""shards":{"total":12,"available":11,"underReplicated":2,"leaderless":1,"moving":3"#))
    #expect(line.contains(#""alarms":[]"#))
  }

  @Test func aCommitAsRowsOfCommaSeparatedValues() {
    var commit = CommitReport()
    commit.revision = 9
    commit.principal = "ada"
    commit.reason = Reason(.request, text: "say \"no\", then go")
    commit.events = [EventReport("NodeRemoved", [FieldReport("node", .text("n1"))]), EventReport("Other", [])]
    let rows = CSV.rows(commit).split(separator: "\r\n")
    #expect(rows.count == 2)
    #expect(rows[0].contains(#","say ""no"", then go","#))
    #expect(rows[0].hasSuffix(#",NodeRemoved,"{""node"":""n1""}""#))
    #expect(rows[1].hasSuffix(",Other,{}"))
  }
}

@Suite struct DecimalTests {
  @Test(arguments: [
    (UInt64(0), "0"), (5_000_000, "5"), (5_003_210, "5.00321"), (1, "0.000001"), (.max, "18446744073709.551615"),
  ])
  func secondsAreExact(_ microseconds: UInt64, _ text: String) {
    #expect(JSON.seconds(microseconds).line == text)
  }

  @Test(arguments: [
    (UInt64(63), UInt64(2), "31.5"), (1, 3, "0.33"), (5, 0, "null"), (.max, 1, "18446744073709551615"), (0, 7, "0"),
  ])
  func ratiosHaveTwoPlaces(_ dividend: UInt64, _ divisor: UInt64, _ text: String) {
    #expect(JSON.ratio(dividend, divisor).line == text)
  }

  @Test func aListThatWasWrittenIsTheSameList() {
    var list = WrittenList()
    #expect(JSON.written(list).line == "[]")
    list.append(.number(1))
    list.append(.text("a"))
    #expect(JSON.written(list).line == JSON.list([.number(1), .text("a")]).line)
  }
}
