import Glibc

/// A bare connected socket. Its calls block; where nothing comes for long the test has failed.
final class RawSocket {
  enum Problem: Error { case system(Int32), silence }

  private let descriptor: Int32
  private static let secondsMax = 20

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: RawSocket.secondsMax, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var one: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    try connect(port)
  }

  private func connect(_ port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Problem.system(errno) }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var offset = 0
    while offset < bytes.count { offset += try sendSome(bytes[offset...], flags: 0) }
  }

  /// Sends `bytes` again and again until the other end takes no more, or `limit` bytes are sent.
  func flood(_ bytes: [UInt8], limit: Int) throws -> Int {
    var sent = 0
    var idle = 0
    while sent < limit, idle < 50 {
      do {
        sent += try sendSome(bytes[(sent % bytes.count)...], flags: Int32(MSG_DONTWAIT))
        idle = 0
      } catch Problem.system(EAGAIN) {
        idle += 1
        usleep(10_000)
      }
    }
    return sent
  }

  private func sendSome(_ bytes: ArraySlice<UInt8>, flags: Int32) throws -> Int {
    let count = bytes.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, flags | Int32(MSG_NOSIGNAL))
    }
    guard count >= 0 else { throw Problem.system(errno) }
    return count
  }

  /// What came; empty when the other end has closed.
  func receive() throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
      let received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if received < 0 { failure = errno }
      count = max(0, received)
    }
    if failure == EAGAIN { throw Problem.silence }
    guard failure == 0 || failure == ECONNRESET else { throw Problem.system(failure) }
    return bytes
  }

  /// Sends text and reads until the other end closes.
  func exchange(_ text: String) throws -> String {
    do { try send(Array(text.utf8)) } catch Problem.system(EPIPE) {} catch Problem.system(ECONNRESET) {}
    var received: [UInt8] = []
    while true {
      let more = try receive()
      if more.isEmpty { return String(decoding: received, as: UTF8.self) }
      received += more
    }
  }
}
