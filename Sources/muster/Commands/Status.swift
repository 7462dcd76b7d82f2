internal import MusterProtocol

import ArgumentParser
import MusterCluster
import MusterRendering

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The cluster at a glance.", discussion: "Example: muster status --at \"10m ago\"")

  @OptionGroup var options: ReadOptions

  func run() async throws {
    let source = try options.place.source()
    let reply = try await source.answer(.status(StatusQuestion()), at: try options.moment)
    let info = try await source.info()
    guard let status = reply.answer.status else { throw Failure(.refused, "the server gave no status") }
    let head = DocumentHead(schema: "status", reply)
    let members: [JSON.Member] =
      [.init("clusterID", .text(info.clusterID)), .init("term", .number(info.term)), .init("run", .number(info.run))]
      + status.members + [.init("readOnly", .optional(info.readOnlyBecause))]
    options.output.show(head, members) {
      table(reply.revision, reply.time, info.clusterID, status, info.readOnlyBecause)
    }
  }

  private func table(
    _ revision: UInt64, _ time: UInt64, _ cluster: String, _ status: StatusReport, _ readOnly: String
  ) -> String {
    let nodes = NodeState.allCases.filter { $0 != .removed && status.nodesByState[Int($0.rawValue)] > 0 }
      .map { "\(status.nodesByState[Int($0.rawValue)]) \($0.name)" }.joined(separator: ", ")
    var text = """
      cluster      \(cluster)
      revision     \(revision)\(time == 0 ? "" : "  (\(Timestamp.format(time)))")
      digest       \(status.digest)
      nodes        \(nodes.isEmpty ? "none" : nodes)\(status.cordonedNodes > 0 ? "; \(status.cordonedNodes) cordoned" : "")
      collections  \(status.collections)
      shards       \(status.shards), \(status.availableShards) available, \(status.underReplicatedShards) under-replicated, \(status.leaderlessShards) leaderless, \(status.movingShards) moving

      """
    if status.isInMaintenance { text += "maintenance  on\n" }
    if !readOnly.isEmpty { text += "read-only    \(readOnly)\n" }
    for alarm in status.alarms { text += Terminal.yellow("alarm        \(alarm.name): \(alarm.message)") + "\n" }
    return text
  }
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "The version of this program.",
    discussion: "Example: muster version --output json")

  @OptionGroup var output: OutputOptions

  func run() {
    if output.format == .table {
      Terminal.out("muster \(Version.text)\n")
    } else {
      Terminal.out(JSON.members(["schema": .text("muster.version/1"), "version": .text(Version.text)]).line + "\n")
    }
  }
}

struct Alarm: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What wants a person.", discussion: "Example: muster alarm list", subcommands: [List.self, Clear.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The alarms that are raised.", discussion: "Example: muster alarm list --output json")
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.status(StatusQuestion()), at: try options.moment)
      let alarms = reply.answer.status?.alarms ?? []
      let head = DocumentHead(schema: "alarm-list", reply)
      options.output.show(head, "alarms", alarms.lazy.map(\.members)) {
        var table = Table(["ALARM", "SINCE", "MESSAGE"])
        for alarm in alarms { table.add([alarm.name, Timestamp.format(alarm.since), alarm.message]) }
        return table.text
      }
    }
  }

  struct Clear: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Clears an alarm.", discussion: "Example: muster alarm clear mass-failure --reason \"switch replaced\"")
    @Argument(help: "The alarm's name.") var name: String
    @OptionGroup var options: MutationOptions

    func run() async throws { try await options.run(.clearAlarm(ClearAlarm(name: name))) }
  }
}

struct Maintenance: AsyncParsableCommand {
  enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

  static let configuration = CommandConfiguration(
    abstract: "Stops all but what operators order, or lets it go on.", discussion: "Example: muster maintenance on")
  @Argument(help: "on or off") var state: Switch
  @OptionGroup var options: MutationOptions

  func run() async throws { try await options.run(.setMaintenance(SetMaintenance(isOn: state == .on))) }
}
