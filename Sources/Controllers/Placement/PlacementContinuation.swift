package import MusterCluster

/// Goes on placing collections that one commit could not place: a series of commits that share their cause.
package struct PlacementContinuation: Sendable {
  package static let name = "placement"

  /// The revision at which placing a collection was last refused.
  private var refusedAt: [CollectionID: Revision] = [:]
  /// Collections below this number are known to be placed or gone.
  private var settledBelow: CollectionID = 1

  package init() {}

  package mutating func tick(state: State) -> [Proposal] {
    var proposals: [Proposal] = []
    var id = settledBelow
    var isSettled = true
    while let row = state.collections.row(id) {
      if row.state == .creating {
        isSettled = false
        if refusedAt[id] == nil || refusedAt[id] != state.revision { proposals.append(proposal(id, row)) }
      } else if isSettled {
        settledBelow = id + 1
      }
      id += 1
    }
    return proposals
  }

  private func proposal(_ id: CollectionID, _ row: CollectionRow) -> Proposal {
    let reason = Reason(
      .placementContinued,
      arguments: ["collection=\(row.name)", "placed=\(row.placedCount)", "shards=\(row.shardCount)"])
    return Proposal(
      controller: PlacementContinuation.name, command: .placeShards(PlaceShards(collection: id)), reason: reason,
      cause: row.created)
  }

  /// Collections of which the next shards were refused a place, in the order of their numbers.
  func stuck(_ state: State) -> [CollectionID] {
    refusedAt.keys.filter { state.collections.row($0)?.state == .creating }.sorted()
  }

  mutating func refused(_ proposal: Proposal, at revision: Revision) {
    guard case .placeShards(let command) = proposal.command else { return }
    refusedAt[command.collection] = revision
  }
}
