internal import MusterCluster

struct BlamedCollection: BlameSubject {
  static let events: Set<String> = [
    "CollectionCreated", "CollectionChanged", "CollectionDeleted", "ShardPlaced",
    "SplitStarted", "SplitAdvanced", "ShardSplit", "ShardPruned", "ShardCountWanted", "MergeStarted", "MergeAdvanced",
    "ShardsMerged",
  ]

  private let id: CollectionID
  private let row: CollectionRow

  init(_ id: CollectionID, _ state: State) {
    self.id = id
    row = state.collections[id]
  }

  var changed: Revision { row.changed }

  var fields: [PresentField] {
    [
      PresentField("state", .text(row.state.name)), PresentField("shards", .number(UInt64(row.owningCount))),
      PresentField("wantedShards", row.wantedShards == 0 ? .nothing : .number(UInt64(row.wantedShards))),
    ] + BlamedCollection.rules(row.policy, row.labels)
  }

  private static func rules(_ policy: Policy, _ labels: [Label]) -> [PresentField] {
    policy.fieldReports.map { PresentField($0.name, $0.value) }
      + [PresentField("labels", .texts(labels.map { "\($0.name)=\($0.value)" }))]
  }

  func follow(_ event: Event, _ tracks: inout FieldTracks) -> Bool {
    switch event {
    case .collectionCreated(let event) where event.collection == id:
      tracks.write("state", .text(CollectionState.creating.name), isBirth: true)
      tracks.write("shards", .number(UInt64(event.shardCount)), isBirth: true)
      tracks.write("wantedShards", .nothing, isBirth: true)
      for field in BlamedCollection.rules(event.policy, event.labels) {
        tracks.write(field.name, field.followed, isBirth: true)
      }
      return true
    case .collectionChanged(let event) where event.collection == id:
      for field in BlamedCollection.rules(event.policy, event.labels) { tracks.write(field.name, field.followed) }
    case .shardSplit(let event) where event.collection == id: tracks.write("shards", .number(UInt64(event.shards)))
    case .shardsMerged(let event) where event.collection == id: tracks.write("shards", .number(UInt64(event.shards)))
    case .shardCountWanted(let event) where event.collection == id:
      tracks.write("wantedShards", event.shards == 0 ? .nothing : .number(UInt64(event.shards)))
    case .collectionDeleted(let event) where event.collection == id:
      tracks.write("state", .text(CollectionState.deleted.name))
    case .shardPlaced(let event) where event.shard == row.firstShard + row.shardCount - 1:
      // Shards are placed in their order: with the last one the collection is whole.
      tracks.write("state", .text(CollectionState.active.name))
    default: break
    }
    return false
  }
}
