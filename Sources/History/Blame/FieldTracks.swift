internal import MusterCluster

/// What is known of a thing's fields while its commits are followed in their order, from anywhere on: the value, since
/// which revision, and whether that revision is certain to have changed it.
///
/// A field that was not written yet is unknown: nobody can say since when it has its value. Values are compared, never
/// shown.
struct FieldTracks {
  private struct Track {
    /// Nil when it was written by an event whose effect depends on what is not known.
    var value: FieldValue?
    var since: Revision
    var isCertain: Bool
  }

  private var tracks: [String: Track] = [:]
  /// How the fields were before the commit that is followed now.
  private var before: [String: Track] = [:]
  private var revision: Revision = 0

  /// The next commit.
  mutating func begin(_ revision: Revision) {
    self.revision = revision
    before.removeAll(keepingCapacity: true)
  }

  /// What a field is known to be.
  subscript(field: String) -> FieldValue? { tracks[field]?.value }

  /// - Parameter isBirth: the field did not exist before.
  mutating func write(_ field: String, _ value: FieldValue, isBirth: Bool = false) {
    let old = tracks[field]
    if old?.value == value, !isBirth { return }
    if let was = before[field] {
      // Within one commit it went away and came back: it has not changed.
      guard was.value != value else {
        tracks[field] = was
        return
      }
    } else if let old {
      before[field] = old
    }
    let known = before[field]?.value
    tracks[field] = Track(value: value, since: revision, isCertain: isBirth || known != nil)
  }

  /// The commit changed the field, whatever it was.
  mutating func change(_ field: String) {
    tracks[field] = Track(value: .number(revision), since: revision, isCertain: true)
  }

  /// The field may have been written.
  mutating func forget(_ field: String) {
    if before[field] == nil, let old = tracks[field] { before[field] = old }
    tracks[field] = Track(value: nil, since: revision, isCertain: false)
  }

  /// Since when a field has a value; nil when that is not certain.
  func since(_ field: String, _ value: FieldValue) -> Revision? {
    guard let track = tracks[field], track.isCertain, track.value == value else { return nil }
    return track.since
  }

  /// The same when all there is was followed.
  func likelySince(_ field: String, _ value: FieldValue) -> Revision? {
    guard let track = tracks[field], track.value == value else { return nil }
    return track.since
  }
}
