package import MusterBytes
package import MusterCluster
internal import MusterRendering

/// Writes commits as lines of JSON, the same bytes as `CommitReport.json`, straight from what is stored: texts are looked
/// up and escaped once, and no text is made for an event.
///
/// Frequent events are written here; rare ones go through their report. A test compares both for every event.
package struct CommitLineWriter: ~Copyable {
  private let names: CommitNames
  private var times = TimeWriter()

  /// - Parameters:
  ///   - names: a state at or after every commit.
  ///   - clients: of sessions that the state has forgotten.
  package init(names: State, clients: [SessionID: String] = [:]) { self.names = CommitNames(names, clients: clients) }

  /// Appends a commit and a line's end.
  package mutating func write(_ commit: Commit, to writer: inout ByteWriter) {
    writer.literal("{\"revision\":")
    writer.decimal(commit.revision)
    writer.literal(",\"time\":")
    times.write(commit.time, to: &writer)
    writer.literal(",\"wallTime\":")
    times.write(commit.wallTime, to: &writer)
    writePrincipal(commit, &writer)
    writer.literal(",\"requestID\":")
    writeRequest(commit, &writer)
    writer.literal(",\"cause\":")
    if commit.cause == 0 { writer.literal("null") } else { writer.decimal(commit.cause) }
    writeReason(commit.reason, &writer)
    writer.literal(",\"tenant\":")
    if commit.tenant == 0 { writer.literal("null") } else { names.tenants.write(commit.tenant, to: &writer) }
    writer.literal(",\"traceParent\":")
    writeOptional(commit.traceParent, &writer)
    writer.literal(",\"events\":[")
    var isFirst = true
    for event in commit.events {
      if !isFirst { writer.byte(UInt8(ascii: ",")) }
      isFirst = false
      write(event, &writer)
    }
    writer.literal("]}\n")
  }

  private func writePrincipal(_ commit: Commit, _ writer: inout ByteWriter) {
    let isKnown = commit.principal >= 1 && Int(commit.principal) <= names.principalKinds.count
    writer.literal(",\"principal\":")
    if isKnown { names.principals.write(commit.principal, to: &writer) } else { writer.literal("null") }
    let kind = isKnown ? names.principalKinds[Int(commit.principal) - 1] : .person
    writer.literal(",\"principalKind\":\"")
    writer.utf8(kind.name)
    writer.literal("\",\"assurance\":\"")
    writer.utf8(commit.assurance.name)
    writer.byte(UInt8(ascii: "\""))
  }

  private func writeRequest(_ commit: Commit, _ writer: inout ByteWriter) {
    guard commit.session != 0 else { return writer.literal("null") }
    writer.byte(UInt8(ascii: "\""))
    names.sessions.writeInner(commit.session, to: &writer)
    writer.byte(UInt8(ascii: ":"))
    writer.decimal(commit.sequence)
    writer.byte(UInt8(ascii: "\""))
  }

  private func writeReason(_ reason: Reason?, _ writer: inout ByteWriter) {
    guard let reason else {
      return writer.literal(",\"reason\":null,\"reasonKind\":\"unstated\",\"reasonArguments\":[]")
    }
    writer.literal(",\"reason\":")
    if reason.text.isEmpty, reason.kind == .unstated {
      writer.literal("null")
    } else if reason.text.isEmpty {
      writeWord(reason.kind.name, &writer)
    } else {
      JSON.text(reason.text).write(to: &writer)
    }
    writer.literal(",\"reasonKind\":")
    writeWord(reason.kind.name, &writer)
    writer.literal(",\"reasonArguments\":[")
    for (place, argument) in reason.arguments.enumerated() {
      if place > 0 { writer.byte(UInt8(ascii: ",")) }
      JSON.text(argument).write(to: &writer)
    }
    writer.byte(UInt8(ascii: "]"))
  }

  /// A text that needs no escape.
  private func writeWord(_ word: String, _ writer: inout ByteWriter) {
    writer.byte(UInt8(ascii: "\""))
    writer.utf8(word)
    writer.byte(UInt8(ascii: "\""))
  }

  private func writeOptional(_ text: String, _ writer: inout ByteWriter) {
    if text.isEmpty { writer.literal("null") } else { JSON.text(text).write(to: &writer) }
  }

  // MARK: Events

  private func write(_ event: Event, _ writer: inout ByteWriter) {
    switch event {
    case .configSet(let event): write(event, &writer)
    case .shardPlaced(let event):
      writer.literal("{\"type\":\"ShardPlaced\"")
      shard(event.shard, &writer)
      writer.literal(",\"nodes\":[")
      for (place, node) in event.nodes.enumerated() {
        if place > 0 { writer.byte(UInt8(ascii: ",")) }
        names.nodes.write(node, to: &writer)
      }
      writer.literal("]}")
    case .leaderElected(let event):
      open("{\"type\":\"LeaderElected\"", event.shard, event.node, &writer)
      epoch(event.epoch, &writer)
    case .electionStarted(let event):
      writer.literal("{\"type\":\"ElectionStarted\"")
      shard(event.shard, &writer)
      epoch(event.epoch, &writer)
    case .replicasOpened(let event): write(event, &writer)
    case .handOverRequested(let event): pair("{\"type\":\"HandOverRequested\"", event.shard, event.node, &writer)
    case .replicaRebuilding(let event): pair("{\"type\":\"ReplicaRebuilding\"", event.shard, event.node, &writer)
    case .replicaEmptied(let event): pair("{\"type\":\"ReplicaEmptied\"", event.shard, event.node, &writer)
    case .shardBegunEmpty(let event):
      open("{\"type\":\"ShardBegunEmpty\"", event.shard, event.node, &writer)
      epoch(event.epoch, &writer)
    case .replicaCaughtUp(let event): pair("{\"type\":\"ReplicaCaughtUp\"", event.shard, event.node, &writer)
    case .replicaFellBehind(let event): pair("{\"type\":\"ReplicaFellBehind\"", event.shard, event.node, &writer)
    case .replicaAdded(let event): pair("{\"type\":\"ReplicaAdded\"", event.shard, event.node, &writer)
    case .replicaPromoted(let event): pair("{\"type\":\"ReplicaPromoted\"", event.shard, event.node, &writer)
    case .replicaRemoved(let event): pair("{\"type\":\"ReplicaRemoved\"", event.shard, event.node, &writer)
    case .moveStarted(let event): write(event, &writer)
    case .moveAdvanced(let event): write(event, &writer)
    case .nodeSuspected(let event):
      silence("{\"type\":\"NodeSuspected\"", event.node, event.silentMilliseconds, &writer)
    case .nodeDeclaredDown(let event):
      silence("{\"type\":\"NodeDeclaredDown\"", event.node, event.silentMilliseconds, &writer)
    case .nodeRecovered(let event):
      writer.literal("{\"type\":\"NodeRecovered\"")
      node(",\"node\":", event.node, &writer)
      writer.byte(UInt8(ascii: "}"))
    default: names.state.report(event).json.write(to: &writer)
    }
  }

  private func write(_ event: ConfigSet, _ writer: inout ByteWriter) {
    let isPlain =
      switch event.value {
      case .text, .integer, .boolean: true
      case .bytes, .sealed: false
      }
    // Bytes, sealed values and keys that nobody knows are shown as only their report can.
    guard isPlain, names.state.configs.contains(event.config) else {
      return names.state.report(Event.configSet(event)).json.write(to: &writer)
    }
    writer.literal("{\"type\":\"ConfigSet\",\"key\":")
    names.configKeys.write(event.config, to: &writer)
    writer.literal(",\"scope\":")
    names.configScopes.write(event.config, to: &writer)
    writer.literal(",\"value\":")
    switch event.value {
    case .text(let text): JSON.text(text).write(to: &writer)
    case .integer(let number):
      if number < 0 { writer.byte(UInt8(ascii: "-")) }
      writer.decimal(number.magnitude)
    case .boolean(let flag): if flag { writer.literal("true") } else { writer.literal("false") }
    case .bytes, .sealed: break
    }
    writer.byte(UInt8(ascii: "}"))
  }

  private func write(_ event: ReplicasOpened, _ writer: inout ByteWriter) {
    writer.literal("{\"type\":\"ReplicasOpened\"")
    node(",\"node\":", event.node, &writer)
    writer.literal(",\"shards\":[")
    for (place, shard) in event.shards.enumerated() {
      if place > 0 { writer.byte(UInt8(ascii: ",")) }
      name(shard, &writer)
    }
    writer.literal("]}")
  }

  private func write(_ event: MoveStarted, _ writer: inout ByteWriter) {
    writer.literal("{\"type\":\"MoveStarted\",\"move\":")
    writer.decimal(UInt64(event.move))
    shard(event.shard, &writer)
    node(",\"from\":", event.source, &writer)
    node(",\"to\":", event.target, &writer)
    writer.literal(",\"purpose\":")
    writeWord(event.purpose.name, &writer)
    step(event.step, &writer)
  }

  private func write(_ event: MoveAdvanced, _ writer: inout ByteWriter) {
    writer.literal("{\"type\":\"MoveAdvanced\",\"move\":")
    writer.decimal(UInt64(event.move))
    shard(event.shard, &writer)
    step(event.step, isPaused: event.isPaused, &writer)
  }

  // MARK: Fields

  private func pair(_ head: StaticString, _ shard: ShardID, _ node: NodeID, _ writer: inout ByteWriter) {
    open(head, shard, node, &writer)
    writer.byte(UInt8(ascii: "}"))
  }

  private func open(_ head: StaticString, _ shard: ShardID, _ node: NodeID, _ writer: inout ByteWriter) {
    writer.literal(head)
    self.shard(shard, &writer)
    self.node(",\"node\":", node, &writer)
  }

  private func silence(_ head: StaticString, _ node: NodeID, _ milliseconds: UInt64, _ writer: inout ByteWriter) {
    writer.literal(head)
    self.node(",\"node\":", node, &writer)
    writer.literal(",\"silentMilliseconds\":")
    writer.decimal(milliseconds)
    writer.byte(UInt8(ascii: "}"))
  }

  private func node(_ head: StaticString, _ id: NodeID, _ writer: inout ByteWriter) {
    writer.literal(head)
    if id == 0 { writer.literal("null") } else { names.nodes.write(id, to: &writer) }
  }

  private func shard(_ id: ShardID, _ writer: inout ByteWriter) {
    writer.literal(",\"shard\":")
    name(id, &writer)
  }

  /// `"orders/17"`
  private func name(_ id: ShardID, _ writer: inout ByteWriter) {
    writer.byte(UInt8(ascii: "\""))
    if names.state.shards.contains(id) {
      let row = names.state.shards[id]
      names.collections.writeInner(row.collection, to: &writer)
      writer.byte(UInt8(ascii: "/"))
      writer.decimal(UInt64(row.index))
    } else {
      writer.byte(UInt8(ascii: "#"))
      writer.decimal(UInt64(id))
    }
    writer.byte(UInt8(ascii: "\""))
  }

  private func epoch(_ epoch: UInt32, _ writer: inout ByteWriter) {
    writer.literal(",\"epoch\":")
    writer.decimal(UInt64(epoch))
    writer.byte(UInt8(ascii: "}"))
  }

  private func step(_ step: MoveStep, isPaused: Bool = false, _ writer: inout ByteWriter) {
    writer.literal(",\"step\":")
    writeWord(step.name, &writer)
    if isPaused { writer.literal(",\"paused\":true") }
    writer.byte(UInt8(ascii: "}"))
  }
}
