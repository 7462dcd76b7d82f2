import MusterLog
import Testing

@Suite struct TailVerdictTests {
  /// The whole table: 8 sights, confirmed or not, followed or not.
  @Test(arguments: FrameSight.allCases, [(false, false), (false, true), (true, false), (true, true)])
  func onlyWhatStillShowsZerosAndWasNeverConfirmedMayBeTorn(_ sight: FrameSight, _ known: (Bool, Bool)) {
    let (isConfirmed, isFollowed) = known
    let verdict = TailVerdict.of(sight, isConfirmed: isConfirmed, isFollowed: isFollowed)
    let expected: TailVerdict
    switch (sight, isConfirmed, isFollowed) {
    case (.whole, _, _): expected = .goOn
    case (.blank, false, _): expected = .end
    case (.headMissing, false, false), (.bodyMissing, false, false): expected = .torn
    default: expected = .corrupt
    }
    #expect(verdict == expected)
  }
}
