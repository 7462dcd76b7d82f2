import Glibc
import MusterConsole
import NIOCore
import NIOPosix
import Testing

@Suite(.serialized) struct ConsoleTests {
  /// Runs `body` beside a console whose server is ready or not.
  private func console<R>(isReady: Bool = true, _ body: (Int) throws -> R) async throws -> R {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let channel = try await loop.flatSubmit {
      Console.start(
        host: "127.0.0.1", port: 0, on: loop,
        ConsolePages(
          metrics: { "up 1\n" }, healthy: { (true, "ok\n") }, ready: { (isReady, isReady ? "ready\n" : "read-only\n") }
        ))
    }.get()
    let result = try body(channel.localAddress?.port ?? 0)
    try await channel.close()
    return result
  }

  /// Sends text and reads until the other end closes.
  private func exchange(_ port: Int, _ text: String) throws -> String {
    try RawSocket(port: port).exchange(text)
  }

  private func get(_ path: String, _ method: String = "GET") -> String {
    "\(method) \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
  }

  @Test func thePagesAreServed() async throws {
    let answers = try await console { port in
      try ["/metrics", "/healthz", "/readyz", "/metrics?x=1", "/nothing"].map { try exchange(port, get($0)) }
    }
    #expect(answers[0].hasPrefix("HTTP/1.1 200") && answers[0].hasSuffix("\r\n\r\nup 1\n"))
    #expect(answers[0].contains("version=0.0.4"))
    #expect(answers[1].hasPrefix("HTTP/1.1 200") && answers[1].hasSuffix("ok\n"))
    #expect(answers[2].hasPrefix("HTTP/1.1 200") && answers[2].hasSuffix("ready\n"))
    #expect(answers[3].hasPrefix("HTTP/1.1 200"))
    #expect(answers[4].hasPrefix("HTTP/1.1 404"))
  }

  @Test func aServerThatTakesNoCommandsIsNotReady() async throws {
    let answer = try await console(isReady: false) { try exchange($0, get("/readyz")) }
    #expect(answer.hasPrefix("HTTP/1.1 503") && answer.hasSuffix("read-only\n"))
  }

  @Test func aHeadRequestHasNoBody() async throws {
    let answer = try await console { try exchange($0, get("/metrics", "HEAD")) }
    #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("content-length: 5") && answer.hasSuffix("\r\n\r\n"))
  }

  @Test func oneConnectionServesManyRequests() async throws {
    let answer = try await console { port in
      try exchange(port, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" + get("/readyz"))
    }
    #expect(answer.split(separator: "HTTP/1.1 200").count == 2)
  }

  @Test func otherMethodsAreNotAllowed() async throws {
    let answer = try await console { try exchange($0, get("/metrics", "DELETE")) }
    #expect(answer.hasPrefix("HTTP/1.1 405") && answer.contains("allow: GET, HEAD"))
  }

  @Test func tooLongHeadersAndBodiesAreRefused() async throws {
    let (long, large, garbage) = try await console { port in
      let long = String(repeating: "a", count: 200_000)
      return (
        try exchange(port, "GET / HTTP/1.1\r\nx: \(long)\r\n\r\n"),
        try exchange(port, "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n\(long)"),
        try exchange(port, "\u{1}\u{2}\u{3}\r\n\r\n")
      )
    }
    #expect(long.hasPrefix("HTTP/1.1 431") || long.isEmpty)
    #expect(large.hasPrefix("HTTP/1.1 413") || large.isEmpty)
    #expect(garbage.hasPrefix("HTTP/1.1 400"))
  }
}

@Suite struct MetricsTextTests {
  @Test func everyKindIsWrittenAsPrometheusReadsIt() {
    var text = MetricsText()
    text.counter("a_total", "All a.", 3)
    text.gauge("b", "How many b.", 0)
    text.labelled("c", "By name.", type: "gauge", label: "name", [("x\"y\\z\n", 1)])
    text.histogram("d_seconds", "Time.", bounds: ["0.1", "1"], counts: [1, 2, 3], sum: MetricsText.seconds(1_000_042))
    #expect(
      text.text == """
        # HELP a_total All a.
        # TYPE a_total counter
        a_total 3
        # HELP b How many b.
        # TYPE b gauge
        b 0
        # HELP c By name.
        # TYPE c gauge
        c{name="x\\"y\\\\z\\n"} 1
        # HELP d_seconds Time.
        # TYPE d_seconds histogram
        d_seconds_bucket{le="0.1"} 1
        d_seconds_bucket{le="1"} 3
        d_seconds_bucket{le="+Inf"} 6
        d_seconds_sum 1.000042
        d_seconds_count 6

        """)
  }
}
