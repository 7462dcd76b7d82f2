import MusterBytes
import MusterClient
import MusterCluster
import MusterConsistency
import MusterProtocol
import Synchronization

/// Watches over any number of connections, each from where the one before ended, and keeps what it was shown.
final class WatchKeeper: Sendable {
  let topic: WatchTopic
  private let address: String
  private let record: Mutex<WatchRecord<[EventReport]>>
  private static let retryMilliseconds: UInt64 = 10

  init(_ topic: WatchTopic, _ address: String) {
    self.topic = topic
    self.address = address
    record = Mutex(WatchRecord(from: 1))
  }

  var shown: WatchRecord<[EventReport]> { record.withLock { $0 } }

  /// Everything up to this revision was shown.
  var through: Revision {
    switch shown.items.last {
    case .commit(let revision, _), .mark(let revision): revision
    case .resumed(let from): from - 1
    case nil: 0
    }
  }

  func run() async {
    guard let servers = ServerList(address) else { return }
    let client = Client(servers, hello: Hello(principal: "torture", kind: .service, software: "torture"))
    while !Task.isCancelled {
      let from = through + 1
      if from > 1 { record.withLock { $0.items.append(.resumed(from: from)) } }
      do {
        let stream = try await client.stream(.watch, WatchRequest(topic, from: from))
        try await stream.forEach { element in
          guard case .item(let bytes) = element else { return false }
          self.take(try WatchItem(bytes: bytes))
          return !Task.isCancelled
        }
      } catch {
        await Client.sleep(milliseconds: WatchKeeper.retryMilliseconds)
      }
    }
    await client.close()
  }

  private func take(_ item: WatchItem) {
    record.withLock { record in
      if let commit = item.commit { record.items.append(.commit(revision: commit.revision, commit.events)) }
      if item.commit == nil || item.commit?.revision != item.revision {
        record.items.append(.mark(revision: item.revision))
      }
    }
  }
}
