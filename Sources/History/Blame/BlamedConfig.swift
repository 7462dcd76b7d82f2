internal import MusterCluster

struct BlamedConfig: BlameSubject {
  static let events: Set<String> = []

  private let id: ConfigID
  private let row: ConfigRow

  init(_ id: ConfigID, _ state: State) {
    self.id = id
    row = state.configs[id]
  }

  var changed: Revision { row.changed }

  var fields: [PresentField] {
    [
      PresentField("value", row.value?.fieldValue ?? .nothing),
      PresentField("version", .number(row.version), followed: .number(row.changed)),
    ]
  }

  func follow(_ event: Event, _ tracks: inout FieldTracks) -> Bool {
    switch event {
    case .configKeyAdded(let event) where event.config == id:
      tracks.write("value", .nothing, isBirth: true)
      tracks.change("version")
      return true
    case .configSet(let event) where event.config == id:
      tracks.write("value", event.value.fieldValue)
      tracks.change("version")
    case .configDeleted(let event) where event.config == id:
      tracks.write("value", .nothing)
      tracks.change("version")
    default: break
    }
    return false
  }
}
