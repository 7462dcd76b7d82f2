import MusterBytes
import MusterClient
import MusterDisk
import MusterLog
import MusterProtocol

/// Where a backup is taken from: a data directory, or a server.
protocol BackupOrigin: AnyObject {
  func listing() async throws -> BackupListing
  /// Calls `each` with the bytes of a file, piece by piece.
  func read(_ file: BackupFile, _ each: ([UInt8]) throws -> Void) async throws
}

/// A data directory that is read in place, also while a server runs on it.
final class DirectoryOrigin: BackupOrigin {
  private static let pieceBytes = 1 << 20
  private let source: BackupSource

  init(_ path: String) throws {
    let directory = try DataDirectory(path)
    let log = try directory.log()
    source = BackupSource(log, directory.snapshots, through: directory.lastRevision(log))
  }

  func listing() async throws -> BackupListing { try source.listing() }

  func read(_ file: BackupFile, _ each: ([UInt8]) throws -> Void) async throws {
    var offset = 0
    while true {
      let piece = try source.read(file, at: offset, count: DirectoryOrigin.pieceBytes)
      if !piece.isEmpty { try each(piece) }
      offset += piece.count
      if piece.count < DirectoryOrigin.pieceBytes { return }
    }
  }
}

/// A server, which shows what is durable.
final class ServerOrigin: BackupOrigin {
  private let client: Client

  init(_ connection: Connection) { client = connection.client }

  func listing() async throws -> BackupListing {
    var files: [BackupFile] = []
    var manifest: BackupManifest?
    try await stream(.journalFiles, BackupRequest()) { element in
      switch element {
      case .item(let bytes): files.append(try BackupFile(bytes: bytes))
      case .end(let bytes): manifest = try BackupManifest(bytes: bytes)
      }
    }
    guard let manifest, manifest.isSound, files.allSatisfy(\.isSound) else {
      throw Failure(.refused, "what the server says of its files makes no sense")
    }
    var listing = BackupListing(manifest)
    listing.files = files
    return listing
  }

  func read(_ file: BackupFile, _ each: ([UInt8]) throws -> Void) async throws {
    try await stream(.journalRead, BackupRead(file)) { element in
      if case .item(let bytes) = element { try each(bytes) }
    }
  }

  private func stream(
    _ method: MusterProtocol.Method, _ request: some Message, _ each: (StreamElement) throws -> Void
  ) async throws {
    do {
      try await client.stream(method, request).forEach {
        try each($0)
        return true
      }
    } catch {
      throw ServerSource.harmless(error)
    }
  }
}
