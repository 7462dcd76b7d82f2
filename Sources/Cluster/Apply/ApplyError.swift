package import MusterBytes

/// An event that does not fit the state it is applied to. The log that holds it was not written by `decide`, or the
/// state is not the one it was decided on: the caller treats it as corruption.
package enum ApplyError: Error, Equatable, Sendable {
  /// The stored bytes are no commit.
  case malformed(WireError)
  case unknownNode(NodeID)
  case unknownCollection(CollectionID)
  case unknownShard(ShardID)
  case unknownMove(MoveID)
  case unknownConfig(ConfigID)
  case unknownSession(SessionID)
  case unknownAlarm(String)
  /// A new thing does not get the number that comes next.
  case notNext(TableID, id: UInt32)
  /// The row of this number is there, and not as this event must have found it.
  case conflict(TableID, id: UInt32)
  /// A replica is missing where it must be, present where it must not, or one too many.
  case replica(ShardID, NodeID)
  case revisionGap(expected: Revision, found: Revision)
  case timeWentBack(Revision)
}
