internal import MusterBytes

/// Gathers which packs of a segment speak of which keys, and writes the index of it.
struct KeyIndexBuilder {
  /// Raw bytes of one unit: a question about one thing reads one of them in each segment.
  static let unitBytes = 16 * 1024

  private let keys: CommitKeys
  /// Of the pack that is being filled.
  private var present = SpokenKeys()
  /// Each key with each pack that speaks of it, packs ascending.
  private var postings: [Posting] = []
  /// A commit could not be read: then there is no index, and every pack is read.
  private var isBroken = false

  private struct Posting {
    var key: UInt64
    var pack: UInt32
  }

  init(_ keys: CommitKeys) { self.keys = keys }

  /// Notes what the commits of a block speak of.
  mutating func note(_ view: BlockView) {
    do {
      _ = try view.forEachCommit { bytes, _ in
        try keys.find(bytes) { present.meet($0) }
        return true
      }
    } catch {
      isBroken = true
    }
  }

  /// The pack that was filled has this number.
  mutating func closePack(_ number: Int) {
    for key in present.take() { postings.append(Posting(key: key, pack: UInt32(number))) }
  }

  /// Appends the units as frames and lists them.
  ///
  /// - Parameter header: of a frame of keys, without what is known only here.
  mutating func write(_ header: FrameHeader, to output: inout ByteWriter, _ index: inout SealedIndex) {
    guard !isBroken else { return }
    index.keyScheme = keys.scheme
    // The sort need not be stable: no two are equal.
    postings.sort { $0.key == $1.key ? $0.pack < $1.pack : $0.key < $1.key }
    var unit = KeyUnitWriter()
    var place = 0
    while place < postings.count {
      let key = postings[place].key
      let first = place
      while place < postings.count, postings[place].key == key { place += 1 }
      if unit.count >= KeyIndexBuilder.unitBytes { unit.close(header, to: &output, &index) }
      unit.add(key, postings[first..<place].lazy.map(\.pack))
    }
    unit.close(header, to: &output, &index)
  }
}

/// One unit of an index, as it is written: for each key how much larger it is than the one before, then for each pack
/// twice how many packs lie between it and the one before, and one more for the last.
private struct KeyUnitWriter: ~Copyable {
  private var content = ByteWriter(capacity: 2 * KeyIndexBuilder.unitBytes)
  private var first: UInt64 = 0
  private var previous: UInt64 = 0
  private var keys: UInt32 = 0

  var count: Int { content.count }

  mutating func add(_ key: UInt64, _ packs: some Collection<UInt32>) {
    if keys == 0 { (first, previous) = (key, key) }
    content.varint(key - previous)
    previous = key
    keys += 1
    var next: UInt32 = 0
    var left = packs.count
    for pack in packs {
      left -= 1
      content.varint(UInt64(pack - next) << 1 | (left == 0 ? 1 : 0))
      next = pack + 1
    }
  }

  mutating func close(_ header: FrameHeader, to output: inout ByteWriter, _ index: inout SealedIndex) {
    guard keys > 0 else { return }
    var entry = KeyUnitEntry()
    entry.offset = UInt64(output.count)
    let key = LogKey(number: first)
    entry.kind = key.kind
    entry.id = key.id
    index.keyUnits.append(entry)
    var full = header
    full.parts = keys
    Frame.append(content.bytes, full, codec: .zstandard, level: 3, to: &output)
    content.removeAll()
    keys = 0
  }
}
