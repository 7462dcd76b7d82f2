import MusterBytes
import MusterProtocol
import Testing

private typealias End = ClientEnd<String>

extension ClientEnd<String> {
  fileprivate mutating func take(_ kind: WireKind, call: UInt32 = 0, _ payload: [UInt8] = []) -> ClientAction<String> {
    payload.withUnsafeBytes { receive(FrameHead(kind, length: payload.count, call: call), $0) }
  }

  /// An end that was greeted by a server that allows so many calls.
  fileprivate static func opened(callsMax: UInt32 = 10) -> End {
    var end = End(now: 0)
    var reply = HelloReply()
    reply.version = 1
    reply.callsMax = callsMax
    _ = end.take(.helloReply, reply.encoded())
    return end
  }
}

extension ClientAction<String> {
  fileprivate var closes: ConnectionLoss? {
    if case .close(let loss) = self { loss } else { nil }
  }
}

@Suite struct ClientEndTests {
  @Test func nothingIsBegunBeforeTheGreeting() {
    var end = End(now: 0)
    #expect(throws: BeginRefusal.notOpen) { try end.begin(2, "a", now: 0) }
    #expect(!end.isOpen)
    #expect(end.take(.reply, call: 1).closes != nil)
  }

  @Test func aServerThatDoesNotGreetInTimeIsLeft() {
    var end = End(now: 0)
    guard case .nothing = end.tick(4999) else { return #expect(Bool(false), "it has time") }
    #expect(end.tick(5000).closes == .silent)
  }

  @Test func aServerThatTurnsUsAwaySaysWhy() {
    var end = End(now: 0)
    let error = RPCError(.wrongCluster, "another")
    #expect(end.take(.error, error.encoded()).closes == .refused(error))
  }

  @Test func aVersionThatWasNotOfferedIsRefused() {
    var end = End(now: 0)
    var reply = HelloReply()
    reply.version = 2
    guard case .confused = end.take(.helloReply, reply.encoded()).closes else {
      return #expect(Bool(false), "version 2 is not ours")
    }
  }

  @Test func answersFindTheirWaiters() throws {
    var end = End.opened()
    let first = try end.begin(2, "first", now: 0)
    let stream = try end.begin(6, "stream", now: 0)
    #expect(first != stream)
    guard case .item("stream") = end.take(.item, call: stream), case .item("stream") = end.take(.item, call: stream),
      case .reply("first") = end.take(.reply, call: first), case .nothing = end.take(.reply, call: first),
      case .end("stream") = end.take(.end, call: stream), case .nothing = end.take(.item, call: stream)
    else { return #expect(Bool(false), "each its own") }
    let third = try end.begin(1, "third", now: 0)
    let refusal = RPCError(.refused, "no")
    guard case .fail("third", refusal) = end.take(.error, call: third, refusal.encoded()) else {
      return #expect(Bool(false), "the error is the third's")
    }
    #expect(end.openCalls == 0)
  }

  @Test func noMoreCallsAreBegunThanTheServerAllows() throws {
    var end = End.opened(callsMax: 2)
    let first = try end.begin(2, "a", now: 0)
    _ = try end.begin(2, "b", now: 0)
    #expect(throws: BeginRefusal.tooMany) { try end.begin(2, "c", now: 0) }
    #expect(end.cancel(first) == true)
    #expect(end.cancel(first) == false)
    _ = try end.begin(2, "c", now: 0)
  }

  @Test func whatBecameOfALostCallDependsOnWhetherItLeftAndWhatItWas() throws {
    var end = End.opened()
    _ = try end.begin(Method.execute.rawValue, "command, sent", now: 0)
    _ = try end.begin(Method.read.rawValue, "question, sent", now: 0)
    end.flushed()
    _ = try end.begin(Method.execute.rawValue, "command, not sent", now: 0)
    _ = try end.begin(999, "of a newer server", now: 0)
    let lost = end.lost()
    #expect(lost.map(\.waiter) == ["command, sent", "question, sent", "command, not sent", "of a newer server"])
    #expect(lost.map(\.fate) == [.outcomeUnknown, .nothingHappened, .nothingHappened, .nothingHappened])
    #expect(throws: BeginRefusal.notOpen) { try end.begin(2, "late", now: 0) }
  }

  @Test func aDeadlineEndsACallAndLeavesTheOthers() throws {
    var end = End.opened()
    let slow = try end.begin(Method.execute.rawValue, "slow", within: 100, now: 1000)
    _ = try end.begin(Method.execute.rawValue, "patient", now: 1000)
    end.flushed()
    #expect(end.expired(1099) == nil)
    let expired = end.expired(1100)
    #expect(expired?.call == slow && expired?.waiter == "slow" && expired?.fate == .outcomeUnknown)
    #expect(end.expired(.max - 1) == nil)
    guard case .nothing = end.take(.reply, call: slow) else { return #expect(Bool(false), "it is too late") }
  }

  @Test func aServerThatStopsAnswersWhatIsOpenAndGetsNothingNew() throws {
    var end = End.opened()
    let open = try end.begin(1, "open", now: 0)
    guard case .nothing = end.take(.goAway, RPCError(.unavailable, "stops").encoded()) else {
      return #expect(Bool(false), "a call is open")
    }
    #expect(throws: BeginRefusal.notOpen) { try end.begin(1, "new", now: 0) }
    guard case .reply("open") = end.take(.reply, call: open) else { return #expect(Bool(false), "it is answered") }
  }

  @Test func aSilentServerIsAskedAndThenLeft() {
    var end = End.opened()
    end.hear(at: 1000)
    guard case .nothing = end.tick(20_999), case .ping = end.tick(21_000), case .nothing = end.tick(40_999) else {
      return #expect(Bool(false), "first it is asked")
    }
    #expect(end.tick(41_000).closes == .silent)
  }

  @Test(arguments: [WireKind.hello, .helloReply, .request, .credit, .cancel])
  func aServerThatSpeaksLikeAClientIsLeft(kind: WireKind) {
    var end = End.opened()
    guard case .confused = end.take(kind).closes else { return #expect(Bool(false), "no server says that") }
  }
}
