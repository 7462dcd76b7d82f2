import ArgumentParser
import MusterCluster
import MusterRendering

/// Where a reading command reads, and which moment.
struct ReadOptions: ParsableArguments {
  @OptionGroup var place: PlaceOptions

  @Option(help: "A revision, an RFC 3339 time, or \"10m ago\"; without it: now.")
  var at: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try Failure.asValidation { _ = try moment }
  }

  var moment: Moment {
    get throws { try at.map { try ReadOptions.moment($0) } ?? .now }
  }

  static func moment(_ text: String) throws -> Moment {
    guard let moment = Moment(text: text) else {
      throw Failure.usage(
        "\"\(text)\" is no moment: give a revision (1234), a time (2026-11-22T03:14:00Z) or \"10m ago\"")
    }
    return moment
  }
}

/// A server, or a data directory that is read in place.
struct PlaceOptions: ParsableArguments {
  @Option(help: "HOST:PORT[,HOST:PORT…] (default 127.0.0.1:7400, or MUSTER_SERVER).")
  var server: String?

  @Option(help: "A data directory, read in place, also while a server runs on it or after it died.")
  var data: String?

  func validate() throws {
    guard data == nil || server == nil else { throw ValidationError("give --server or --data, not both") }
  }

  func source() throws -> any Source { try PlaceOptions.source(server: server, data: data) }

  static func source(server: String?, data: String?) throws -> any Source {
    guard let data else { return ServerSource(try Connection(server)) }
    guard server == nil else { throw Failure.usage("give --server or --data, not both") }
    return try DataSource(data)
  }
}
