internal import MusterBytes

import ArgumentParser
import MusterCluster
import MusterControllers
import MusterDisk
import MusterHistory
import MusterKernel
import MusterLog
import MusterRendering
import MusterServer
import MusterWorkload

/// What is read, by one reader, and for how long.
struct DataLoadOptions: ParsableArguments {
  @Option(help: "The data directory; it is only read.") var data: String
  @Option(help: "Readers: one, since the figure is of one core.") var clients = 1
  @Option(help: "Seconds after which nothing more is begun, up to 600.") var seconds: Int?
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard clients == 1, (1...600).contains(seconds ?? 1) else { throw ValidationError("1 client, 1 to 600 seconds") }
  }
}

extension Bench {
  struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes the history of a growing, failing, rebalanced cluster; the same for the same seed.",
      discussion: "Example: muster bench generate --events 1000000 --seed 7 --data /tmp/history")
    @Option(help: "About how many events.") var events: UInt64
    @Option(help: "Which history.") var seed: UInt64 = 1
    @Option(help: "An absent or empty directory.") var data: String
    @Option(help: "Nodes that the cluster grows to.") var nodes = 200
    @Option(help: "Shards that it grows to.") var shards = 100_000
    @Option(help: "Services whose five limits are set, for the cluster and for parts of it.") var services = 200
    @OptionGroup var output: OutputOptions

    func validate() throws {
      guard (1...200_000_000).contains(events), (6...10_000).contains(nodes), (1...2_000_000).contains(shards),
        (1...100_000).contains(services)
      else {
        throw ValidationError(
          "1 to 200 million events, 6 to 10,000 nodes, 1 to 2 million shards, 1 to 100,000 services")
      }
    }

    func run() async throws {
      let start = Clock.microseconds()
      // The identity follows from the seed, so that the files do too.
      var random = SeededGenerator(seed: seed)
      let words = [random.next(), random.next()].map { word in
        String(repeating: "0", count: 16 - String(word, radix: 16).count) + String(word, radix: 16)
      }
      let identity = LogIdentity(clusterID: words.joined(), timeline: 1)
      try Journal.create(data, identity: identity)
      var options = JournalOptions()
      options.keys = History.keys
      let journal = try Journal.open(data, options: options)
      let writer = HistoryWriter(
        journal,
        HistoryGenerator(seed: seed, scale: .init(nodes: nodes, shards: shards, services: services)))
      let written = try writer.write(events)
      let elapsed = Clock.microseconds() - start
      let stored = try Bench.storedBytes(data)
      Bench.show(
        [
          .init("schema", .text("muster.bench/1")), .init("operation", .text("generate")),
          .init("seed", .number(seed)), .init("operations", .number(written.events)),
          .init("commits", .number(written.commits)), .init("seconds", .seconds(elapsed)),
          .init("perSecond", .number(elapsed == 0 ? 0 : written.events * 1_000_000 / elapsed)),
          .init("revision", .number(written.commits)), .init("digest", .text(written.digest)),
          .init("bytesPerEvent", .ratio(stored, written.events)),
          .init("storedBytes", .number(stored)),
        ], output)
    }
  }

  struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Rebuilds the state from the whole log, without snapshots.",
      discussion: "Example: muster bench replay --data /tmp/history")
    @OptionGroup var reading: DataLoadOptions

    func run() async throws {
      let directory = try DataDirectory(reading.data)
      let log = try directory.log()
      let history = History(log, directory.snapshots, through: log.lastRevision)
      var measurement = Measurement()
      measurement.perSample = 0
      try log.forEachBlock(from: 1, through: history.last) { block in
        measurement.perSample += UInt64(block.header.eventCount)
        return true
      }
      let start = Clock.microseconds()
      var state = State()
      repeat {
        let began = Clock.microseconds()
        state = State()
        state.deferDigest()
        let digest = try history.replay(&state, through: history.last)
        measurement.record(Clock.microseconds() - began)
        state.resumeDigest()
        guard digest == nil || digest == state.digest else {
          throw Failure(.corruption, "the replayed state has digest \(state.digest.hex)")
        }
      } while Clock.microseconds() - start < UInt64(reading.seconds ?? 0) * 1_000_000
      Bench.show(
        measurement.members(
          "replay", clients: 1, elapsed: measurement.total, bytesPerEvent: try perEvent(measurement.perSample),
          [.init("revision", .number(history.last)), .init("digest", .text(state.digest.hex))]), reading.output)
    }

    private func perEvent(_ events: UInt64) throws -> JSON { .ratio(try Bench.storedBytes(reading.data), events) }
  }

  struct AsOf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "asof", abstract: "Asks for the state, or for one shard, at random revisions.",
      discussion: "Example: muster bench asof --data /tmp/history --count 100 --of shard")
    enum Subject: String, ExpressibleByArgument, CaseIterable { case state, shard }

    @OptionGroup var reading: DataLoadOptions
    @Option(help: "How many moments.") var count = 50
    @Option(help: "What is asked for: the whole state, or one shard.") var of = Subject.state
    @Option(help: "Which moments.") var seed: UInt64 = 1
    @Flag(name: .customLong("warm"), help: "Keep the directory open, as a server does; without it, each time anew.")
    var isWarm = false

    func validate() throws {
      guard (1...100_000).contains(count) else { throw ValidationError("1 to 100,000 moments") }
    }

    func run() async throws {
      let directory = try DataDirectory(reading.data)
      var random = SeededGenerator(seed: seed)
      var measurement = Measurement()
      var costs = CostSamples()
      var warm: History?
      let newest = try open(directory)
      let names = try newest.state(at: newest.last, following: .core)
      let start = Clock.microseconds()
      while measurement.operations < count, Clock.microseconds() - start < UInt64(reading.seconds ?? 600) * 1_000_000 {
        let began = Clock.microseconds()
        // Opened anew each time, nothing is known from the moment before.
        let history = try (isWarm ? warm : nil) ?? open(directory)
        warm = history
        let before = history.cost
        guard history.last > 0 else { throw Failure(.refused, "the log is empty") }
        let revision = random.next() % history.last + 1
        try ask(history, at: revision, names, &random)
        measurement.record(Clock.microseconds() - began)
        costs.add(history.cost - before)
      }
      Bench.show(
        measurement.members(
          "asof", clients: 1, elapsed: measurement.total, [.init("warm", .flag(isWarm))] + costs.members),
        reading.output)
    }

    private func open(_ directory: DataDirectory) throws -> History {
      let log = try directory.log()
      return History(log, directory.snapshots, through: directory.lastRevision(log))
    }

    /// - Parameter names: what shards there are in the end.
    private func ask(
      _ history: History, at revision: UInt64, _ names: State, _ random: inout SeededGenerator
    ) throws {
      guard of == .shard else {
        let state = try history.state(at: revision)
        guard state.revision == revision else { throw Failure(.corruption, "the state is of another revision") }
        return
      }
      // By its name, as somebody would ask. Early in a history it may not be there yet.
      guard names.shards.count > 0 else { return }
      let row = names.shards[UInt32(random.below(names.shards.count)) + 1]
      let question = Question.shards(
        ShardsQuestion(collection: names.collectionName(row.collection), index: UInt64(row.index)))
      let state =
        try history.focus(on: question, at: revision) ?? history.state(at: revision, following: question.parts)
      guard let report = try? state.answer(question, PlacementAdvisor()).shards.first else { return }
      guard report.changed <= revision else { throw Failure(.corruption, "the shard is of a later revision") }
    }
  }

  /// What questions cost to read, to be sorted.
  struct CostSamples {
    private var samples: [ReadCost] = []

    mutating func add(_ cost: ReadCost) { samples.append(cost) }

    var members: [JSON.Member] {
      [member("pages") { $0.pages }, member("blocks") { $0.blocks }, member("bytesRead") { $0.bytes }]
    }

    private func member(_ name: String, _ of: (ReadCost) -> UInt64) -> JSON.Member {
      let sorted = samples.map(of).sorted()
      func at(_ percent: Int) -> JSON { .number(sorted.isEmpty ? 0 : sorted[(sorted.count - 1) * percent / 100]) }
      return .init(name, .object([.init("p50", at(50)), .init("p99", at(99)), .init("max", at(100))]))
    }
  }

  /// Bytes of frames, without the zeros that live segments wait with.
  static func storedBytes(_ data: String) throws -> UInt64 {
    try DataDirectory(data).log().segments.reduce(0) { sum, segment in
      sum + UInt64(segment.name.isSealed ? segment.fileBytes : segment.units.reduce(0) { $0 + $1.storedBytes + 128 })
    }
  }
}

/// Writes a generated history as a server would have: in blocks, with snapshots.
final class HistoryWriter {
  private let journal: Journal
  private var generator: HistoryGenerator
  private static let commitsPerBlock = 64

  init(_ journal: Journal, _ generator: HistoryGenerator) {
    self.journal = journal
    self.generator = generator
  }

  func write(_ wanted: UInt64) throws -> (events: UInt64, commits: UInt64, digest: String) {
    var builder = journal.builder()
    var events: UInt64 = 0
    var snapshots = SnapshotSeries()
    var progress = Progress("events", total: wanted)
    defer { progress.end() }
    while events < wanted {
      progress.show(events)
      var inBlock: UInt32 = 0
      let first = generator.state.revision + 1
      for _ in 0..<HistoryWriter.commitsPerBlock where events < wanted {
        let commit = generator.next()
        builder.append(commit.encoded())
        inBlock += UInt32(commit.events.count)
        events += UInt64(commit.events.count)
      }
      let block = builder.seal(
        origin: BlockOrigin(timeline: 1, term: 1, run: journal.run), firstRevision: first, time: generator.state.time,
        eventCount: inBlock, digest: generator.state.digest)
      try append(block)
      try snapshots.consider(generator.state, block.header, journal)
    }
    try journal.close()
    return (events, generator.state.revision, generator.state.digest.hex)
  }

  /// Writing is faster than segments are prepared: what finds no space waits a little.
  private func append(_ block: SealedBlock) throws {
    for _ in 0..<2000 {
      do throws(LogError) {
        return try journal.append(block)
      } catch .full {
        Pause.milliseconds(5)
      }
    }
    throw LogError.full
  }
}
