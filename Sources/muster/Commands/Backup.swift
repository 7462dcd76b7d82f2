import ArgumentParser
import MusterDisk
import MusterLog
import MusterRendering

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copies what is new of a journal to a directory.",
    discussion: """
      Example: muster backup --to /mnt/backup/muster
               muster log --data /mnt/backup/muster --limit 5
      The first run copies everything, each later one the segments and snapshots since; a run that was cut short goes on
      where it ended. Every file is checked as it is copied. A backup can be read like a data directory.
      """)
  @Option(help: "The directory of the backup; absent or empty for a new one.") var to: String
  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let origin = try origin()
    let listing = try await origin.listing()
    guard listing.lastRevision > 0 else {
      throw Failure(.refused, "there is nothing to back up: the log has no commit")
    }
    let directory = try LockedDirectory(to)
    let target = try directory.opened { () throws(LogError) in
      try BackupTarget(directory.storage, of: listing)
    }
    let missing = try target.missing(from: listing)
    var progress = Progress("bytes", total: missing.reduce(0) { $0 + $1.bytes })
    var copied: UInt64 = 0
    for file in missing {
      try target.begin(file)
      try await origin.read(file) { piece in
        try target.append(piece)
        copied += UInt64(piece.count)
        progress.show(copied)
      }
      try target.finish()
    }
    progress.end()
    try target.close(listing)
    show(listing, missing.count, copied)
  }

  private func origin() throws -> any BackupOrigin {
    if let data = place.data { return try DirectoryOrigin(data) }
    return ServerOrigin(try Connection(place.server))
  }

  private func show(_ listing: BackupListing, _ copied: Int, _ bytes: UInt64) {
    let manifest = listing.manifest
    let head = DocumentHead(
      schema: "backup", timeline: manifest.timeline, revision: manifest.lastRevision, time: manifest.time)
    let members: [JSON.Member] = [
      .init("clusterID", .text(manifest.clusterID)), .init("files", .number(UInt64(listing.files.count))),
      .init("copied", .number(UInt64(copied))), .init("bytesCopied", .number(bytes)),
    ]
    output.show(head, members) {
      "revision \(manifest.lastRevision) is in \(to): copied \(copied) of \(listing.files.count) files, \(bytes) bytes\n"
    }
  }
}
