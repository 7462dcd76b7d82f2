import MusterBytes
import MusterLog
import MusterSimulatedDisk
import MusterWorkload
import Testing

/// Pages by their address, as a snapshot should show them.
private typealias Pages = [PageAddress: [UInt8]]

@Suite struct SnapshotTests {
  private let disk = CrashDisk()
  private var store: SnapshotStore { SnapshotStore(disk, LogHarness.identity) }

  @discardableResult
  private func write(_ revision: UInt64, parent: UInt64 = 0, _ pages: Pages) throws -> Int {
    var manifest = SnapshotManifest()
    manifest.revision = revision
    manifest.parent = parent
    manifest.metadata = [1, 2, UInt8(truncatingIfNeeded: revision)]
    let writer = try SnapshotWriter(disk, LogHarness.identity, manifest)
    for (address, bytes) in pages.sorted(by: { $0.key < $1.key }) {
      try bytes.withUnsafeBytes { try writer.add(address, $0) }
    }
    return try writer.finish()
  }

  private func load(atOrBefore revision: UInt64) throws -> (SnapshotManifest, Pages)? {
    var pages: Pages = [:]
    var last: PageAddress?
    let manifest = try store.load(atOrBefore: revision) { address, bytes in
      let ascends = last.map { $0 < address } ?? true
      #expect(ascends)
      last = address
      pages[address] = Array(bytes)
    }
    return manifest.map { ($0, pages) }
  }

  private func randomPages(_ random: inout SeededGenerator, oneIn: Int) -> Pages {
    var pages: Pages = [:]
    for table in 1...3 as ClosedRange<UInt32> {
      for page in 0..<40 as Range<UInt32> where random.oneIn(oneIn) {
        let length = random.below(random.oneIn(5) ? 30_000 : 200)
        pages[PageAddress(table: table, page: page)] = (0..<length).map { _ in UInt8(random.below(256)) }
      }
    }
    return pages
  }

  @Test(arguments: 0..<10)
  func aGroupShowsEachPageInItsNewestForm(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var expected: [UInt64: Pages] = [:]
    var now: Pages = [:]
    for step in 0...8 as ClosedRange<UInt64> {
      let isBase = step == 0 || step == 5
      let changed = randomPages(&random, oneIn: isBase ? 2 : 20)
      now.merge(changed) { $1 }
      try write(10 + step * 10, parent: isBase ? 0 : step * 10, isBase ? now : changed)
      expected[10 + step * 10] = now
    }
    #expect(try load(atOrBefore: 9) == nil)
    for asked in 10...95 as ClosedRange<UInt64> {
      let (manifest, pages) = try #require(try load(atOrBefore: asked))
      #expect(manifest.revision == asked / 10 * 10)
      #expect(manifest.metadata == [1, 2, UInt8(manifest.revision)])
      let isAsItWas = pages == expected[manifest.revision]
      #expect(isAsItWas)
    }
  }

  @Test(arguments: 0..<5)
  func onePageIsFoundWithoutReadingTheOthers(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var now = randomPages(&random, oneIn: 1)
    let size = try write(10, now)
    let changed = randomPages(&random, oneIn: 30)
    try write(20, parent: 10, changed)
    now.merge(changed) { $1 }
    for (address, bytes) in now {
      let store = store
      let snapshot = try #require(try store.pages(atOrBefore: 25))
      #expect(snapshot.manifest.revision == 20)
      let isNewest = try snapshot.page(address) == bytes
      #expect(isNewest)
      let cost = store.cost
      #expect(cost.bytes < size && cost.pages > 0)
      _ = try snapshot.page(address)
      #expect(store.cost == cost, "a unit is read once")
    }
    let store = store
    let snapshot = try #require(try store.pages(atOrBefore: 25))
    #expect(try snapshot.page(PageAddress(table: 9, page: 0)) == nil)
    #expect(try store.pages(atOrBefore: 5) == nil)
  }

  @Test func aDeltaSaysWhichPagesItHasSoThatNoOthersAreLookedForInIt() throws {
    var random = SeededGenerator(seed: 11)
    let now = randomPages(&random, oneIn: 1)
    try write(10, now)
    for step in 2...9 as ClosedRange<UInt64> {
      try write(
        step * 10, parent: step * 10 - 10, [PageAddress(table: 2, page: 3): [9], PageAddress(table: 2, page: 30): [9]])
    }
    let store = store
    let snapshot = try #require(try store.pages(atOrBefore: 95))
    let between = PageAddress(table: 2, page: 12)
    let isOfTheBase = try snapshot.page(between) == now[between]
    #expect(isOfTheBase)
    let fromBase = store.cost
    #expect(fromBase.pages < 40, "one unit of the base, and none of the eight deltas")
    #expect(try snapshot.page(PageAddress(table: 2, page: 30)) == [9])
    #expect(store.cost.pages == fromBase.pages + 2)
  }

  @Test func aDeltaCostsWhatChanged() throws {
    var random = SeededGenerator(seed: 3)
    let base = try write(10, randomPages(&random, oneIn: 1))
    let delta = try write(20, parent: 10, [PageAddress(table: 2, page: 7): [UInt8](repeating: 5, count: 4000)])
    #expect(base > 200_000)
    #expect(delta < 1000)
  }

  @Test func aDeltaWithoutItsParentIsNotShown() throws {
    try write(10, [PageAddress(table: 1, page: 0): [1]])
    try write(20, parent: 10, [PageAddress(table: 1, page: 0): [2]])
    try store.remove(try #require(try store.list().first))
    #expect(throws: LogError.self) { try load(atOrBefore: 30) }
  }

  @Test func aSnapshotThatWasCutShortIsNotThere() throws {
    try write(10, [PageAddress(table: 1, page: 0): [1]])
    disk.diesAtOperation = disk.operationCount + 3
    #expect(throws: (any Error).self) { try write(20, [PageAddress(table: 1, page: 0): [2]]) }
    var random = SeededGenerator(seed: 1)
    disk.crash(&random)
    let (manifest, pages) = try #require(try load(atOrBefore: 30))
    #expect(manifest.revision == 10)
    #expect(pages == [PageAddress(table: 1, page: 0): [1]])
  }
}

@Suite struct VerificationTests {
  private func log(digest: SetDigest, chain: [UInt8]) throws -> CrashDisk {
    let disk = CrashDisk()
    let harness = try LogHarness.create(disk)
    try harness.append([[1], [2]])
    try harness.append([[3]])
    var manifest = SnapshotManifest()
    manifest.revision = 2
    manifest.digestLow = digest.low
    manifest.chain = chain
    _ = try SnapshotWriter(disk, LogHarness.identity, manifest).finish()
    try harness.confirm()
    return disk
  }

  private func verify(_ disk: CrashDisk) throws -> Verification {
    try Verification.run(try LogHarness.reader(disk), SnapshotStore(disk, LogHarness.identity))
  }

  @Test func aWholeLogIsCounted() throws {
    let found = try verify(try log(digest: SetDigest(), chain: []))
    #expect(found.blocks == 2)
    #expect(found.snapshots == 1)
    #expect(found.bytes > 0)
  }

  @Test func aSnapshotThatTheLogContradictsIsAFault() throws {
    #expect(throws: LogError.self) { try verify(try log(digest: SetDigest(low: 1, high: 0), chain: [])) }
    let chain = [UInt8](repeating: 1, count: 32)
    #expect(throws: LogError.self) { try verify(try log(digest: SetDigest(), chain: chain)) }
  }
}
