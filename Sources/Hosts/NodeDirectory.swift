internal import Glibc
internal import MusterHosting

/// The directory of a node's data: one agent at a time works in it, for one cluster.
public final class NodeDirectory: Sendable {
  public let path: String
  private let lock: Int32

  /// Makes the directory if there is none.
  ///
  /// - Throws: when another agent works in it.
  public init(_ path: String) throws {
    var absolute = path
    if !path.hasPrefix("/") {
      guard let current = getcwd(nil, 0) else { throw FileText.problem("find", ".") }
      defer { free(current) }
      absolute = "\(String(cString: current))/\(path)"
    }
    while absolute.count > 1, absolute.hasSuffix("/") { absolute.removeLast() }
    try FileText.makeDirectory(absolute)
    guard let real = realpath(absolute, nil) else { throw FileText.problem("find", absolute) }
    defer { free(real) }
    self.path = String(cString: real)
    lock = open("\(self.path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw FileText.problem("open", "\(self.path)/lock") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw HostProblem.notNow("another agent works in \(self.path)")
    }
  }

  deinit { close(lock) }

  /// Who works in it: drawn once, and the same as long as the directory is.
  public func identity() throws -> String {
    let file = "\(path)/identity"
    if let known = try FileText.read(file, bytesMax: 256) {
      guard known.hasSuffix("\n"), NodeDirectory.isIdentity(known.dropLast()) else {
        throw HostProblem.notNow("\(file) is damaged; put back what it said, or remove it when the node is down")
      }
      return String(known.dropLast())
    }
    let drawn = NodeDirectory.newIdentity()
    try FileText.replace(file, with: drawn + "\n")
    return drawn
  }

  /// 128 random bits.
  public static func newIdentity() -> String {
    (0..<2).map { _ in
      let digits = String(UInt64.random(in: .min ... .max), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  private static func isIdentity(_ text: Substring) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Notes that the data is of this cluster.
  ///
  /// - Throws: when it is of another: that cluster must not be told what this one has, nor delete it.
  public func bind(to cluster: String) throws {
    let file = "\(path)/cluster"
    guard let known = try FileText.read(file, bytesMax: 256) else {
      return try FileText.replace(file, with: cluster + "\n")
    }
    guard known == cluster + "\n" else {
      throw HostProblem.notNow("\(path) holds data of cluster \(known.dropLast()), not of \(cluster)")
    }
  }
}
