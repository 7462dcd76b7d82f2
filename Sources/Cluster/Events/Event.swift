package import MusterBytes

/// One fact that happened.
///
/// On the wire: a message with exactly one field, whose number says which event it is. Numbers are never reused, and
/// what an event means is frozen: a new meaning is a new event, used from a logged feature level on.
///
/// Large and rare facts are boxed (`indirect`), so that an event takes 24 bytes and not 120: replay moves millions.
package enum Event: Message, Hashable {
  case configSet(ConfigSet)
  case shardPlaced(ShardPlaced)
  case leaderElected(LeaderElected)
  case replicasOpened(ReplicasOpened)
  case replicaCaughtUp(ReplicaCaughtUp)
  case replicaFellBehind(ReplicaFellBehind)
  case replicaAdded(ReplicaAdded)
  case replicaPromoted(ReplicaPromoted)
  case replicaRemoved(ReplicaRemoved)
  case moveStarted(MoveStarted)
  case moveAdvanced(MoveAdvanced)
  case nodeSuspected(NodeSuspected)
  case nodeRecovered(NodeRecovered)
  case nodeDeclaredDown(NodeDeclaredDown)
  indirect case nodeJoined(NodeJoined)
  indirect case nodeRestarted(NodeRestarted)
  case nodeLeft(NodeLeft)
  case nodeCordoned(NodeCordoned)
  case nodeUncordoned(NodeUncordoned)
  case nodeDrainRequested(NodeDrainRequested)
  case nodeDrainCancelled(NodeDrainCancelled)
  case nodeDrained(NodeDrained)
  case nodeRemoved(NodeRemoved)
  case maintenanceChanged(MaintenanceChanged)
  case electionStarted(ElectionStarted)
  case handOverRequested(HandOverRequested)
  case replicaRebuilding(ReplicaRebuilding)
  case replicaEmptied(ReplicaEmptied)
  case shardBegunEmpty(ShardBegunEmpty)
  case minimumHeld(MinimumHeld)
  case balancingChanged(BalancingChanged)
  indirect case collectionCreated(CollectionCreated)
  indirect case collectionChanged(CollectionChanged)
  case collectionDeleted(CollectionDeleted)
  indirect case splitStarted(SplitStarted)
  indirect case splitAdvanced(SplitAdvanced)
  indirect case shardSplit(ShardSplit)
  case shardPruned(ShardPruned)
  case shardCountWanted(ShardCountWanted)
  indirect case mergeStarted(MergeStarted)
  indirect case mergeAdvanced(MergeAdvanced)
  indirect case shardsMerged(ShardsMerged)
  indirect case configKeyAdded(ConfigKeyAdded)
  case configDeleted(ConfigDeleted)
  indirect case schemaSet(SchemaSet)
  case tenantKeyErased(TenantKeyErased)
  indirect case principalSeen(PrincipalSeen)
  indirect case sessionOpened(SessionOpened)
  case sessionForgotten(SessionForgotten)
  indirect case alarmRaised(AlarmRaised)
  indirect case alarmCleared(AlarmCleared)
  indirect case tenantCreated(TenantCreated)
  indirect case timelineBegan(TimelineBegan)
  indirect case retentionChanged(RetentionChanged)
  indirect case historyCut(HistoryCut)

  /// The name that people and scripts see.
  package var name: String {
    switch self {
    case .configSet: "ConfigSet"
    case .shardPlaced: "ShardPlaced"
    case .leaderElected: "LeaderElected"
    case .replicasOpened: "ReplicasOpened"
    case .replicaCaughtUp: "ReplicaCaughtUp"
    case .replicaFellBehind: "ReplicaFellBehind"
    case .replicaAdded: "ReplicaAdded"
    case .replicaPromoted: "ReplicaPromoted"
    case .replicaRemoved: "ReplicaRemoved"
    case .moveStarted: "MoveStarted"
    case .moveAdvanced: "MoveAdvanced"
    case .nodeSuspected: "NodeSuspected"
    case .nodeRecovered: "NodeRecovered"
    case .nodeDeclaredDown: "NodeDeclaredDown"
    case .nodeJoined: "NodeJoined"
    case .nodeRestarted: "NodeRestarted"
    case .nodeLeft: "NodeLeft"
    case .nodeCordoned: "NodeCordoned"
    case .nodeUncordoned: "NodeUncordoned"
    case .nodeDrainRequested: "NodeDrainRequested"
    case .nodeDrainCancelled: "NodeDrainCancelled"
    case .nodeDrained: "NodeDrained"
    case .nodeRemoved: "NodeRemoved"
    case .maintenanceChanged: "MaintenanceChanged"
    case .electionStarted: "ElectionStarted"
    case .handOverRequested: "HandOverRequested"
    case .replicaRebuilding: "ReplicaRebuilding"
    case .replicaEmptied: "ReplicaEmptied"
    case .shardBegunEmpty: "ShardBegunEmpty"
    case .minimumHeld: "MinimumHeld"
    case .balancingChanged: "BalancingChanged"
    case .collectionCreated: "CollectionCreated"
    case .collectionChanged: "CollectionChanged"
    case .collectionDeleted: "CollectionDeleted"
    case .splitStarted: "SplitStarted"
    case .splitAdvanced: "SplitAdvanced"
    case .shardSplit: "ShardSplit"
    case .shardPruned: "ShardPruned"
    case .shardCountWanted: "ShardCountWanted"
    case .mergeStarted: "MergeStarted"
    case .mergeAdvanced: "MergeAdvanced"
    case .shardsMerged: "ShardsMerged"
    case .configKeyAdded: "ConfigKeyAdded"
    case .configDeleted: "ConfigDeleted"
    case .schemaSet: "SchemaSet"
    case .tenantKeyErased: "TenantKeyErased"
    case .principalSeen: "PrincipalSeen"
    case .sessionOpened: "SessionOpened"
    case .sessionForgotten: "SessionForgotten"
    case .alarmRaised: "AlarmRaised"
    case .alarmCleared: "AlarmCleared"
    case .tenantCreated: "TenantCreated"
    case .timelineBegan: "TimelineBegan"
    case .retentionChanged: "RetentionChanged"
    case .historyCut: "HistoryCut"
    }
  }

  /// Every name an event can have, with the field that says on the wire that it is this one.
  package static let kinds: [(name: String, number: UInt32)] = [
    ("ConfigSet", 1), ("ShardPlaced", 2), ("LeaderElected", 3), ("ReplicasOpened", 4), ("ReplicaCaughtUp", 5),
    ("ReplicaFellBehind", 6), ("ReplicaAdded", 7), ("ReplicaPromoted", 8), ("ReplicaRemoved", 9), ("MoveStarted", 10),
    ("MoveAdvanced", 11), ("NodeSuspected", 12), ("NodeRecovered", 13), ("NodeDeclaredDown", 14), ("NodeJoined", 16),
    ("NodeRestarted", 17), ("NodeLeft", 18), ("NodeCordoned", 19), ("NodeUncordoned", 20), ("NodeDrainRequested", 21),
    ("NodeDrainCancelled", 22), ("NodeDrained", 23), ("NodeRemoved", 24), ("MaintenanceChanged", 25),
    ("ElectionStarted", 15), ("BalancingChanged", 26), ("HandOverRequested", 27), ("ReplicaRebuilding", 28),
    ("MinimumHeld", 29),
    ("CollectionCreated", 32), ("CollectionChanged", 33), ("CollectionDeleted", 34), ("SplitStarted", 40),
    ("SplitAdvanced", 41), ("ShardSplit", 42), ("ShardPruned", 43), ("ShardCountWanted", 44), ("MergeStarted", 45),
    ("MergeAdvanced", 46), ("ShardsMerged", 47), ("ConfigKeyAdded", 48),
    ("ConfigDeleted", 49), ("SchemaSet", 50), ("TenantKeyErased", 51), ("ReplicaEmptied", 52), ("ShardBegunEmpty", 53),
    ("PrincipalSeen", 64),
    ("SessionOpened", 65),
    ("SessionForgotten", 66),
    ("AlarmRaised", 67), ("AlarmCleared", 68), ("TenantCreated", 69),
    ("TimelineBegan", 70), ("RetentionChanged", 71), ("HistoryCut", 72),
  ]

  package static let names = kinds.map(\.name)

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .configSet(var event): writer.message(1, &event)
    case .shardPlaced(var event): writer.message(2, &event)
    case .leaderElected(var event): writer.message(3, &event)
    case .replicasOpened(var event): writer.message(4, &event)
    case .replicaCaughtUp(var event): writer.message(5, &event)
    case .replicaFellBehind(var event): writer.message(6, &event)
    case .replicaAdded(var event): writer.message(7, &event)
    case .replicaPromoted(var event): writer.message(8, &event)
    case .replicaRemoved(var event): writer.message(9, &event)
    case .moveStarted(var event): writer.message(10, &event)
    case .moveAdvanced(var event): writer.message(11, &event)
    case .nodeSuspected(var event): writer.message(12, &event)
    case .nodeRecovered(var event): writer.message(13, &event)
    case .nodeDeclaredDown(var event): writer.message(14, &event)
    case .electionStarted(var event): writer.message(15, &event)
    case .nodeJoined(var event): writer.message(16, &event)
    case .nodeRestarted(var event): writer.message(17, &event)
    case .nodeLeft(var event): writer.message(18, &event)
    case .nodeCordoned(var event): writer.message(19, &event)
    case .nodeUncordoned(var event): writer.message(20, &event)
    case .nodeDrainRequested(var event): writer.message(21, &event)
    case .nodeDrainCancelled(var event): writer.message(22, &event)
    case .nodeDrained(var event): writer.message(23, &event)
    case .nodeRemoved(var event): writer.message(24, &event)
    case .maintenanceChanged(var event): writer.message(25, &event)
    case .balancingChanged(var event): writer.message(26, &event)
    case .handOverRequested(var event): writer.message(27, &event)
    case .replicaRebuilding(var event): writer.message(28, &event)
    case .replicaEmptied(var event): writer.message(52, &event)
    case .shardBegunEmpty(var event): writer.message(53, &event)
    case .minimumHeld(var event): writer.message(29, &event)
    case .collectionCreated(var event): writer.message(32, &event)
    case .collectionChanged(var event): writer.message(33, &event)
    case .collectionDeleted(var event): writer.message(34, &event)
    case .splitStarted(var event): writer.message(40, &event)
    case .splitAdvanced(var event): writer.message(41, &event)
    case .shardSplit(var event): writer.message(42, &event)
    case .shardPruned(var event): writer.message(43, &event)
    case .shardCountWanted(var event): writer.message(44, &event)
    case .mergeStarted(var event): writer.message(45, &event)
    case .mergeAdvanced(var event): writer.message(46, &event)
    case .shardsMerged(var event): writer.message(47, &event)
    case .configKeyAdded(var event): writer.message(48, &event)
    case .configDeleted(var event): writer.message(49, &event)
    case .schemaSet(var event): writer.message(50, &event)
    case .tenantKeyErased(var event): writer.message(51, &event)
    case .principalSeen(var event): writer.message(64, &event)
    case .sessionOpened(var event): writer.message(65, &event)
    case .sessionForgotten(var event): writer.message(66, &event)
    case .alarmRaised(var event): writer.message(67, &event)
    case .alarmCleared(var event): writer.message(68, &event)
    case .tenantCreated(var event): writer.message(69, &event)
    case .timelineBegan(var event): writer.message(70, &event)
    case .retentionChanged(var event): writer.message(71, &event)
    case .historyCut(var event): writer.message(72, &event)
    }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else { throw .noAlternative }
    guard next.type == WireType.delimited else { throw .wireType(field: next.field) }
    _ = try reader.varint()
    var inner = try reader.nested()
    switch next.field {
    case 1: self = .configSet(try ConfigSet(from: &inner))
    case 2: self = .shardPlaced(try ShardPlaced(from: &inner))
    case 3: self = .leaderElected(try LeaderElected(from: &inner))
    case 4: self = .replicasOpened(try ReplicasOpened(from: &inner))
    case 5: self = .replicaCaughtUp(try ReplicaCaughtUp(from: &inner))
    case 6: self = .replicaFellBehind(try ReplicaFellBehind(from: &inner))
    case 7: self = .replicaAdded(try ReplicaAdded(from: &inner))
    case 8: self = .replicaPromoted(try ReplicaPromoted(from: &inner))
    case 9: self = .replicaRemoved(try ReplicaRemoved(from: &inner))
    case 10: self = .moveStarted(try MoveStarted(from: &inner))
    case 11: self = .moveAdvanced(try MoveAdvanced(from: &inner))
    case 12: self = .nodeSuspected(try NodeSuspected(from: &inner))
    case 13: self = .nodeRecovered(try NodeRecovered(from: &inner))
    case 14: self = .nodeDeclaredDown(try NodeDeclaredDown(from: &inner))
    case 15: self = .electionStarted(try ElectionStarted(from: &inner))
    case 16: self = .nodeJoined(try NodeJoined(from: &inner))
    case 17: self = .nodeRestarted(try NodeRestarted(from: &inner))
    case 18: self = .nodeLeft(try NodeLeft(from: &inner))
    case 19: self = .nodeCordoned(try NodeCordoned(from: &inner))
    case 20: self = .nodeUncordoned(try NodeUncordoned(from: &inner))
    case 21: self = .nodeDrainRequested(try NodeDrainRequested(from: &inner))
    case 22: self = .nodeDrainCancelled(try NodeDrainCancelled(from: &inner))
    case 23: self = .nodeDrained(try NodeDrained(from: &inner))
    case 24: self = .nodeRemoved(try NodeRemoved(from: &inner))
    case 25: self = .maintenanceChanged(try MaintenanceChanged(from: &inner))
    case 26: self = .balancingChanged(try BalancingChanged(from: &inner))
    case 27: self = .handOverRequested(try HandOverRequested(from: &inner))
    case 28: self = .replicaRebuilding(try ReplicaRebuilding(from: &inner))
    case 29: self = .minimumHeld(try MinimumHeld(from: &inner))
    case 32: self = .collectionCreated(try CollectionCreated(from: &inner))
    case 33: self = .collectionChanged(try CollectionChanged(from: &inner))
    case 34: self = .collectionDeleted(try CollectionDeleted(from: &inner))
    case 40: self = .splitStarted(try SplitStarted(from: &inner))
    case 41: self = .splitAdvanced(try SplitAdvanced(from: &inner))
    case 42: self = .shardSplit(try ShardSplit(from: &inner))
    case 43: self = .shardPruned(try ShardPruned(from: &inner))
    case 44: self = .shardCountWanted(try ShardCountWanted(from: &inner))
    case 45: self = .mergeStarted(try MergeStarted(from: &inner))
    case 46: self = .mergeAdvanced(try MergeAdvanced(from: &inner))
    case 47: self = .shardsMerged(try ShardsMerged(from: &inner))
    case 48: self = .configKeyAdded(try ConfigKeyAdded(from: &inner))
    case 49: self = .configDeleted(try ConfigDeleted(from: &inner))
    case 50: self = .schemaSet(try SchemaSet(from: &inner))
    case 51: self = .tenantKeyErased(try TenantKeyErased(from: &inner))
    case 52: self = .replicaEmptied(try ReplicaEmptied(from: &inner))
    case 53: self = .shardBegunEmpty(try ShardBegunEmpty(from: &inner))
    case 64: self = .principalSeen(try PrincipalSeen(from: &inner))
    case 65: self = .sessionOpened(try SessionOpened(from: &inner))
    case 66: self = .sessionForgotten(try SessionForgotten(from: &inner))
    case 67: self = .alarmRaised(try AlarmRaised(from: &inner))
    case 68: self = .alarmCleared(try AlarmCleared(from: &inner))
    case 69: self = .tenantCreated(try TenantCreated(from: &inner))
    case 70: self = .timelineBegan(try TimelineBegan(from: &inner))
    case 71: self = .retentionChanged(try RetentionChanged(from: &inner))
    case 72: self = .historyCut(try HistoryCut(from: &inner))
    default: throw .unknownField(field: next.field)
    }
    guard reader.isAtEnd else { throw .fieldOrder(field: next.field) }
  }
}
