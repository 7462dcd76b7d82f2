/// Why a server cannot start.
package enum ServerError: Error, CustomStringConvertible {
  case badAddress(String)
  case notLoopback(String)
  case cannotListen(String, String)
  /// A file with a signing key, and what is wrong with it.
  case badKey(String, String)

  package var description: String {
    switch self {
    case .badAddress(let text): "\(text) is no address; give HOST:PORT"
    case .notLoopback(let host):
      "\(host) is not a loopback address; without certificates the server listens only on 127.0.0.1, ::1 or localhost"
    case .badKey(let path, let problem): "the signing key \(path): \(problem)"
    case .cannotListen(let address, let problem): "cannot listen on \(address): \(problem)"
    }
  }
}

/// HOST:PORT.
package struct ListenAddress: Sendable, Equatable {
  package var host: String
  package var port: Int

  /// - Throws: when it is no address, or not one of this machine only.
  package init(_ text: String) throws(ServerError) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw .badAddress(text)
    }
    var host = String(text[..<colon])
    if host.hasPrefix("[") && host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard ListenAddress.isLoopback(host) else { throw .notLoopback(host) }
    self.host = host
    self.port = Int(port)
  }

  /// Names other than `localhost` are not looked up: what they stand for may change.
  private static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
