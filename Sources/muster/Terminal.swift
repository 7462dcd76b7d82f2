import Glibc
import MusterKernel
import MusterRendering
import MusterServer

/// Lines on their way to standard output, many with one system call.
struct LineBuffer {
  private static let bytesMax = 1 << 16
  private var text = ""

  mutating func append(_ line: String) {
    text += line
    text += "\n"
    if text.utf8.count >= LineBuffer.bytesMax { flush() }
  }

  mutating func flush() {
    Terminal.out(text)
    text = ""
  }
}

/// What goes to the descriptors of the process. The global streams of C are not safe to share between threads.
enum Terminal {
  static func out(_ text: String) { write(1, text) }
  static func error(_ text: String) { write(2, text) }

  private static func write(_ descriptor: Int32, _ text: String) {
    var copy = text
    copy.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let put = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if put < 0 && errno == EINTR { continue }
        // A reader that went away ends the output, as it does for every program in a pipe.
        guard put > 0 else { exit(put < 0 && errno == EPIPE ? 0 : 1) }
        done += put
      }
    }
  }

  /// As it was when first asked: a pager between does not change that a person reads.
  static let isOutputTerminal = isatty(1) == 1

  static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Colours only for people who did not ask for none.
  static var hasColours: Bool { isOutputTerminal && environment("NO_COLOR") == nil }

  static func yellow(_ text: String) -> String { coloured(text, 33) }
  static func green(_ text: String) -> String { coloured(text, 32) }
  static func red(_ text: String) -> String { coloured(text, 31) }

  private static func coloured(_ text: String, _ code: Int) -> String {
    hasColours ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }

  /// A time, and for people at a terminal how long ago that is.
  static func time(_ time: UInt64) -> String {
    guard isOutputTerminal else { return Timestamp.format(time) }
    return "\(Timestamp.format(time)) (\(RelativeTime.words(time, now: Clock.now().wall)))"
  }

  static func sanitized(_ text: String) -> String {
    String(text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" })
  }

  /// The name of the user that runs this.
  static var userName: String {
    let entry = getpwuid(getuid())
    return entry.map { String(cString: $0.pointee.pw_name) } ?? "uid-\(getuid())"
  }

  static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
