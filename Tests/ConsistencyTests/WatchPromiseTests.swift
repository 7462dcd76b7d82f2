import MusterConsistency
import Testing

@Suite struct WatchPromiseTests {
  private let log: [(revision: UInt64, content: String)] = [(2, "a"), (3, "b"), (5, "c"), (8, "d")]

  private func broken(_ items: [WatchRecord<String>.Item], from: UInt64 = 3, through end: UInt64 = 8) -> BrokenWatch? {
    var record = WatchRecord<String>(from: from)
    record.items = items
    do {
      try record.check(against: log, through: end)
      return nil
    } catch {
      return error
    }
  }

  @Test func whatIsShownOnceInOrderAndWholeKeepsThePromises() {
    #expect(broken([.commit(revision: 3, "b"), .commit(revision: 5, "c"), .commit(revision: 8, "d")]) == nil)
    #expect(
      broken([
        .mark(revision: 2), .commit(revision: 3, "b"), .mark(revision: 4), .resumed(from: 5), .commit(revision: 5, "c"),
        .mark(revision: 7), .resumed(from: 8), .commit(revision: 8, "d"), .mark(revision: 9),
      ]) == nil)
    #expect(broken([.commit(revision: 3, "b")], through: 4) == nil, "what comes later may come later")
  }

  @Test func eachPromiseThatIsBrokenIsNamed() {
    let (b, c, d) = (
      WatchRecord.Item.commit(revision: 3, "b"), WatchRecord.Item.commit(revision: 5, "c"),
      WatchRecord.Item.commit(revision: 8, "d")
    )
    #expect(broken([b, c]) == BrokenWatch(promise: .reliable, revision: 8))
    #expect(broken([b, d]) == BrokenWatch(promise: .reliable, revision: 5))
    #expect(broken([b, b, c, d]) == BrokenWatch(promise: .unique, revision: 3))
    #expect(broken([b, c, b, d]) == BrokenWatch(promise: .ordered, revision: 3))
    #expect(broken([b, .commit(revision: 5, "other"), d]) == BrokenWatch(promise: .atomic, revision: 5))
    #expect(broken([b, .commit(revision: 4, "none"), c, d]) == BrokenWatch(promise: .atomic, revision: 4))
    #expect(broken([b, .mark(revision: 6), c, d]) == BrokenWatch(promise: .bookmarkable, revision: 5))
    #expect(broken([b, .resumed(from: 6), d]) == BrokenWatch(promise: .resumable, revision: 6))
    #expect(broken([.commit(revision: 2, "a"), b, c, d]) == BrokenWatch(promise: .unique, revision: 2))
  }
}
