internal import MusterBytes
internal import MusterCluster
internal import MusterLog
internal import MusterWorkload

enum BlockFuzz {
  static func run(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { raw in
      guard let view = try? BlockView(raw) else { return }
      _ = view.chain(after: .zero)
      _ = try? view.forEachCommit { commit, _ in
        try Commit.entities(inStored: commit) { _ in }
        _ = try Commit(bytes: commit)
        return true
      }
    }
  }
}

enum CommitFuzz {
  /// A small cluster in the middle of its life.
  static let state: State = {
    var generator = HistoryGenerator(seed: 5, scale: .init(nodes: 8, shards: 30, rarity: 12))
    for _ in 0..<400 { _ = generator.next() }
    return generator.state
  }()

  /// Applied as the next commit, whatever revision it says.
  static func run(_ bytes: [UInt8]) {
    guard var commit = try? Commit(bytes: bytes) else { return }
    commit.revision = state.revision + 1
    commit.time = max(commit.time, state.time)
    var next = state
    let isApplied = commit.encoded().withUnsafeBytes { (try? next.apply(stored: $0)) != nil }
    guard isApplied else { return }
    precondition(next.computedDigest() == next.digest, "the digest that is followed is that of the rows")
    _ = next.statusReport()
  }
}

enum ExpressionFuzz {
  static func run(_ bytes: [UInt8]) {
    guard let expression = try? Expression(String(decoding: bytes, as: UTF8.self)) else { return }
    _ = expression.holds(in: CommitFuzz.state)
  }
}
