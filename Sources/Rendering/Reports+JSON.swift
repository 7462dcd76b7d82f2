internal import MusterBytes
package import MusterCluster

// The documents that scripts read: names of fields are a contract.

extension NodeReport {
  package var members: [JSON.Member] {
    [
      .init("name", .text(name)), .init("id", .number(UInt64(id))), .init("state", .text(state.name)),
      .init("cordoned", .flag(isCordoned)), .init("incarnation", .number(incarnation)),
      .init("domain", .text(domain)), .init("labels", labels.json), .init("capacity", capacity.json),
      .init("used", used.json), .init("address", .optional(address)), .init("replicas", .number(UInt64(replicas))),
      .init("leaders", .number(UInt64(leaders))), .init("since", .text(Timestamp.format(since))),
      .init("sinceRevision", .number(sinceRevision)), .init("changed", .number(changed)),
      .init("heartbeatMilliseconds", .optional(heartbeatMilliseconds)),
    ]
  }
}

extension [Label] {
  package var json: JSON { .object(map { JSON.Member($0.name, .text($0.value)) }) }
}

extension [Amount] {
  package var json: JSON { .object(map { JSON.Member($0.dimension, .number($0.value)) }) }
}

extension ShardReport {
  package var members: [JSON.Member] {
    [
      .init("shard", .text(name)), .init("id", .number(UInt64(id))), .init("collection", .text(collection)),
      .init("index", .number(UInt64(index))), .init("epoch", .number(UInt64(epoch))),
      .init("leader", .optional(leader)), .init("replicas", .list(replicas.map(\.json))),
      .init("handingOverTo", .optional(heir)), .init("moving", move?.json ?? .null), .init("changed", .number(changed)),
      .init("range", range.json),
    ]
  }
}

extension ReplicaReport {
  package var json: JSON {
    .object(
      [
        .init("node", .text(node)), .init("role", .text(role.name)), .init("inSync", .flag(isInSync)),
        .init("opened", .flag(isOpened)), .init("dataGone", .flag(isEmptied)),
      ] + (status?.members ?? []))
  }
}

extension ReplicaStatus {
  /// What the node that has the replica says of it.
  fileprivate var members: [JSON.Member] {
    [
      .init("address", .optional(address)), .init("problem", .optional(problem)),
      .init("position", position?.json ?? .null), .init("bytes", .number(bytes)),
      .init("bytesToCopy", .optional(bytesToCopy)), .init("bytesPerSecond", .optional(bytesPerSecond)),
      .init("secondsLeft", secondsLeft.map { .number($0) } ?? .null), .init("checksum", .optional(checksum)),
      .init("checksumPosition", checksumPosition?.json ?? .null),
    ]
  }
}

extension ReplicaPosition {
  /// `2.0/4711`: epoch and run of the history, and how far within it.
  fileprivate var json: JSON { .text("\(history >> 32).\(history & 0xffff_ffff)/\(offset)") }
}

extension MoveReport {
  package var json: JSON {
    .members([
      "id": .number(UInt64(id)), "from": source.isEmpty ? .null : .text(source),
      "to": target.isEmpty ? .null : .text(target),
      "step": .text(step.name),
      "purpose": .text(purpose.name), "paused": .flag(isPaused),
      "started": .number(started), "child": child.isEmpty ? .null : .text(child),
      "survivor": survivor.isEmpty ? .null : .text(survivor), "absorbed": absorbed.isEmpty ? .null : .text(absorbed),
    ])
  }
}

extension KeyRange {
  package var json: JSON {
    .members(["residue": .number(UInt64(residue)), "modulus": .number(UInt64(modulus))])
  }
}

extension SplitRange {
  package var json: JSON {
    .members([
      "index": .number(UInt64(index)), "residue": .number(UInt64(range.residue)),
      "modulus": .number(UInt64(range.modulus)),
    ])
  }
}

extension CollectionReport {
  package var members: [JSON.Member] {
    [
      .init("name", .text(name)), .init("id", .number(UInt64(id))), .init("state", .text(state.name)),
      .init("tenant", .optional(tenant)), .init("shards", .number(UInt64(shards))),
      .init("placed", .number(UInt64(placed))),
      .init("wantedShards", wantedShards == 0 ? .null : .number(UInt64(wantedShards))),
      .init("foundedShards", .number(UInt64(founded))),
      .init("splits", .list(splits.map(\.json))),
    ] + policy.members + [
      .init("labels", labels.json), .init("created", .number(created)), .init("changed", .number(changed)),
    ]
  }
}

extension Policy {
  package var members: [JSON.Member] {
    [
      .init("replicas", .number(UInt64(replicas))),
      .init("spread", .list(spread.map { .text($0.level.name + ($0.isPreference ? ":prefer" : "")) })),
      .init("require", required.json), .init("rules", .list(rules.map { .text($0.text) })),
      .init("apart", .list(apart.map { .text($0) })),
      .init("leadOn", .list(leaderPreference.map { .text($0.text) })),
      .init("weights", weights.json),
      .init("minInSync", .number(UInt64(minInSync))), .init("uncleanElection", .flag(allowsUncleanElection)),
    ]
  }
}

extension ChangeCollection {
  package var json: JSON { .object([.init("name", .text(name))] + policy.members + [.init("labels", labels.json)]) }
}

extension ConfigValue {
  /// Bytes that are no text come as an object with their base64.
  package var json: JSON { FieldValue(self).json }
}

extension FieldValue {
  package init(_ value: ConfigValue) { self = value.fieldValue }

  package var json: JSON {
    switch self {
    case .text(let text): .text(text)
    case .number(let number): .number(number)
    case .signed(let number): .signed(number)
    case .flag(let flag): .flag(flag)
    case .texts(let texts): .list(texts.map { .text($0) })
    case .bytes(let bytes): .members(["base64": .text(Base64.encode(bytes))])
    case .nothing: .null
    }
  }

  /// For people, in one line.
  package var words: String {
    switch self {
    case .text(let text): text
    case .number(let number): String(number)
    case .signed(let number): String(number)
    case .flag(let flag): flag ? "yes" : "no"
    case .texts(let texts): texts.isEmpty ? "-" : texts.joined(separator: ",")
    case .bytes(let bytes): "(\(bytes.count) bytes)"
    case .nothing: "-"
    }
  }
}

extension ConfigReport {
  private var isSealed: Bool { if case .sealed = value { true } else { false } }

  /// Of a sensitive value: whether it is shown, sealed, or erased for good; nil for every other.
  private var sealing: String? { isRevealed ? "revealed" : isErased ? "erased" : isSealed ? "sealed" : nil }

  /// For people, in one line.
  package var words: String {
    isErased ? "(erased)" : isSealed ? "(sealed; --reveal shows it)" : value.map { FieldValue($0).words } ?? "-"
  }

  package var members: [JSON.Member] {
    [
      .init("key", .text(key)), .init("scope", .text(scope)), .init("type", value.map { .text($0.type.name) } ?? .null),
      .init("value", isSealed ? .null : value?.json ?? .null), .init("version", .number(version)),
      .init("changed", .number(changed)),
    ] + (sealing.map { [.init("sealed", .text($0))] } ?? [])
  }
}

extension TenantReport {
  package var members: [JSON.Member] {
    [
      .init("name", .text(name)), .init("id", .number(UInt64(id))), .init("erasedKeys", .number(UInt64(erasedKeys))),
      .init("changed", .number(changed)),
    ]
  }
}

extension SchemaReport {
  package var members: [JSON.Member] {
    [
      .init("key", .text(key)), .init("type", .text(schema.type.name)),
      .init("minimum", schema.minimum.map { .signed($0) } ?? .null),
      .init("maximum", schema.maximum.map { .signed($0) } ?? .null),
      .init("allowed", .list(schema.allowed.map { .text($0) })), .init("description", .optional(schema.description)),
      .init("sensitive", .flag(schema.isSensitive)), .init("changed", .number(changed)),
    ]
  }
}

extension StatusReport {
  package var members: [JSON.Member] {
    [
      .init("digest", .text(digest)),
      .init(
        "nodes",
        .object(
          NodeState.allCases.filter { $0 != .removed }.map { state in
            let place = Int(state.rawValue)
            return JSON.Member(state.name, .number(place < nodesByState.count ? UInt64(nodesByState[place]) : 0))
          } + [JSON.Member("cordoned", .number(UInt64(cordonedNodes)))])),
      .init("collections", .number(UInt64(collections))),
      .init(
        "shards",
        .members([
          "total": .number(shards), "available": .number(availableShards),
          "underReplicated": .number(underReplicatedShards), "leaderless": .number(leaderlessShards),
          "moving": .number(movingShards), "unplaced": .number(unplacedShards),
        ])),
      .init("configs", .number(UInt64(configs))), .init("maintenance", .flag(isInMaintenance)),
      .init("balancing", .text(balancing.name)),
      .init("alarms", .list(alarms.map { .object($0.members) })),
    ]
  }
}

extension AlarmReport {
  package var members: [JSON.Member] {
    [
      .init("name", .text(name)), .init("message", .text(message)), .init("since", .text(Timestamp.format(since))),
      .init("changed", .number(changed)),
    ]
  }
}

extension CommitReport {
  package var members: [JSON.Member] {
    [
      .init("revision", .number(revision)), .init("time", .text(Timestamp.format(time))),
      .init("wallTime", .text(Timestamp.format(wallTime))), .init("principal", .optional(principal)),
      .init("principalKind", .text(principalKind.name)), .init("assurance", .text(assurance.name)),
      .init("requestID", .optional(requestID)), .init("cause", .optional(cause)),
      .init("reason", reason.text.isEmpty && reason.kind == .unstated ? .null : .text(reason.words)),
      .init("reasonKind", .text(reason.kind.name)),
      .init("reasonArguments", .list(reason.arguments.map { .text($0) })), .init("tenant", .optional(tenant)),
      .init("traceParent", .optional(traceParent)), .init("events", .list(events.map(\.json))),
    ]
  }

  package var json: JSON { .object(members) }
}

extension Reason {
  /// What a person wrote, or the kind of reason.
  package var words: String { text.isEmpty ? kind.name : text }
}

extension EventReport {
  package var json: JSON {
    .object([.init("type", .text(type))] + fields.map { JSON.Member($0.name, $0.value.json) })
  }

  /// For people: `LeaderElected shard=orders/3 node=n2 epoch=4`.
  package var words: String {
    ([type] + fields.filter { $0.value != .nothing }.map { "\($0.name)=\($0.value.words)" }).joined(separator: " ")
  }
}

extension Difference {
  package var members: [JSON.Member] {
    [
      .init("change", .text(kind.name)), .init("entity", .text(entity)), .init("revision", .number(revision)),
      .init(
        "fields",
        .list(
          fields.map {
            .members(["field": .text($0.name), "before": $0.before.json, "after": $0.after.json])
          })),
    ]
  }
}
