import Foundation
import Glibc
import Synchronization

/// A TCP relay that can be cut: what is sent over it is then kept for ever, as by a network that drops packets. Nobody at
/// either end is told.
final class CutLink: Sendable {
  let address: String
  private let listener: Int32
  private let cut = Mutex(false)
  private let sockets = Mutex<[Int32]>([])

  /// - Parameter target: HOST:PORT on this machine.
  init(to target: String) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = CutLink.place(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutablePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard isListening, let port = target.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw POSIXError(.EADDRNOTAVAIL)
    }
    address = "127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
    Thread.detachNewThread { [self] in
      while true {
        let near = accept(listener, nil, nil)
        guard near >= 0 else { return }
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        sockets.withLock { $0 += [near, far] }
        var there = CutLink.place(port)
        let isConnected = withUnsafePointer(to: &there) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
          }
        }
        guard isConnected else {
          shutdown(near, Int32(SHUT_RDWR))
          continue
        }
        Thread.detachNewThread { [self] in pass(near, far) }
        Thread.detachNewThread { [self] in pass(far, near) }
      }
    }
  }

  private static func place(_ port: UInt16) -> sockaddr_in {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return place
  }

  private func pass(_ from: Int32, _ to: Int32) {
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = recv(from, &buffer, buffer.count, 0)
      guard !isCut else { return }
      guard count > 0 else { break }
      guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
    }
    shutdown(to, Int32(SHUT_RDWR))
    shutdown(from, Int32(SHUT_RDWR))
  }

  private var isCut: Bool { cut.withLock { $0 } }

  func sever() { cut.withLock { $0 = true } }

  /// Ends it for good: both ends see their connections close.
  func close() {
    shutdown(listener, Int32(SHUT_RDWR))
    Glibc.close(listener)
    for socket in sockets.withLock({ $0 }) { shutdown(socket, Int32(SHUT_RDWR)) }
  }
}
