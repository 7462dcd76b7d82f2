import FoundationEssentials
import MusterAudit

/// A checkpoint, a proof or a key that a person kept: itself, or what `muster checkpoint` or `muster prove` printed in a
/// pipe.
enum NoteFile {
  private struct Printed: Decodable {
    var note: String?
    var text: String?
  }

  static func read(_ path: String) throws -> SignedNote {
    let bytes = try text(path)
    do throws(AuditError) { return try SignedNote(bytes) } catch { throw Failure(.refused, "\(path): \(error)") }
  }

  /// The note or proof, also out of the document that it was printed in.
  static func text(_ path: String) throws -> [UInt8] {
    let bytes = try contents(path)
    guard bytes.first == UInt8(ascii: "{") else { return bytes }
    let printed = try? JSONDecoder().decode(Printed.self, from: Data(bytes))
    guard let text = printed?.note ?? printed?.text else {
      throw Failure(.refused, "\(path) is nothing that `muster checkpoint` or `muster prove` printed")
    }
    return Array(text.utf8)
  }

  private static func contents(_ path: String) throws -> [UInt8] {
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
