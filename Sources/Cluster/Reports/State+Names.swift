extension State {
  /// Every name that rows have, each as the event that would give it with nothing but number and name in it: tenants,
  /// principals, nodes, collections with the shards that splits made, configuration keys, sessions, each by ascending numbers. What a name speaks of comes
  /// before it.
  ///
  /// Frozen: cuts keep the root of the tree of their bytes.
  package var namingEvents: [Event] {
    var events: [Event] = []
    tenants.forEach { id, row in events.append(.tenantCreated(TenantCreated(tenant: id, name: row.name))) }
    principals.forEach { id, row in
      events.append(.principalSeen(PrincipalSeen(principal: id, name: row.name, kind: row.kind)))
    }
    nodes.forEach { id, row in
      var event = NodeJoined()
      event.node = id
      event.name = row.name
      events.append(.nodeJoined(event))
    }
    collections.forEach { id, row in
      var event = CollectionCreated()
      event.collection = id
      event.name = row.name
      event.firstShard = row.firstShard
      event.shardCount = row.shardCount
      events.append(.collectionCreated(event))
      for (place, child) in row.children.enumerated() {
        var event = SplitStarted()
        event.collection = id
        event.child = child.shard
        event.index = row.shardCount + UInt32(place)
        events.append(.splitStarted(event))
      }
    }
    configs.forEach { id, row in
      events.append(.configKeyAdded(ConfigKeyAdded(config: id, key: row.key, scope: row.scope)))
    }
    sessions.forEach { id, row in
      if !row.isVacant { events.append(.sessionOpened(SessionOpened(session: id, client: row.client))) }
    }
    return events
  }
}
