import ArgumentParser
import MusterCluster
import MusterProtocol
import MusterRendering

struct TenantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Owners of collections and configuration.",
    discussion: "Example: muster tenant create acme", subcommands: [Create.self, List.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a tenant.", discussion: "Example: muster tenant create acme")
    @Argument(help: "The tenant.") var name: String
    @OptionGroup var options: MutationOptions

    func run() async throws { try await options.run(.createTenant(CreateTenant(name: name))) }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The tenants, and which of their keys are destroyed.", discussion: "Example: muster tenant list")
    @OptionGroup var options: ReadOptions

    func run() async throws {
      let reply = try await options.place.source().answer(.tenants(TenantsQuestion()), at: try options.moment)
      let head = DocumentHead(schema: "tenants", timeline: reply.timeline, revision: reply.revision, time: reply.time)
      let tenants = reply.answer.tenants
      options.output.show(head, "tenants", tenants.lazy.map(\.members)) {
        var table = Table(["TENANT", "ID", "ERASED KEYS", "REVISION"])
        for tenant in tenants {
          table.add([tenant.name, String(tenant.id), String(tenant.erasedKeys), String(tenant.changed)])
        }
        return table.text
      }
    }
  }
}

struct Erase: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Destroys a tenant's key: its sensitive values are unreadable for good, everywhere.",
    discussion: """
      Example: muster erase --tenant acme --reason "contract ended"
      The log, snapshots, exports and backups keep the sealed bytes, so every proof still holds. Values that are set
      afterwards are sealed with a new key. This cannot be undone, but for copies of the key that you made yourself.
      """)
  @Option(help: "The tenant; system for what belongs to none.") var tenant: String
  @OptionGroup var options: MutationOptions

  func run() async throws {
    try await options.run(.eraseTenant(EraseTenant(tenant: tenant == "system" ? "" : tenant)))
  }
}
