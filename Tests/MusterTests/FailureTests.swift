import MusterClient
import MusterCluster
import MusterDisk
import MusterHistory
import MusterLog
import MusterProtocol
import Testing

import muster

@Suite struct FailureTests {
  private static let fault = Fault(file: "log/1.live", offset: 4096, problem: "a checksum is wrong")
  private static let denied = StorageError(operation: "open", path: "log", code: 13, message: "Permission denied")

  @Test(
    arguments: [
      (ClientError.notReachable("x"), Failure.Code.notReachable), (ClientError.outcomeUnknown("x"), .outcomeUnknown),
      (ClientError.confused("x"), .refused), (ClientError.rpc(RPCError(.refused, "x")), .refused),
      (ClientError.rpc(RPCError(.readOnly, "x")), .refused),
      (ClientError.rpc(RPCError(.permissionDenied, "x")), .notPermitted),
      (ClientError.rpc(RPCError(.corruption, "x")), .corruption),
      (ClientError.rpc(RPCError(.deadlineExceeded, "x", isOutcomeUnknown: true)), .outcomeUnknown),
      (LogError.corrupt(fault), .corruption), (LogError.absent, .refused), (LogError.storage(denied), .notPermitted),
      (JournalError.log(.corrupt(fault), directory: "d"), .corruption), (JournalError.locked("d"), .refused),
      (JournalError.log(.storage(denied), directory: "d"), .notPermitted),
      (HistoryError.log(.corrupt(fault)), .corruption), (HistoryError.divergence(7, "x"), .corruption),
      (HistoryError.future(asked: "9", newest: 3), .refused), (Refusal(.notFound, "x"), .refused),
    ] as [(any Error, Failure.Code)])
  func everyErrorHasItsExitCode(_ error: any Error, _ code: Failure.Code) {
    let failure = Failure(error)
    #expect(failure.code == code)
    #expect(!failure.message.isEmpty)
  }

  @Test func aCorruptFileIsNamedWithTheOffset() {
    let message = Failure(LogError.corrupt(FailureTests.fault)).message
    #expect(message.contains("log/1.live") && message.contains("4096"))
  }
}

@Suite struct ArgumentTests {
  @Test(arguments: [
    ("cluster", ScopeName(.cluster)), ("tenant:acme", ScopeName(.tenant, "acme")),
    ("collection:orders", ScopeName(.collection, "orders")), ("node:n3", ScopeName(.node, "n3")),
  ])
  func scopesAreRead(_ text: String, _ expected: ScopeName) throws {
    #expect(try scopeName(text) == expected)
  }

  @Test(arguments: ["", "node", "node:", "planet:x"])
  func whatIsNoScopeIsAUsageError(_ text: String) {
    #expect(throws: Failure.self) { try scopeName(text) }
  }

  @Test func shardsAreNamedByCollectionAndNumber() throws {
    let name = try ShardName("orders/17")
    #expect(name.collection == "orders" && name.index == 17)
    for text in ["orders", "/1", "orders/", "orders/-1", "a/b/1", "orders/99999999999999999999"] {
      #expect(throws: Failure.self) { try ShardName(text) }
    }
  }

  @Test func progressSaysDoneRateAndTimeLeft() {
    #expect(
      Progress.line("revisions", 1200, of: 5000, elapsed: 2_000_000) == "1200 of 5000 revisions, 600/s, 6 s left")
    #expect(Progress.line("commits", 10, of: 0, elapsed: 0) == "10 commits, 0/s")
  }
}
