internal import MusterBytes
package import MusterCluster
internal import MusterLog

extension LogDriver {
  /// Writes a snapshot of everything that a state has, as a base.
  package static func writeSnapshot(of state: State, on disk: WeakDisk) throws {
    var manifest = SnapshotManifest()
    manifest.revision = state.revision
    manifest.time = state.time
    manifest.digestLow = state.digest.low
    manifest.digestHigh = state.digest.high
    manifest.metadata = StateOutline(state).encoded()
    let file = try SnapshotWriter(disk, identity, manifest)
    try state.forEachStoredPage(changedSince: nil) { table, page, bytes in
      try file.add(PageAddress(table: table, page: page), bytes)
    }
    _ = try file.finish()
  }
}
