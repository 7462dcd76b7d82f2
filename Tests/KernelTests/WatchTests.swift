import MusterBytes
import MusterCluster
import MusterKernel
import MusterLog
import MusterProtocol
import Testing

/// A kernel whose disk is done at once.
private final class Bench {
  let kernel: Kernel
  private var sequence: UInt64 = 0
  private var calls: UInt32 = 100
  private let now = Now(wall: 1_000_000, monotonic: 1)

  init() {
    let origin = BlockOrigin(timeline: 1, term: 1, run: 1)
    kernel = Kernel(State(), identity: Identity(clusterID: "c", version: "1", origin: origin), after: .zero)
  }

  private func receive(_ call: UInt32, _ method: Method, credit: UInt32 = 0, _ request: some Message) {
    let caller = Caller(principal: "ops", kind: .person, assurance: .asserted)
    request.encoded().withUnsafeBytes {
      kernel.receive(
        CallID(connection: 1, call: call), from: caller, method: method.rawValue, credit: credit, payload: $0, now: now)
    }
  }

  func set(_ key: String, bytes: Int) {
    sequence += 1
    calls += 1
    let value = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: bytes)
    receive(calls, .execute, Request(.setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .bytes(value)))))
  }

  /// Makes what was decided durable.
  func settle() {
    while kernel.takeBlock() != nil { _ = kernel.blockDurable() }
  }

  func watch(_ call: UInt32, _ topic: WatchTopic = .everything, from: Revision, credit: UInt32) {
    receive(call, .watch, credit: credit, WatchRequest(topic, from: from))
  }

  func grant(_ call: UInt32, _ credit: UInt32) { kernel.grant(CallID(connection: 1, call: call), credit) }

  /// The revisions of the elements that a watcher is sent since the last time, and whether it is to be fed from the
  /// journal.
  func sent(to call: UInt32) throws -> (revisions: [Revision], isFromJournal: Bool) {
    var found: (revisions: [Revision], isFromJournal: Bool) = ([], false)
    for effect in kernel.effects {
      switch effect {
      case .item(let id, let range) where id.call == call:
        let item = try WatchItem(bytes: UnsafeRawBufferPointer(rebasing: kernel.outbox.bytes[range]))
        if let commit = item.commit {
          #expect(commit.revision == item.revision)
          found.revisions.append(item.revision)
        }
      case .catchUp(let id, _, _, _) where id.call == call: found.isFromJournal = true
      default: break
      }
    }
    return found
  }
}

@Suite struct WatchTests {
  @Test func aWatcherWithoutCreditIsFedFromMemoryOnceItGrantsMore() throws {
    let bench = Bench()
    bench.watch(1, from: 1, credit: 2)
    for number in 1...5 { bench.set("k\(number)", bytes: 10) }
    bench.settle()
    #expect(try bench.sent(to: 1) == ([1, 2], false))
    bench.kernel.effectsDone()
    bench.grant(1, 2)
    #expect(try bench.sent(to: 1) == ([3, 4], false))
    bench.kernel.effectsDone()
    bench.set("k6", bytes: 10)
    bench.settle()
    bench.grant(1, 10)
    #expect(try bench.sent(to: 1) == ([5, 6], false))
  }

  @Test func whatManyWatchersAreSentIsEncodedOnce() throws {
    let bench = Bench()
    for call in 1...50 as ClosedRange<UInt32> { bench.watch(call, from: 1, credit: 100) }
    bench.set("k", bytes: 1000)
    bench.settle()
    for call in 1...50 as ClosedRange<UInt32> { #expect(try bench.sent(to: call) == ([1], false)) }
    #expect(bench.kernel.outbox.count < 3000)
  }

  @Test func aTopicSkipsWhatIsNotItsOwn() throws {
    let bench = Bench()
    bench.watch(1, .members, from: 1, credit: 100)
    bench.watch(2, .config, from: 1, credit: 100)
    for number in 1...3 { bench.set("k\(number)", bytes: 10) }
    bench.settle()
    #expect(try bench.sent(to: 1) == ([], false))
    #expect(try bench.sent(to: 2) == ([1, 2, 3], false))
  }

  /// Memory is bounded: what went out of it comes from the journal.
  @Test func aWatcherThatIsFarBehindIsFedFromTheJournal() throws {
    let bench = Bench()
    for number in 1...300 {
      bench.set("k\(number % 7)", bytes: 30_000)
      bench.settle()
      bench.kernel.effectsDone()
    }
    bench.watch(1, from: 1, credit: 10)
    #expect(try bench.sent(to: 1) == ([], true))
    bench.watch(2, from: 290, credit: 100)
    #expect(try bench.sent(to: 2) == (Array(290...300), false))
    bench.watch(3, from: 301, credit: 100)
    #expect(try bench.sent(to: 3) == ([], false))
  }

  /// The journal hands over to memory without a gap or a repetition.
  @Test func whoHasCaughtUpGoesOnFromMemory() throws {
    let bench = Bench()
    for number in 1...300 {
      bench.set("k\(number % 7)", bytes: 30_000)
      bench.settle()
      bench.kernel.effectsDone()
    }
    bench.watch(1, from: 100, credit: 1000)
    // What the journal would give, up to where memory begins.
    var commits: [Commit] = []
    for revision in 100...200 as ClosedRange<Revision> {
      var commit = Commit()
      (commit.revision, commit.principal) = (revision, 1)
      commits.append(commit)
    }
    bench.kernel.effectsDone()
    bench.kernel.caughtUp(CallID(connection: 1, call: 1), commits, through: 200)
    #expect(try bench.sent(to: 1) == (Array(100...300), false))
  }
}
