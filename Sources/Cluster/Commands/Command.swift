package import MusterBytes

/// A request for change. Checked against the state, it becomes a commit or a refusal.
///
/// On the wire: a message with exactly one field, whose number says which command it is.
package indirect enum Command: Message, Hashable {
  case setConfig(SetConfig)
  case deleteConfig(DeleteConfig)
  case setSchema(SetSchema)
  case joinNode(JoinNode)
  case leaveNode(LeaveNode)
  case reportReplicas(ReportReplicas)
  case reportNodeHealth(ReportNodeHealth)
  case cordonNode(CordonNode)
  case drainNode(DrainNode)
  case finishDrain(FinishDrain)
  case removeNode(RemoveNode)
  case setMaintenance(SetMaintenance)
  case setBalancing(SetBalancing)
  case createCollection(CreateCollection)
  case changeCollection(ChangeCollection)
  case deleteCollection(DeleteCollection)
  case placeShards(PlaceShards)
  case electLeader(ElectLeader)
  case startMove(StartMove)
  case advanceMove(AdvanceMove)
  case startElections(StartElections)
  case concludeElection(ConcludeElection)
  case shrinkInSync(ShrinkInSync)
  case recoverShard(RecoverShard)
  case rebuildReplica(RebuildReplica)
  case raiseAlarm(RaiseAlarm)
  case clearAlarm(ClearAlarm)
  case createTenant(CreateTenant)
  case splitShard(SplitShard)
  case setShardCount(SetShardCount)
  case mergeShards(MergeShards)
  case beginTimeline(BeginTimeline)
  case setRetention(SetRetention)
  case cutHistory(CutHistory)
  case eraseTenant(EraseTenant)
  case batch(Batch)

  /// The name that refusals and metrics use.
  package var name: String {
    switch self {
    case .setConfig: "SetConfig"
    case .deleteConfig: "DeleteConfig"
    case .setSchema: "SetSchema"
    case .joinNode: "JoinNode"
    case .leaveNode: "LeaveNode"
    case .reportReplicas: "ReportReplicas"
    case .reportNodeHealth: "ReportNodeHealth"
    case .cordonNode: "CordonNode"
    case .drainNode: "DrainNode"
    case .finishDrain: "FinishDrain"
    case .removeNode: "RemoveNode"
    case .setMaintenance: "SetMaintenance"
    case .setBalancing: "SetBalancing"
    case .createCollection: "CreateCollection"
    case .changeCollection: "ChangeCollection"
    case .deleteCollection: "DeleteCollection"
    case .placeShards: "PlaceShards"
    case .electLeader: "ElectLeader"
    case .startMove: "StartMove"
    case .advanceMove: "AdvanceMove"
    case .startElections: "StartElections"
    case .concludeElection: "ConcludeElection"
    case .shrinkInSync: "ShrinkInSync"
    case .recoverShard: "RecoverShard"
    case .rebuildReplica: "RebuildReplica"
    case .raiseAlarm: "RaiseAlarm"
    case .clearAlarm: "ClearAlarm"
    case .createTenant: "CreateTenant"
    case .splitShard: "SplitShard"
    case .setShardCount: "SetShardCount"
    case .mergeShards: "MergeShards"
    case .beginTimeline: "BeginTimeline"
    case .setRetention: "SetRetention"
    case .cutHistory: "CutHistory"
    case .eraseTenant: "EraseTenant"
    case .batch: "Batch"
    }
  }

  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .setConfig(var command): writer.message(1, &command)
    case .deleteConfig(var command): writer.message(2, &command)
    case .setSchema(var command): writer.message(3, &command)
    case .joinNode(var command): writer.message(4, &command)
    case .leaveNode(var command): writer.message(5, &command)
    case .reportReplicas(var command): writer.message(6, &command)
    case .reportNodeHealth(var command): writer.message(7, &command)
    case .cordonNode(var command): writer.message(8, &command)
    case .drainNode(var command): writer.message(9, &command)
    case .finishDrain(var command): writer.message(10, &command)
    case .removeNode(var command): writer.message(11, &command)
    case .setMaintenance(var command): writer.message(12, &command)
    case .setBalancing(var command): writer.message(13, &command)
    case .createCollection(var command): writer.message(16, &command)
    case .changeCollection(var command): writer.message(17, &command)
    case .deleteCollection(var command): writer.message(18, &command)
    case .placeShards(var command): writer.message(19, &command)
    case .electLeader(var command): writer.message(20, &command)
    case .startMove(var command): writer.message(21, &command)
    case .advanceMove(var command): writer.message(22, &command)
    case .startElections(var command): writer.message(23, &command)
    case .concludeElection(var command): writer.message(24, &command)
    case .shrinkInSync(var command): writer.message(25, &command)
    case .recoverShard(var command): writer.message(26, &command)
    case .rebuildReplica(var command): writer.message(31, &command)
    case .raiseAlarm(var command): writer.message(32, &command)
    case .clearAlarm(var command): writer.message(33, &command)
    case .createTenant(var command): writer.message(34, &command)
    case .splitShard(var command): writer.message(36, &command)
    case .setShardCount(var command): writer.message(37, &command)
    case .mergeShards(var command): writer.message(38, &command)
    case .beginTimeline(var command): writer.message(40, &command)
    case .setRetention(var command): writer.message(41, &command)
    case .cutHistory(var command): writer.message(42, &command)
    case .eraseTenant(var command): writer.message(44, &command)
    case .batch(var command): writer.message(48, &command)
    }
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    guard let next = try reader.peekTag() else { throw .noAlternative }
    guard next.type == WireType.delimited else { throw .wireType(field: next.field) }
    _ = try reader.varint()
    var inner = try reader.nested()
    switch next.field {
    case 1: self = .setConfig(try SetConfig(from: &inner))
    case 2: self = .deleteConfig(try DeleteConfig(from: &inner))
    case 3: self = .setSchema(try SetSchema(from: &inner))
    case 4: self = .joinNode(try JoinNode(from: &inner))
    case 5: self = .leaveNode(try LeaveNode(from: &inner))
    case 6: self = .reportReplicas(try ReportReplicas(from: &inner))
    case 7: self = .reportNodeHealth(try ReportNodeHealth(from: &inner))
    case 8: self = .cordonNode(try CordonNode(from: &inner))
    case 9: self = .drainNode(try DrainNode(from: &inner))
    case 10: self = .finishDrain(try FinishDrain(from: &inner))
    case 11: self = .removeNode(try RemoveNode(from: &inner))
    case 12: self = .setMaintenance(try SetMaintenance(from: &inner))
    case 13: self = .setBalancing(try SetBalancing(from: &inner))
    case 16: self = .createCollection(try CreateCollection(from: &inner))
    case 17: self = .changeCollection(try ChangeCollection(from: &inner))
    case 18: self = .deleteCollection(try DeleteCollection(from: &inner))
    case 19: self = .placeShards(try PlaceShards(from: &inner))
    case 20: self = .electLeader(try ElectLeader(from: &inner))
    case 21: self = .startMove(try StartMove(from: &inner))
    case 22: self = .advanceMove(try AdvanceMove(from: &inner))
    case 23: self = .startElections(try StartElections(from: &inner))
    case 24: self = .concludeElection(try ConcludeElection(from: &inner))
    case 25: self = .shrinkInSync(try ShrinkInSync(from: &inner))
    case 26: self = .recoverShard(try RecoverShard(from: &inner))
    case 31: self = .rebuildReplica(try RebuildReplica(from: &inner))
    case 32: self = .raiseAlarm(try RaiseAlarm(from: &inner))
    case 33: self = .clearAlarm(try ClearAlarm(from: &inner))
    case 34: self = .createTenant(try CreateTenant(from: &inner))
    case 36: self = .splitShard(try SplitShard(from: &inner))
    case 37: self = .setShardCount(try SetShardCount(from: &inner))
    case 38: self = .mergeShards(try MergeShards(from: &inner))
    case 40: self = .beginTimeline(try BeginTimeline(from: &inner))
    case 41: self = .setRetention(try SetRetention(from: &inner))
    case 42: self = .cutHistory(try CutHistory(from: &inner))
    case 44: self = .eraseTenant(try EraseTenant(from: &inner))
    case 48: self = .batch(try Batch(from: &inner))
    default: throw .unknownField(field: next.field)
    }
    guard reader.isAtEnd else { throw .fieldOrder(field: next.field) }
  }
}
