internal import MusterCluster

/// A field as it is now: what is shown, and what is followed through the commits to find since when.
struct PresentField {
  var name: String
  var shown: FieldValue
  var followed: FieldValue

  init(_ name: String, _ shown: FieldValue, followed: FieldValue? = nil) {
    self.name = name
    self.shown = shown
    self.followed = followed ?? shown
  }
}

/// How one kind of thing is blamed: its fields, which commits may have written them, and what each event writes.
///
/// `follow` mirrors `State.apply`: the fields must come to what the state has, which a test compares at every revision.
protocol BlameSubject {
  /// The names of the events that write to it; empty for all that speak of it.
  static var events: Set<String> { get }
  /// The revision that changed it last.
  var changed: Revision { get }
  var fields: [PresentField] { get }
  /// - Returns: true when the thing began with this event: no older one speaks of it.
  func follow(_ event: Event, _ tracks: inout FieldTracks) -> Bool
}

extension State {
  func blameSubject(_ entity: EntityID) -> any BlameSubject {
    switch entity {
    case .node(let id): BlamedNode(id, self)
    case .shard(let id): BlamedShard(id, self)
    case .collection(let id): BlamedCollection(id, self)
    case .config(let id): BlamedConfig(id, self)
    }
  }
}

extension CompiledFilter {
  /// The commits that may have written to what is blamed.
  init(_ entity: EntityID, of subject: any BlameSubject) {
    self.init(entity, events: type(of: subject).events)
  }
}
