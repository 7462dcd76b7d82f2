import ArgumentParser
import Glibc
package import MusterCluster
import MusterProtocol
import MusterRendering

/// `cluster`, `tenant:T`, `collection:C`, `node:N`.
package func scopeName(_ text: String?) throws -> ScopeName {
  guard let text else { return ScopeName(.cluster) }
  guard let scope = ScopeName(text: text) else {
    throw Failure.usage("--scope is cluster, tenant:T, collection:C or node:N, not \"\(text)\"")
  }
  return scope
}

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Typed, versioned configuration.",
    discussion: "Example: muster config set cache/size 4096 --scope node:n3",
    subcommands: [Get.self, Set.self, Delete.self, List.self, History.self, Schema.self])

  struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The value that applies, and the scope that won.",
      discussion: "Example: muster config get cache/size --scope node:n3")
    @Argument(help: "The key.") var key: String
    @Option(help: "cluster, tenant:T, collection:C or node:N.") var scope: String?
    @Flag(help: "Also show a sensitive value, if its key still exists.") var reveal = false
    @Option(help: "With --data and --reveal: where the keys are (default DATA/keys).") var keys: String?
    @OptionGroup var options: ReadOptions

    func run() async throws {
      var question = ConfigsQuestion()
      question.key = key
      question.isRevealed = reveal
      question.scope = try scopeName(scope)
      question.isEffective = true
      let source = try options.place.source()
      if let keys { (source as? DataSource)?.keys = keys }
      let reply = try await source.answer(.configs(question), at: try options.moment)
      guard let config = reply.answer.configs.first else { throw Failure(.refused, "\(key) is not set") }
      let head = DocumentHead(schema: "config", reply)
      options.output.show(head, config.members) {
        config.words + (config.scope == "cluster" ? "" : "  (\(config.scope))")
          + "\n"
      }
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sets a value in a scope.",
      discussion: """
        Example: muster config set cache/size 4096
                 muster config set tls/key --value-file key.pem
        Keys below system/ are read by Muster itself, as whole numbers in the scope of the cluster:
        \(SystemSetting.all.map(\.key).joined(separator: "\n"))
        """)
    @Argument(help: "The key.") var key: String
    @Argument(help: "The value; secrets come by --value-file.") var value: String?
    @Option(help: "A file with the value, or - for standard input.") var valueFile: String?
    @Option(help: "cluster, tenant:T, collection:C or node:N.") var scope: String?
    @Option(help: "text, integer, boolean or bytes; without it what the schema says, or text.") var type: String?
    @Option(help: "Refuse unless the key is at this version.") var expectVersion: UInt64?
    @OptionGroup var options: MutationOptions

    func run() async throws {
      let scope = try scopeName(scope)
      let bytes = try content()
      let connection = try Connection(options.server)
      let value = try ConfigText.value(bytes, try await valueType(connection), key)
      try await options.run(
        .setConfig(SetConfig(key: key, scope: scope, value: value, expectedVersion: expectVersion)), on: connection)
    }

    private func content() throws -> [UInt8] {
      switch (value, valueFile) {
      case (let value?, nil): return Array(value.utf8)
      case (nil, let path?): return try ConfigText.read(path)
      default: throw Failure.usage("give the value as an argument or by --value-file, one of them")
      }
    }

    /// The type that was asked for, or the schema's, or none.
    private func valueType(_ connection: Connection) async throws -> ConfigType? {
      if let type {
        guard let known = ConfigType(name: type) else {
          throw Failure.usage("--type is text, integer, boolean or bytes, not \"\(type)\"")
        }
        return known
      }
      let reply = try await ServerSource(connection).answer(.schemas(SchemasQuestion()), at: .now)
      return reply.answer.schemas.first { $0.key == key }?.schema.type
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deletes a value from a scope; a wider scope's value applies then.",
      discussion: "Example: muster config delete cache/size --scope node:n3")
    @Argument(help: "The key.") var key: String
    @Option(help: "cluster, tenant:T, collection:C or node:N.") var scope: String?
    @OptionGroup var options: MutationOptions

    func run() async throws {
      try await options.run(.deleteConfig(DeleteConfig(key: key, scope: try scopeName(scope))))
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What is set: in one scope, or everywhere.", discussion: "Example: muster config list --scope node:n3")
    @Argument(help: "Only keys that begin with this.") var prefix: String = ""
    @Option(help: "cluster, tenant:T, collection:C or node:N; without it every scope.") var scope: String?
    @OptionGroup var options: ReadOptions

    func run() async throws {
      var question = ConfigsQuestion()
      question.scope = try scopeName(scope)
      question.isEveryScope = scope == nil
      let reply = try await options.place.source().answer(.configs(question), at: try options.moment)
      let configs = reply.answer.configs.filter { $0.key.hasPrefix(prefix) }.sorted {
        ($0.key, $0.scope) < ($1.key, $1.scope)
      }
      let head = DocumentHead(schema: "config-list", reply)
      options.output.show(head, "configs", configs.lazy.map(\.members)) {
        var table = Table(["KEY", "SCOPE", "VALUE", "VERSION", "REVISION"])
        for config in configs {
          table.add([
            config.key, config.scope, config.words, String(config.version),
            String(config.changed),
          ])
        }
        return table.text
      }
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Every commit that changed a key, newest first.",
      discussion: "Example: muster config history cache/size")
    @Argument(help: "The key.") var key: String
    @OptionGroup var options: ReadOptions

    func run() async throws {
      var request = LogRequest()
      request.filter.configKey = key
      request.to = try options.moment
      try await LogPrinter(options.output, schema: "config-history").print(request, from: try options.place.source())
    }
  }

  struct Schema: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what values a key takes, or says it.",
      discussion: "Example: muster config schema cache/size --type integer --minimum 1 --maximum 65536")
    @Argument(help: "The key.") var key: String
    @Option(help: "text, integer, boolean or bytes; with it the schema is set.") var type: String?
    @Option(help: "Of integers.") var minimum: Int64?
    @Option(help: "Of integers.") var maximum: Int64?
    @Option(help: "A text that is allowed; may be repeated.") var allow: [String] = []
    @Option(help: "For people.") var description: String = ""
    @Flag(help: "Values are sealed before they reach the log; `erase` makes them unreadable for good.") var sensitive =
      false
    @OptionGroup var options: SchemaOptions

    func run() async throws {
      guard let type else { return try await show() }
      guard let known = ConfigType(name: type) else {
        throw Failure.usage("--type is text, integer, boolean or bytes, not \"\(type)\"")
      }
      var schema = ConfigSchema()
      schema.type = known
      schema.minimum = minimum
      schema.maximum = maximum
      schema.allowed = allow
      schema.description = description
      schema.isSensitive = sensitive
      try await options.mutation.run(.setSchema(SetSchema(key: key, schema: schema)))
    }

    private func show() async throws {
      let source = try PlaceOptions.source(server: options.mutation.server, data: options.data)
      let moment = try options.at.map { try ReadOptions.moment($0) } ?? .now
      let reply = try await source.answer(.schemas(SchemasQuestion(key: key)), at: moment)
      guard let schema = reply.answer.schemas.first else { throw Failure(.refused, "\(key) has no schema") }
      let head = DocumentHead(schema: "config-schema", reply)
      options.mutation.output.show(head, schema.members) { Details.text(schema.members) }
    }
  }

  /// `schema` reads or writes: it takes the options of both.
  struct SchemaOptions: ParsableArguments {
    @OptionGroup var mutation: MutationOptions
    @Option(help: "When reading: a data directory, read in place.") var data: String?
    @Option(help: "When reading: a revision, an RFC 3339 time, or \"10m ago\".") var at: String?
  }
}

/// Values as people give them.
enum ConfigText {
  static func value(_ bytes: [UInt8], _ type: ConfigType?, _ key: String) throws -> ConfigValue {
    let text = String(validating: bytes, as: UTF8.self)
    switch type {
    case .bytes: return .bytes(bytes)
    case .integer:
      guard let text, let number = Int64(text) else { throw Failure.usage("\(key) takes an integer") }
      return .integer(number)
    case .boolean:
      guard let text, ["true", "false"].contains(text) else { throw Failure.usage("\(key) takes true or false") }
      return .boolean(text == "true")
    case .text:
      guard let text else { throw Failure.usage("\(key) takes text in UTF-8") }
      return .text(text)
    case nil:
      return text.map { .text($0) } ?? .bytes(bytes)
    }
  }

  /// A file's content, one byte more than is allowed at most, so that the refusal comes from where the limit is.
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Failure.usage("\(path) cannot be read: \(String(cString: strerror(errno)))") }
    defer { if descriptor > 0 { close(descriptor) } }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= Limits.configValueBytes {
      let got = Glibc.read(descriptor, &piece, piece.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw Failure(.refused, "\(path) cannot be read: \(String(cString: strerror(errno)))") }
      if got == 0 { break }
      bytes += piece[..<got]
    }
    guard bytes.count <= Limits.configValueBytes else {
      throw Failure(.refused, "a value has at most \(Limits.configValueBytes) bytes")
    }
    return bytes
  }
}
