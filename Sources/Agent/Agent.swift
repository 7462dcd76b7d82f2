internal import MusterBytes
package import MusterClient
package import MusterCluster
internal import MusterPeers
internal import MusterProtocol

/// Why an agent stops.
package enum AgentError: Error, CustomStringConvertible {
  /// Another process joined under the name: this one must not act any more.
  case replaced(String)
  /// Somebody removed the node: it is no member any more.
  case removed(String)
  case refused(String)

  package var description: String {
    switch self {
    case .replaced(let name): "another process joined as \(name); this one stops"
    case .removed(let name):
      "\(name) was removed from the cluster; this process stops, and joins anew when it is started"
    case .refused(let problem): problem
    }
  }
}

/// Speaks for one node: joins, beats, takes assignments and reports them.
///
/// Without a host it holds no data: assignments count as opened at once, and every position is the same.
package final class Agent: Sendable {
  package let join: JoinNode
  private let client: Client
  /// Signs of life go their own way, so that nothing large stands before them.
  private let beats: Client
  /// So that neither a long stream nor a slow report keeps the other waiting.
  private let reports: Client
  /// Told what happens, in words.
  private let say: @Sendable (String) -> Void
  private let hosting: Hosting?

  package static let heartbeatMilliseconds: UInt64 = 500

  /// Another process with its name is waited for so often and so long: longer than a silent one is missed.
  private static let nameWaitsMax = 20
  private static let nameWaitMilliseconds: Int64 = 500

  package init(
    _ join: JoinNode, _ servers: ServerList, software: String, hosting: Hosting? = nil,
    say: @escaping @Sendable (String) -> Void
  ) {
    self.join = join
    self.hosting = hosting
    self.say = say
    let hello = Hello(principal: join.name, kind: .node, software: software)
    client = Client(servers, hello: hello)
    beats = Client(servers, hello: hello)
    reports = Client(servers, hello: hello)
  }

  /// Joins, then works until the task is cancelled or the node is replaced.
  ///
  /// - Parameter clock: the wall clock in microseconds, for request ids.
  package func run(clock: @escaping @Sendable () -> UInt64) async throws {
    if let hosting { try hosting.bind(try await clusterID()) }
    let reply = try await joined(clock)
    say("joined as node \(reply.node), incarnation \(reply.incarnation), at revision \(reply.commit)")
    let identity = Heartbeat(node: reply.node, incarnation: reply.incarnation)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.beat(identity) }
      if let hosting {
        let driver = HostDriver(hosting)
        group.addTask {
          try await self.follow(identity) {
            await driver.apply($0)
          } restart: {
            await driver.restart()
          }
        }
        group.addTask { try await self.tell(driver, identity, clock) }
      } else {
        group.addTask { try await self.host(identity, clock) }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func joined(_ clock: @Sendable () -> UInt64) async throws -> ExecuteReply {
    var request = Request(.joinNode(join), client: "agent.\(join.name)".prefixed, sequence: clock())
    request.reason = "the agent started"
    var isFirst = true
    var nameWaits = 0
    while true {
      do throws(ClientError) {
        return try await client.execute(request, attempts: 1) { _ in }
      } catch {
        // The process before this one may have died just now, and nobody knows yet.
        if error.isNameTaken, nameWaits < Agent.nameWaitsMax {
          if nameWaits == 0 { say("waiting in case that one is gone: \(error)") }
          nameWaits += 1
          request.sequence = max(clock(), request.sequence + 1)
          try await Task.sleep(for: .milliseconds(Agent.nameWaitMilliseconds))
          continue
        }
        guard error.isWorthRetrying else { throw AgentError.refused("cannot join: \(error)") }
        if isFirst { say("waiting for the control plane: \(error)") }
        isFirst = false
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  /// A sign of life every interval, whatever else goes on.
  private func beat(_ identity: Heartbeat) async throws {
    while true {
      do throws(ClientError) {
        let reply: HeartbeatReply = try await beats.call(.heartbeat, HeartbeatRequest([identity]))
        if reply.fenced.contains(identity.node) { throw ClientError.confused("fenced") }
      } catch {
        if case .confused("fenced") = error { throw await fenced(identity) }
      }
      try await Task.sleep(for: .milliseconds(Int64(join.heartbeatMilliseconds)))
    }
  }

  /// Why this process speaks for the node no more.
  private func fenced(_ identity: Heartbeat) async -> AgentError {
    let question = Question.nodes(NodesQuestion(name: join.name))
    do throws(ClientError) {
      let reply: ReadReply = try await reports.call(.read, ReadRequest(question), within: 2000)
      return reply.answer.nodes.contains { $0.id == identity.node } ? .replaced(join.name) : .removed(join.name)
    } catch {
      if case .rpc(let rpc) = error, rpc.code == .refused { return .removed(join.name) }
      return .replaced(join.name)
    }
  }

  /// The cluster that the servers are of.
  private func clusterID() async throws -> String {
    while true {
      do throws(ClientError) {
        return try await client.connected().server.clusterID
      } catch {
        guard error.isWorthRetrying else { throw AgentError.refused("cannot join: \(error)") }
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  /// Says of replicas without data what is asked.
  private func host(_ identity: Heartbeat, _ clock: @escaping @Sendable () -> UInt64) async throws {
    var book = AssignmentBook()
    try await follow(identity) { item in
      let (open, close) = book.apply(item)
      for assignment in open { book.opened(assignment.shard) }
      book.judgeWithoutData(item.assigned)
      try await self.tellPositions(&book, identity)
      if !open.isEmpty || !close.isEmpty { self.say("hosts \(book.assigned.count) replicas") }
      try await self.report(&book, identity, clock)
    } restart: {
      book.restart()
    }
  }

  /// Tells the control plane what became of the replicas that a host has.
  private func tell(
    _ driver: HostDriver, _ identity: Heartbeat, _ clock: @escaping @Sendable () -> UInt64
  ) async throws {
    while true {
      do throws(ClientError) {
        if let request = await driver.nextPositions(identity) {
          let _: PositionsReply = try await reports.call(.positions, request, within: 5000)
          await driver.told(request)
        }
        while let report = await driver.nextReport(identity) {
          var request = Request(.reportReplicas(report), client: "agent.\(join.name)".prefixed, sequence: clock())
          request.cause = report.cause
          _ = try await reports.execute(request, attempts: 1) { _ in }
          await driver.reported(report)
        }
      } catch {
        // What was not heard is said again.
        try await Task.sleep(for: .milliseconds(200))
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Follows the assignments, and begins again whenever the stream breaks.
  private func follow(
    _ identity: Heartbeat, _ apply: (AssignmentsItem) async throws -> Void, restart: () async -> Void
  ) async throws {
    while true {
      do {
        await restart()
        let request = AssignmentsRequest(node: identity.node, incarnation: identity.incarnation)
        try await client.stream(.assignments, request, window: 16).forEach { element in
          guard case .item(let bytes) = element else { return true }
          try await apply(try AssignmentsItem(bytes: bytes))
          return true
        }
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        if case .rpc(let rpc)? = error as? ClientError, rpc.code == .refused { throw await fenced(identity) }
        await client.close()
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  private func report(_ book: inout AssignmentBook, _ identity: Heartbeat, _ clock: @Sendable () -> UInt64) async throws
  {
    while let report = book.nextReport(node: identity.node, incarnation: identity.incarnation) {
      var request = Request(.reportReplicas(report), client: "agent.\(join.name)".prefixed, sequence: clock())
      request.cause = report.cause
      _ = try await client.execute(request, attempts: 1) { _ in }
      book.reported(report)
    }
  }

  /// Answers elections. A host without data promises every epoch, and has nothing to be ahead with.
  private func tellPositions(_ book: inout AssignmentBook, _ identity: Heartbeat) async throws {
    let waiting = book.waitingElections.prefix(PositionsRequest.positionsMax)
    guard !waiting.isEmpty else { return }
    let positions = waiting.map { ReplicaPosition(shard: $0.shard, epoch: $0.epoch) }
    let request = PositionsRequest(node: identity.node, incarnation: identity.incarnation, positions: positions)
    let _: PositionsReply = try await client.call(.positions, request)
    for position in positions { book.told(position) }
  }

  /// Says goodbye: the node is down at once, not only when it was missed.
  package func leave(_ clock: () -> UInt64) async {
    let nodes: ReadReply? = try? await client.call(.read, ReadRequest(.nodes(NodesQuestion(name: join.name))))
    guard let node = nodes?.answer.nodes.first else { return }
    let command = Command.leaveNode(LeaveNode(node: node.id, incarnation: node.incarnation))
    var request = Request(command, client: "agent.\(join.name)".prefixed, sequence: clock())
    request.reason = "the agent was stopped"
    _ = try? await client.execute(request, attempts: 1) { _ in }
  }
}

extension ClientError {
  /// Another process is the node of this name, and lives as far as the server knows.
  fileprivate var isNameTaken: Bool {
    guard case .rpc(let rpc) = self, rpc.code == .refused else { return false }
    return (try? Refusal(bytes: rpc.details))?.code == .alreadyExists
  }
}

extension String {
  /// As long as a name may be.
  fileprivate var prefixed: String { String(prefix(Limits.nameBytes)) }
}
