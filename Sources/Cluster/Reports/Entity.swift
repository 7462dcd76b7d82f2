package import MusterBytes

/// Something that a commit may speak of, as an index of the log knows it.
///
/// Stored: kinds keep their numbers, and what an event speaks of is a matter of the index's scheme (`EntityScheme`).
package struct Entity: Hashable, Sendable {
  package enum Kind: UInt32, Sendable {
    case node = 1
    case shard = 2
    case collection = 3
    case config = 4
    /// Who did it.
    case principal = 5
    /// An event of this number.
    case eventType = 6
    /// Whose request it was.
    case session = 7
    /// A row that was given this name; different names may have the same number.
    case name = 8
  }

  package var kind: Kind
  package var id: UInt32

  package init(_ kind: Kind, _ id: UInt32) {
    self.kind = kind
    self.id = id
  }

  /// That a row of this table was given this name.
  package static func name(_ name: String, in table: TableID) -> Entity {
    Entity(.name, NameHash.of(name, in: table))
  }
}

/// The number of a name.
enum NameHash {
  /// The low half of the MurmurHash3's low lane, with the table's number as the seed. Stored.
  static func of(_ name: String, in table: TableID) -> UInt32 {
    var copy = name
    return copy.withUTF8 { bytes in
      UInt32(truncatingIfNeeded: SetDigest(row: UnsafeRawBufferPointer(bytes), seed: table.rawValue).low)
    }
  }
}

/// What events are taken to speak of. Stored with every index; each scheme stays as it is, so that indexes from before
/// are still read, and still checked.
package enum EntityScheme: UInt32, Sendable {
  /// Of some events not all that they name: the heir of a hand-over, and the scope of a configuration key. Of a move to
  /// nowhere it has node 0.
  case first = 1
  /// Everything that an event names.
  case whole = 2

  /// Calls `body` with what an event speaks of, besides its own kind.
  fileprivate func tell(_ event: Event, _ body: (Entity) -> Void) {
    withoutActuallyEscaping(body) { body in
      var sink = EntitySink(body: body)
      guard self == .first else { return event.tell(&sink) }
      switch event {
      case .handOverRequested(let event): sink.take(shard: event.shard)
      case .configKeyAdded(let event): sink.take(config: event.config)
      case .moveStarted(let started):
        event.tell(&sink)
        if started.target == 0 { sink.take(node: 0) }
      default: event.tell(&sink)
      }
    }
    if let name = event.givenName { body(name) }
    if case .sessionForgotten(let event) = event { body(Entity(.session, event.session)) }
  }
}

private struct EntitySink: TouchSink {
  let body: (Entity) -> Void

  mutating func take(node: NodeID) { body(Entity(.node, node)) }
  mutating func take(shard: ShardID) { body(Entity(.shard, shard)) }
  mutating func take(collection: CollectionID) { body(Entity(.collection, collection)) }
  mutating func take(config: ConfigID) { body(Entity(.config, config)) }
  /// The name that it gives says it.
  mutating func take(schemaKey: String) {}
}

extension Commit {
  /// Calls `body` with everything that a stored commit speaks of, in any order and with repetitions.
  package static func entities(
    inStored bytes: UnsafeRawBufferPointer, by scheme: EntityScheme = .whole, _ body: (Entity) -> Void
  ) throws(WireError) {
    var reader = ByteReader(bytes, refusesUnknownFields: true)
    try CommitEnvelope(upToEvents: &reader).tell(body)
    while let (number, event) = try Event.numbered(nextIn: &reader) {
      body(Entity(.eventType, number))
      scheme.tell(event, body)
    }
  }
}

extension CommitEnvelope {
  fileprivate func tell(_ body: (Entity) -> Void) {
    body(Entity(.principal, principal))
    if session != 0 { body(Entity(.session, session)) }
  }
}

extension State {
  /// Applies the next commit from its stored bytes, and calls `body` with everything that it speaks of, in any order and
  /// with repetitions: events are read once for both.
  package mutating func apply(
    stored bytes: UnsafeRawBufferPointer, by scheme: EntityScheme, _ body: (Entity) -> Void
  ) throws(ApplyError) {
    try apply(stored: bytes) {
      $0.tell(body)
    } each: { number, event in
      body(Entity(.eventType, number))
      scheme.tell(event, body)
    }
  }
}

extension Event {
  /// The name that something gets, or whose schema is set, by this event.
  fileprivate var givenName: Entity? {
    switch self {
    case .nodeJoined(let event): .name(event.name, in: .nodes)
    case .collectionCreated(let event): .name(event.name, in: .collections)
    case .configKeyAdded(let event): .name(event.key, in: .configs)
    case .schemaSet(let event): .name(event.key, in: .schemas)
    case .principalSeen(let event): .name(event.name, in: .principals)
    case .sessionOpened(let event): .name(event.client, in: .sessions)
    case .tenantCreated(let event): .name(event.name, in: .tenants)
    case .alarmRaised(let event): .name(event.name, in: .alarms)
    case .alarmCleared(let event): .name(event.name, in: .alarms)
    default: nil
    }
  }
}
