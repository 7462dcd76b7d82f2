internal import Glibc
internal import MusterBytes
internal import MusterHosting

/// A connection to another agent's files. It blocks its thread, for a few seconds at most.
final class FileLink {
  private let socket: Int32
  private static let seconds = 5

  /// - Parameter address: HOST:PORT, of this machine or another; numbers, not names.
  init(_ address: String) throws {
    guard let (host, port) = RedisConnection.parts(address) else { throw HostProblem.notNow("no address: \(address)") }
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = UInt16(port).bigEndian
    guard inet_pton(AF_INET, host, &place.sin_addr) == 1 else { throw HostProblem.notNow("no address: \(address)") }
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw FileText.problem("connect to", address) }
    // Linux bounds `connect` by the time for sending.
    var time = timeval(tv_sec: FileLink.seconds, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(socket)
      throw HostProblem.notNow("nothing answers on \(address)")
    }
  }

  deinit { close(socket) }

  /// - Throws: when the other end does not have it, or what comes is damaged.
  func ask(_ request: FileProtocol.Request, most: Int = FileManifest.bytesMax) throws -> [UInt8] {
    let bytes = FileProtocol.bytes(request)
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw lost }
    let head = try receive(FileProtocol.answerHead)
    guard head[0] == 0 else { throw HostProblem.notNow("the other replica does not have \(request.path)") }
    let length = Int(FileProtocol.number(head, 1, 4))
    guard length <= most else { throw HostProblem.notNow("an answer of \(length) bytes") }
    let content = try receive(length)
    guard UInt64(CRC32C.checksum(content)) == FileProtocol.number(head, 5, 4) else {
      throw HostProblem.notNow("what came from the other replica is damaged")
    }
    return content
  }

  private var lost: HostProblem { .notNow("the connection to the other replica is lost") }

  private func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress?.advanced(by: done), count - done, 0) }
      guard got > 0 else { throw lost }
      done += got
    }
    return bytes
  }
}
