import MusterDisk
import MusterLog

/// Where a repair takes blocks from.
enum RepairOrigin {
  case directory(FileStorage, LogIdentity)
  case server(ServerOrigin, BackupListing)

  static func open(_ text: String) async throws -> RepairOrigin {
    let storage = FileStorage(root: text)
    // A server is HOST:PORT; a directory is there.
    if try storage.size("") != nil {
      do throws(LogError) {
        return .directory(storage, try DirectoryIdentity.read(storage))
      } catch {
        throw JournalError.log(error, directory: text)
      }
    }
    let origin = ServerOrigin(try Connection(text))
    return .server(origin, try await origin.listing())
  }

  var identity: LogIdentity {
    switch self {
    case .directory(_, let identity): identity
    case .server(_, let listing): listing.identity
    }
  }

  /// What fits the damage: of a server only the files that hold what is missing are fetched.
  func donor(for survey: DamageSurvey) async throws -> RepairDonor {
    switch self {
    case .directory(let storage, let identity): return try RepairDonor(storage, identity)
    case .server(let origin, let listing):
      let held = HeldFiles()
      for file in listing.files where survey.wants(file) {
        var bytes: [UInt8] = []
        try await origin.read(file) { bytes += $0 }
        held.files[file.name] = bytes
      }
      return try RepairDonor(held, listing.identity)
    }
  }
}
