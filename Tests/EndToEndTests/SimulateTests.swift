import Testing

extension EndToEnd {
  @Suite struct SimulateTests {
    private func simulate(_ arguments: String..., environment: [String: String] = [:]) async throws -> Finished {
      try await run(.muster, ["simulate", "--nodes", "6"] + arguments, environment: environment)
    }

    /// Dictionaries are seeded anew in every process, unless they are told not to: no order of theirs may be seen.
    @Test func theSameSeedGivesTheSameTraceInEveryProcess() async throws {
      var documents: Set<String> = []
      for environment in [[:], [:], ["SWIFT_DETERMINISTIC_HASHING": "1"]] as [[String: String]] {
        let result = try await simulate(
          "--seed", "5", "--seconds", "60", "--output", "json", environment: environment)
        #expect(result.code == 0, "\(result.error)")
        documents.insert(result.out)
      }
      #expect(documents.count == 1)
      #expect(documents.first?.contains("\"trace\"") == true)
    }

    @Test func tooFewMarksAreAFailure() async throws {
      let result = try await simulate("--seed", "5", "--seconds", "10", "--faults", "kill", "--marks", "60")
      #expect(result.code == 1)
      #expect(result.error.contains("missed: "))
    }

    @Test(arguments: [
      ["--faults", "gremlins"], ["--nodes", "0"], ["--hours", "1", "--seconds", "1"], ["--seeds", "0"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) async throws {
      let result = try await run(.muster, ["simulate"] + arguments)
      #expect(result.code == 2, "\(result.error)")
    }
  }
}
