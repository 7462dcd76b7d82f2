import ArgumentParser
import Glibc

@main
struct Muster: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "muster",
    abstract: "The cluster manager that never forgets.",
    discussion: """
      Example:
        muster serve --data /var/lib/muster
        muster collection create orders --shards 12 --replicas 3 --spread zone
        muster log --limit 5
      """,
    version: "muster \(Version.text)",
    groupedSubcommands: [
      CommandGroup(
        name: "Running:", subcommands: [Serve.self, AgentCommand.self, Status.self, Alarm.self, VersionCommand.self]),
      CommandGroup(
        name: "The cluster:",
        subcommands: [
          NodeCommand.self, CollectionCommand.self, ShardCommand.self, Route.self, Explain.self, Plan.self,
          Rebalance.self, Move.self, Lead.self, Recover.self, Maintenance.self, ConfigCommand.self, TenantCommand.self,
          WatchCommand.self,
        ]),
      CommandGroup(
        name: "The past:",
        subcommands: [
          Log.self, Show.self, Diff.self, Blame.self, Why.self, Bisect.self, Check.self, Export.self, Erase.self,
          CheckpointCommand.self, Prove.self, CheckProof.self, Retention.self,
        ]),
      CommandGroup(
        name: "The data directory:",
        subcommands: [Verify.self, Inspect.self, Backup.self, Restore.self, Repair.self]),
      CommandGroup(name: "Measuring:", subcommands: [Bench.self, Simulate.self]),
    ])

  /// Runs the command and ends with the exit code that the contract says.
  static func main() async {
    // A reader or a server that goes away must not end this process by a signal.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error where Muster.exitCode(for: error) == .validationFailure {
      Terminal.error(Muster.fullMessage(for: error) + "\n")
      Glibc.exit(Failure.Code.usage.rawValue)
    } catch let error where Muster.isHelp(error) {
      Terminal.out(Muster.fullMessage(for: error) + "\n")
      Glibc.exit(0)
    } catch {
      let failure = Failure(error)
      Terminal.error("muster: \(failure.message)\n")
      Glibc.exit(failure.code.rawValue)
    }
    Glibc.exit(0)
  }

  private static func isHelp(_ error: any Error) -> Bool {
    Muster.exitCode(for: error) == .success && !Muster.fullMessage(for: error).isEmpty
  }
}
