import MusterCluster
import MusterHistory
import Testing

/// Reasons in words, of new commits and of those that older versions wrote.
@Suite struct ReasonPhraseTests {
  @Test func olderElectionsAreReadAsNewOnes() throws {
    let old = Reason(.election, arguments: ["7/0: n1 of n1 4294967296/66, n3 4294967298/60", "7/1: n2 of n2 0/0"])
    #expect(
      old.phrase
        == "the replicas promised the new epoch and said how far they are (7/0: n1 of n1 (epoch 1, at 66), "
        + "n3 (epoch 1.2, at 60); 7/1: n2 of n2 (epoch 0, at 0))")
  }

  @Test func newElectionsAreToldAsTheyStand() throws {
    let words = "7/0: n1, the farthest, of n1 (epoch 1, at 66), n3 (epoch 1, at 60)"
    let new = Reason(.uncleanElection, arguments: [words])
    #expect(new.phrase?.hasSuffix(" (\(words))") == true)
  }
}
