import FoundationEssentials
import MusterAudit

/// A checkpoint or a key that a person kept: the note itself, or what `muster checkpoint` printed in a pipe.
enum NoteFile {
  private struct Printed: Decodable { var note: String }

  static func read(_ path: String) throws -> SignedNote {
    var bytes = try contents(path)
    if bytes.first == UInt8(ascii: "{") {
      guard let printed = try? JSONDecoder().decode(Printed.self, from: Data(bytes)) else {
        throw Failure(.refused, "\(path) is no checkpoint that `muster checkpoint` printed")
      }
      bytes = Array(printed.note.utf8)
    }
    do throws(AuditError) { return try SignedNote(bytes) } catch { throw Failure(.refused, "\(path): \(error)") }
  }

  static func contents(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure(.refused, "cannot read \(path)") }
    guard data.count <= 8 << 20 else { throw Failure(.refused, "\(path) is too long for what it should be") }
    return Array(data)
  }

  /// A key given as such, or in a file.
  static func key(_ text: String) throws -> VerifierKey {
    if let key = try? VerifierKey(text) { return key }
    guard FileManager.default.fileExists(atPath: text) else {
      throw Failure(.refused, "\"\(text)\" is neither a verifier key (NAME+ID+BASE64) nor a file with one")
    }
    let line = String(decoding: try contents(text), as: UTF8.self).prefix { $0 != "\n" }
    do throws(AuditError) { return try VerifierKey(String(line)) } catch {
      throw Failure(.refused, "\(text): \(error)")
    }
  }

  /// Writes a small file, or standard output for `-`.
  static func write(_ text: String, to path: String) throws {
    if path == "-" { return Terminal.out(text) }
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) } catch {
      throw Failure(.refused, "\(path) cannot be written: \(error)")
    }
  }
}
