import MusterBytes
import MusterCluster
import MusterProtocol
import Testing

@Suite struct ServerHandshakeTests {
  @Test func aHelloIsAnsweredWithVersionClusterAndLimits() {
    var connection = ServerConnection(greeting, now: 0)
    #expect(connection.payloadMax == FrameHead.greetingMax)
    guard case .greet(let hello, let reply) = connection.take(.hello, someHello().encoded()) else {
      Issue.record("no greeting")
      return
    }
    #expect(hello == someHello())
    #expect(reply.version == 1 && reply.clusterID == "c1" && reply.timeline == 3)
    #expect(reply.callsMax == 4096 && reply.payloadMax == UInt32(FrameHead.payloadMax))
    #expect(!connection.isGreeting && connection.payloadMax == FrameHead.payloadMax)
  }

  @Test(arguments: WireKind.allCases.filter { $0 != .hello })
  func nothingComesBeforeTheHello(kind: WireKind) {
    var connection = ServerConnection(greeting, now: 0)
    #expect(connection.take(kind, call: 1).closes == .malformed)
    #expect(connection.isClosed == true)
    #expect(connection.take(.hello, someHello().encoded()).isNothing)
  }

  @Test func aHelloThatIsNotOursIsTurnedAway() {
    func answer(_ change: (inout Hello) -> Void) -> RPCErrorCode? {
      var hello = someHello()
      change(&hello)
      var connection = ServerConnection(greeting, now: 0)
      return connection.take(.hello, hello.encoded()).closes
    }
    #expect(answer { $0.magic = 0x4854_5450 } == .malformed)
    #expect(
      answer {
        $0.oldest = 2; $0.newest = 9
      } == .unsupportedVersion)
    #expect(
      answer {
        $0.oldest = 0; $0.newest = 0
      } == .unsupportedVersion)
    #expect(answer { $0.clusterID = "c2" } == .wrongCluster)
    #expect(answer { $0.principal = "" } == .permissionDenied)
    #expect(answer { $0.principal = "a\nb" } == .permissionDenied)
    #expect(answer { $0.kind = .controller } == .permissionDenied)
    #expect(
      answer {
        $0.clusterID = "c1"; $0.newest = 9
      } == nil)
  }

  @Test func garbageForAHelloIsTurnedAway() {
    let good = someHello().encoded()
    for place in 0..<good.count * 8 {
      var bytes = good
      bytes[place / 8] ^= 1 << (place % 8)
      var connection = ServerConnection(greeting, now: 0)
      switch connection.take(.hello, bytes) {
      case .greet(let hello, _):
        #expect(hello.magic == ProtocolVersion.magic && hello.oldest <= 1 && hello.newest >= 1)
        #expect(!hello.principal.isEmpty && hello.kind != .controller)
      case .close: #expect(connection.isClosed == true)
      default: Issue.record("bit \(place) led to neither a greeting nor a close")
      }
    }
  }

  @Test func theHelloHasFiveSecondsHoweverTheBytesTrickle() {
    var connection = ServerConnection(greeting, now: 1000)
    connection.hear(at: 5900)
    #expect(connection.tick(5999).isNothing)
    #expect(connection.tick(6000).closes == .deadlineExceeded)
  }
}

@Suite struct ServerConnectionTests {
  @Test func requestsComeWithTheirCreditOrDeadline() {
    var connection = ServerConnection.opened()
    guard case .request(1, 6, 50) = connection.take(.request, method: Method.watch.rawValue, call: 1, argument: 50)
    else { return #expect(Bool(false), "a stream has its credit") }
    guard case .request(2, 2, 0) = connection.take(.request, method: Method.read.rawValue, call: 2, argument: 50)
    else { return #expect(Bool(false), "another call has a deadline instead") }
    #expect(connection.openCalls == 2)
    #expect(connection.expired(49) == nil)
    #expect(connection.expired(50)?.call == 2)
    #expect(connection.answer(2) == true)
    #expect(connection.expired(1_000_000) == nil)
  }

  @Test func onlyACommandThatMissedItsDeadlineHasAnUnknownOutcome() {
    var connection = ServerConnection.opened()
    _ = connection.take(.request, method: Method.execute.rawValue, call: 1, argument: 10)
    let first = connection.expired(10)
    #expect(first?.error.code == .deadlineExceeded && first?.error.isOutcomeUnknown == true)
    _ = connection.answer(1)
    _ = connection.take(.request, method: Method.read.rawValue, call: 2, argument: 10)
    #expect(connection.expired(10)?.error.isOutcomeUnknown == false)
  }

  @Test func anUnknownMethodIsForTheKernelToRefuse() {
    var connection = ServerConnection.opened()
    guard case .request(1, 999, 0) = connection.take(.request, method: 999, call: 1) else {
      return #expect(Bool(false), "the connection survives it")
    }
  }

  @Test func callNumbersAscendAndGoRound() {
    var connection = ServerConnection.opened()
    for call: UInt32 in [1, 5, 0x7fff_ffff, 0xffff_fffe, 3] {
      guard case .request = connection.take(.request, method: 2, call: call) else {
        return #expect(Bool(false), "\(call) follows")
      }
      #expect(connection.answer(call) == true)
    }
    #expect(connection.take(.request, method: 2, call: 3).closes == .malformed)
    for bad: UInt32 in [0, 1, 0xffff_0000] {
      var other = ServerConnection.opened()
      _ = other.take(.request, method: 2, call: 1)
      #expect(other.take(.request, method: 2, call: bad).closes == .malformed)
    }
  }

  @Test func moreCallsThanAllowedFailAndTheConnectionGoesOn() {
    var connection = ServerConnection.opened()
    for call in 1...UInt32(ServerConnection.callsMax) { _ = connection.take(.request, method: 6, call: call) }
    guard case .fail(4097, let error) = connection.take(.request, method: 6, call: 4097) else {
      return #expect(Bool(false), "one too many")
    }
    #expect(error.code == .tooMany && error.retryAfterMilliseconds != nil)
    #expect(connection.answer(4097) == false)
    #expect(connection.answer(1) == true)
    guard case .request = connection.take(.request, method: 6, call: 4098) else {
      return #expect(Bool(false), "there is room again")
    }
  }

  @Test func anAnswerIsSentOnceAndNothingAfterIt() {
    var connection = ServerConnection.opened()
    _ = connection.take(.request, method: 6, call: 9)
    #expect(connection.isOpen(9) == true)
    #expect(connection.answer(9) == true)
    #expect(connection.isOpen(9) == false)
    #expect(connection.answer(9) == false)
    #expect(connection.take(.cancel, call: 9).isNothing)
    #expect(connection.take(.credit, call: 9, argument: 4).isNothing)
  }

  @Test func creditAndCancelReachOpenCalls() {
    var connection = ServerConnection.opened()
    _ = connection.take(.request, method: 6, call: 9)
    guard case .credit(9, .max) = connection.take(.credit, call: 9, argument: .max),
      case .cancel(9) = connection.take(.cancel, call: 9)
    else { return #expect(Bool(false), "the call is open") }
  }

  @Test(arguments: [WireKind.hello, .helloReply, .reply, .error, .item, .end, .goAway])
  func aClientThatSpeaksLikeAServerIsCutOff(kind: WireKind) {
    var connection = ServerConnection.opened()
    #expect(connection.take(kind).closes == .malformed)
  }

  @Test func aSilentClientIsAskedAndThenGivenUp() {
    var connection = ServerConnection.opened(at: 0)
    #expect(connection.tick(19_999).isNothing)
    guard case .ping = connection.tick(20_000) else { return #expect(Bool(false), "it is asked") }
    #expect(connection.tick(39_999).isNothing)
    connection.hear(at: 39_999)
    #expect(connection.tick(40_000).isNothing)
    // The server's own stall of a minute is not the client's silence.
    guard case .ping = connection.tick(100_000) else { return #expect(Bool(false), "it is asked first") }
    #expect(connection.tick(100_100).isNothing)
    guard case .drop = connection.tick(120_000) else { return #expect(Bool(false), "it is given up") }
    #expect(connection.isClosed == true)
  }

  @Test func aClosedConnectionLingersSoThatTheReasonCanBeRead() {
    var connection = ServerConnection.opened()
    #expect(connection.take(.reply, at: 500).closes == .malformed)
    #expect(connection.tick(1499).isNothing)
    guard case .drop = connection.tick(1500) else { return #expect(Bool(false), "it ends") }
  }
}
