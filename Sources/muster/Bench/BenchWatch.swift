internal import MusterKernel

import ArgumentParser
import MusterBytes
import MusterClient
import MusterCluster
import MusterProtocol
import MusterRendering
import MusterServer
import NIOCore
import NIOPosix

extension Bench {
  struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Watchers that see every change while writers write: deliveries per second.",
      discussion: "Example: muster bench watch --clients 16 --watchers 1000 --seconds 5")
    @OptionGroup var load: LoadOptions
    @Option(help: "How many watch.") var watchers = 100

    func validate() throws {
      guard (1...3000).contains(watchers) else { throw ValidationError("1 to 3000 watchers") }
      try load.validateCommands()
    }

    func run() async throws {
      let loop = MultiThreadedEventLoopGroup.singleton.any()
      var connections: [ClientConnection] = []
      // Watchers share connections, as they do behind a proxy.
      for _ in 0..<min(watchers, 50) { connections.append(try await Load.connect(load.server, loop)) }
      let ready = connections
      let count = watchers
      let tally = try await loop.submit { NIOLoopBound(WatchTally(ready, count), eventLoop: loop) }.get()
      let run = Clock.now().wall
      let (events, bytes) = (load.eventsPerCommand, load.valueBytes)
      let (result, elapsed) = try await Load.run(load, .execute) { client, number in
        AppendLoad.request(run, client, number, events: events, bytes: bytes)
      } _: {
        AppendLoad.check($0)
      }
      let (deliveries, faults) = try await loop.submit { (tally.value.deliveries, tally.value.faults) }.get()
      for connection in connections { connection.close() }
      try result.show(
        "watch", load, elapsed: elapsed,
        [
          .init("watchers", .number(UInt64(watchers))), .init("deliveries", .number(deliveries)),
          .init("deliveriesPerSecond", .number(elapsed == 0 ? 0 : deliveries * 1_000_000 / elapsed)),
          .init("outOfOrder", .number(faults)),
        ])
      guard faults == 0 else { throw Failure(.refused, "\(faults) changes did not come in order, or were left out") }
    }
  }
}

/// Counts what watchers are sent, and whether it comes in order.
final class WatchTally {
  private(set) var deliveries: UInt64 = 0
  private(set) var faults: UInt64 = 0
  private static let window: UInt32 = 4096

  init(_ connections: [ClientConnection], _ watchers: Int) {
    for watcher in 0..<watchers { watch(connections[watcher % connections.count]) }
  }

  private func watch(_ connection: ClientConnection) {
    var last: UInt64 = 0
    var read: UInt32 = 0
    var call: UInt32 = 0
    call = connection.begin(.watch, credit: WatchTally.window, WatchRequest(.everything).encoded()) { [self] reply in
      guard case .item(let bytes) = reply, let item = try? WatchItem(bytes: bytes) else { return }
      if item.commit != nil {
        deliveries += 1
        if last != 0 && item.revision != last + 1 { faults += 1 }
        last = item.revision
      }
      read += 1
      guard read >= WatchTally.window / 2 else { return }
      connection.grantOnLoop(call, read)
      read = 0
    }
  }
}
