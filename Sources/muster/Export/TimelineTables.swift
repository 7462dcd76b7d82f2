import MusterCluster
import MusterRendering
import MusterSQLite

/// The tables of an export to SQLite, and what a commit becomes in them.
///
/// Writer and checker share this: a row that is not what it would be now was altered.
enum TimelineTables {
  static let version = "1"

  /// Times are microseconds since 1970; views show them as text.
  static let schema = """
    CREATE TABLE export(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE commits(revision INTEGER PRIMARY KEY, time INTEGER NOT NULL, wall_time INTEGER NOT NULL, principal INTEGER \
    REFERENCES principals(id), assurance TEXT NOT NULL, request_id TEXT, cause INTEGER, reason TEXT, reason_kind TEXT NOT \
    NULL, reason_arguments TEXT NOT NULL, tenant TEXT, trace_parent TEXT);
    CREATE TABLE principals(id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE(name, kind));
    CREATE TABLE event_types(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE events(revision INTEGER NOT NULL REFERENCES commits(revision), place INTEGER NOT NULL, type INTEGER NOT \
    NULL REFERENCES event_types(id), fields TEXT NOT NULL, PRIMARY KEY(revision, place)) WITHOUT ROWID;
    CREATE TABLE things(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(kind, name));
    CREATE TABLE event_things(thing INTEGER NOT NULL REFERENCES things(id), revision INTEGER NOT NULL, place INTEGER NOT \
    NULL, PRIMARY KEY(thing, revision, place)) WITHOUT ROWID;
    CREATE INDEX commits_by_time ON commits(time);
    CREATE INDEX commits_by_principal ON commits(principal, revision);
    CREATE INDEX events_by_type ON events(type, revision);
    CREATE INDEX event_things_by_event ON event_things(revision, place);
    CREATE VIEW who AS SELECT c.revision, strftime('%Y-%m-%dT%H:%M:%S', c.time / 1000000, 'unixepoch') || \
    printf('.%06dZ', c.time % 1000000) AS time, p.name AS principal, p.kind AS principal_kind, c.assurance, c.reason, \
    c.reason_kind, c.cause, c.tenant, c.request_id, (SELECT group_concat(t.name, ', ') FROM events e JOIN event_types t ON \
    t.id = e.type WHERE e.revision = c.revision) AS events FROM commits c LEFT JOIN principals p ON p.id = c.principal;
    CREATE VIEW timeline AS SELECT g.kind, g.name, c.revision, strftime('%Y-%m-%dT%H:%M:%S', c.time / 1000000, \
    'unixepoch') || printf('.%06dZ', c.time % 1000000) AS time, t.name AS event, e.fields, p.name AS principal, c.reason, \
    c.cause FROM event_things x JOIN things g ON g.id = x.thing JOIN events e ON e.revision = x.revision AND e.place = \
    x.place JOIN event_types t ON t.id = e.type JOIN commits c ON c.revision = e.revision LEFT JOIN principals p ON p.id = \
    c.principal;
    CREATE VIEW node_timeline AS SELECT name AS node, revision, time, event, fields, principal, reason, cause FROM timeline \
    WHERE kind = 'node';
    CREATE VIEW shard_timeline AS SELECT name AS shard, revision, time, event, fields, principal, reason, cause FROM \
    timeline WHERE kind = 'shard';

    """
}

/// A thing that an event speaks of.
struct TimelineThing: Hashable {
  var kind: String
  var name: String
}

extension CommitReport {
  /// The columns of `commits` without the principal, which stands in a table of its own.
  var tableRow: [SQLiteValue] {
    [
      SQLiteValue(revision), SQLiteValue(time), SQLiteValue(wallTime), .text(assurance.name), .optional(requestID),
      .optional(cause),
      reason.text.isEmpty && reason.kind == .unstated ? .null : .text(reason.words), .text(reason.kind.name),
      .text(JSON.list(reason.arguments.map { .text($0) }).line), .optional(tenant), .optional(traceParent),
    ]
  }
}

extension EventReport {
  var tableFields: String { JSON.object(fields.map { JSON.Member($0.name, $0.value.json) }).line }

  /// What fields name which kind of thing.
  private static let kinds = [
    "node": "node", "nodes": "node", "from": "node", "to": "node", "shard": "shard", "shards": "shard",
    "child": "shard", "absorbed": "shard",
    "collection": "collection", "tenant": "tenant", "alarm": "alarm",
  ]

  /// Everything that the event speaks of, in the order of its fields.
  var things: [TimelineThing] {
    var found: [TimelineThing] = []
    func add(_ kind: String, _ name: String) {
      let thing = TimelineThing(kind: kind, name: name)
      if !name.isEmpty, !found.contains(thing) { found.append(thing) }
    }
    for field in fields {
      guard let kind = EventReport.kinds[field.name] else { continue }
      switch field.value {
      case .text(let name): add(kind, name)
      case .texts(let names): for name in names { add(kind, name) }
      default: break
      }
    }
    if let config = subject.hasPrefix("config/") ? subject.dropFirst(7) : nil { add("config", String(config)) }
    return found
  }
}
