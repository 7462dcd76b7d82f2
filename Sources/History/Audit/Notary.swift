package import MusterAudit
package import MusterLog

/// Why no checkpoint is signed.
package enum NotaryRefusal: Error, Sendable, CustomStringConvertible {
  /// What was signed earlier and the log do not fit together. It stays so until a person has looked.
  case inconsistent(String)
  /// The log or what belongs to it could not be read or written.
  case failed(String)

  package var description: String {
    switch self {
    case .inconsistent(let problem), .failed(let problem): "no checkpoint is signed: \(problem)"
    }
  }
}

/// Signs checkpoints of one log, and refuses to sign what does not go on from all that was signed before.
///
/// The last note is kept twice when a second place is configured: in the data directory and where a rollback of that
/// directory does not reach. Both are compared with the log each time.
package final class Notary {
  package let origin: String
  package let verifierKey: VerifierKey
  private let key: SigningKey
  private let files: AuditFiles
  private let copy: (any NoteCopy)?
  private var writer: TreeWriter?
  /// What was signed or checked last: the tree that is at hand goes on from it.
  private var newest: (checkpoint: Checkpoint, note: SignedNote)?

  /// - Parameter copy: the second place.
  package init(
    clusterID: String, timeline: UInt64, key: SigningKey, _ files: AuditFiles, copy: (any NoteCopy)?
  ) throws(AuditError) {
    origin = Checkpoint.origin(clusterID: clusterID, timeline: timeline)
    self.key = try key.renamed(origin)
    verifierKey = self.key.verifierKey
    self.files = files
    self.copy = copy
  }

  /// The note of a checkpoint at exactly this revision; the newest one when it is of it already.
  ///
  /// - Parameters:
  ///   - log: up to a durable revision or beyond.
  ///   - pause: called now and then, so that others have the disk.
  package func sign(
    _ log: LogReader, through last: UInt64, pause: () -> Void = {}
  ) throws(NotaryRefusal) -> SignedNote {
    do {
      if newest == nil { try begin(log, through: last) }
      if let newest, newest.checkpoint.size == last { return newest.note }
      guard let writer, writer.size <= last else { throw NotaryRefusal.failed("the log ends earlier than before") }
      try writer.follow(log, through: last, pause: pause)
      let parent = try files.newestNote() == nil ? try parent(log) : nil
      let checkpoint = Checkpoint(origin: origin, size: last, root: writer.root, parent: parent)
      return try keep(checkpoint)
    } catch let refusal as NotaryRefusal {
      throw refusal
    } catch {
      throw .failed("\(error)")
    }
  }

  /// Compares the log with what was signed before, and finds where the tree goes on.
  private func begin(_ log: LogReader, through last: UInt64) throws {
    var signed: [(place: String, note: SignedNote, checkpoint: Checkpoint)] = []
    if let note = try files.newestNote() {
      signed.append((AuditFiles.checkpoint, note, try check(note, AuditFiles.checkpoint)))
    }
    if let copy, let note = try copy.read() { signed.append((copy.place, note, try check(note, copy.place))) }
    let tree = StoredTree(log, files, size: last)
    let ancestors = log.identity.ancestors.map { Checkpoint.origin(clusterID: $0.clusterID, timeline: $0.timeline) }
    for (place, _, checkpoint) in signed {
      // The second place still has what a timeline before this one signed: this one began with a restore.
      if ancestors.contains(checkpoint.origin) { continue }
      try require(checkpoint, place, tree, log)
    }
    let own = signed.filter { $0.checkpoint.origin == origin }.max { $0.checkpoint.size < $1.checkpoint.size }
    writer = try TreeWriter(files, log, after: own?.checkpoint)
    if let own, own.checkpoint.size == last {
      // Each place has the newest.
      try keep(own.note, own.checkpoint)
    }
  }

  /// The moment from which this timeline went on, for its first note. The commits up to there are the same.
  private func parent(_ log: LogReader) throws -> Checkpoint.Parent? {
    guard let ancestor = log.identity.ancestors.last else { return nil }
    return Checkpoint.Parent(
      origin: Checkpoint.origin(clusterID: ancestor.clusterID, timeline: ancestor.timeline), size: ancestor.revision,
      root: try StoredTree(log, files, size: ancestor.revision).root(ancestor.revision))
  }

  /// What a note of this log says; the key of this log must have signed it.
  private func check(_ note: SignedNote, _ place: String) throws -> Checkpoint {
    let checkpoint = try Checkpoint(note)
    guard checkpoint.origin == origin else { return checkpoint }
    do throws(AuditError) { try note.verify([verifierKey]) } catch {
      throw NotaryRefusal.inconsistent(
        "the checkpoint in \(place) was not signed by the key that is here: \(error). Put back the key that signed it, "
          + "or the note that was there")
    }
    return checkpoint
  }

  private func require(_ checkpoint: Checkpoint, _ place: String, _ tree: StoredTree, _ log: LogReader) throws {
    guard checkpoint.origin == origin else {
      throw NotaryRefusal.inconsistent(
        "\(place) has a checkpoint of another log, \(checkpoint.origin); this is \(origin)")
    }
    guard checkpoint.size <= tree.size else {
      throw NotaryRefusal.inconsistent(
        "the log ends at revision \(tree.size), and a checkpoint of revision \(checkpoint.size) was signed (\(place)): "
          + "the data directory was rolled back. Bring back what is missing, or restore from a backup, which begins a "
          + "new timeline")
    }
    guard try leads(tree, log, to: checkpoint) else {
      throw NotaryRefusal.inconsistent(
        "the first \(checkpoint.size) commits are not those of the checkpoint that was signed (\(place)): they were "
          + "altered, or the data directory was rolled back and went another way. `muster verify --deep` and that "
          + "checkpoint say where")
    }
  }

  /// A tile that is damaged is no evidence: when the tiles do not lead to what was signed, the commits alone decide.
  private func leads(_ tree: StoredTree, _ log: LogReader, to checkpoint: Checkpoint) throws -> Bool {
    if try tree.root(checkpoint.size) == checkpoint.root { return true }
    return try StoredTree(log, nil, size: checkpoint.size).root(checkpoint.size) == checkpoint.root
  }

  private func keep(_ checkpoint: Checkpoint) throws -> SignedNote {
    let note = try checkpoint.signed(with: key)
    try keep(note, checkpoint)
    return note
  }

  /// The second place comes first: what anybody is shown is there.
  private func keep(_ note: SignedNote, _ checkpoint: Checkpoint) throws {
    try copy?.write(note)
    try files.keep(note, size: checkpoint.size)
    newest = (checkpoint, note)
  }
}

/// A second place for the newest note.
package protocol NoteCopy: AnyObject {
  /// What to call it in a sentence.
  var place: String { get }
  func read() throws -> SignedNote?
  func write(_ note: SignedNote) throws
}
