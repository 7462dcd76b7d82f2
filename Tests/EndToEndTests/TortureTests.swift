import Testing

@Suite struct TortureTests {
  /// A short round; `Tools/torture` runs longer ones. How long starts take depends on the machine, and is not looked at.
  @Test func aServerThatIsKilledAndFailedBySystemCallsLosesDoublesAndReordersNothing() async throws {
    let finished = try await run(
      .torture,
      [
        "--seconds", "6", "--clients", "4", "--pause", "20", "--faults", "3", "--stop-seconds", "1", "--restart-limit",
        "0", "--consistency-seconds", "5", "--clock-seconds", "6",
      ]
        + ["--disk-megabytes", "0"], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"])
    #expect(finished.code == 0, "\(finished.out)\n\(finished.error)")
    #expect(finished.out.contains("Zero lost, zero duplicated, zero reordered."))
    #expect(finished.out.contains("linearizable, key by key and as one log"))
    #expect(finished.out.contains("wall clock went back"))
  }
}
