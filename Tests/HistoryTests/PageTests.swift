import MusterBytes
import MusterCluster
import MusterLog
import MusterWorkload
import Testing

@Suite struct PageTests {
  private struct Page {
    var table: UInt32
    var number: UInt32
    var bytes: [UInt8]
  }

  private func pages(_ state: State, since older: State? = nil) throws -> [Page] {
    var found: [Page] = []
    try state.forEachPage(changedSince: older) { table, number, bytes in
      found.append(Page(table: table.rawValue, number: number, bytes: Array(bytes)))
    }
    return found
  }

  private func load(_ pages: [Page], _ original: State) throws -> State {
    var state = State.empty()
    for page in pages {
      try page.bytes.withUnsafeBytes { bytes throws in
        try state.addPage(table: page.table, page: page.number, bytes)
      }
    }
    try state.finishPages(revision: original.revision, time: original.time)
    state.resumeDigest()
    return state
  }

  private static func state(_ commits: Int, shards: Int = 2000) -> State {
    var generator = HistoryGenerator(seed: 61, scale: .init(nodes: 20, shards: shards, rarity: 12))
    for _ in 0..<commits { _ = generator.next() }
    return generator.state
  }

  @Test func aStateIsWhatItsPagesSay() throws {
    let state = PageTests.state(2000)
    try expectSame(try load(try pages(state), state), state)
    try expectSame(try load(try pages(State()), State()), State())
  }

  @Test func pagesComeInAscendingOrder() throws {
    let addresses = try pages(PageTests.state(500)).map { PageAddress(table: $0.table, page: $0.number) }
    #expect(addresses == addresses.sorted())
    #expect(addresses.count > 40)
  }

  @Test func whatDidNotChangeIsNotWrittenAgain() throws {
    var generator = HistoryGenerator(seed: 62, scale: .init(nodes: 12, shards: 5000))
    for _ in 0..<4000 { _ = generator.next() }
    let whole = try pages(generator.state).reduce(0) { $0 + $1.bytes.count }
    for _ in 0..<50 {
      let before = generator.state
      let commit = generator.next()
      guard commit.events.count < 10 else { continue }
      let changed = try pages(generator.state, since: before).reduce(0) { $0 + $1.bytes.count }
      #expect(changed > 0 && changed < 40_000 && changed < whole / 4, "one change writes a few pages")
    }
    #expect(try pages(generator.state, since: generator.state).isEmpty)
  }

  @Test func pagesThatAreMissingOutOfPlaceOrOfOtherVersionsAreRefused() throws {
    let state = PageTests.state(600)
    let good = try pages(state)
    var broken: [[Page]] = []
    for place in good.indices {
      // A page in the middle of a table cannot be missed; the last of a table that others speak of neither.
      var missing = good
      missing.remove(at: place)
      let isInside = place + 1 < good.count && good[place + 1].table == good[place].table
      if isInside || good[place].table <= 3 { broken.append(missing) }
      var twice = good
      twice.insert(good[place], at: place)
      broken.append(twice)
    }
    var other = good
    other[3].table = 99
    broken.append(other)
    for pages in broken { #expect(throws: (any Error).self) { try load(pages, state) } }
  }

  @Test func damagedPagesNeverTrap() throws {
    let state = PageTests.state(400, shards: 60)
    let good = try pages(state)
    var random = SeededGenerator(seed: 63)
    var refused = 0
    for _ in 0..<3000 {
      var damaged = good
      let place = random.below(good.count)
      guard !damaged[place].bytes.isEmpty else { continue }
      for _ in 0...random.below(3) {
        let at = random.below(damaged[place].bytes.count)
        damaged[place].bytes[at] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.oneIn(4) { damaged[place].bytes.removeLast(random.below(damaged[place].bytes.count)) }
      do {
        let loaded = try load(damaged, state)
        if loaded.digest != state.digest { refused += 1 }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 2000, "most damage is seen by decoding or by the digest")
  }
}
