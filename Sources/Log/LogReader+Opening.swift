extension LogReader {
  /// Opens the log of a directory; that a snapshot of a revision exists proves that the revision was durable.
  ///
  /// - Parameters:
  ///   - isGrowing: a writer may be at its end meanwhile.
  ///   - older: a reader of the same files from before.
  package static func open(
    _ storage: any Storage, _ identity: LogIdentity, isGrowing: Bool = false, reusing older: LogReader? = nil
  ) throws(LogError) -> LogReader {
    let newest = try SnapshotStore(storage, identity).list().last
    return try LogReader(
      storage, identity: identity, confirmed: newest?.revision ?? 0, isGrowing: isGrowing, reusing: older)
  }

  /// Opens a log that is written meanwhile: a file may get its packed form between the listing and the reading.
  package static func openChanging(
    _ storage: any Storage, _ identity: LogIdentity, reusing older: LogReader? = nil
  ) throws(LogError) -> LogReader {
    for _ in 0..<3 {
      if let log = try? open(storage, identity, isGrowing: true, reusing: older) { return log }
    }
    return try open(storage, identity, isGrowing: true)
  }
}
