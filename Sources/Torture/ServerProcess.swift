import Foundation

/// A `muster serve` that runs, perhaps below strace.
final class ServerProcess {
  /// What was started: the server, or the tracer that started it.
  private let pid: pid_t
  private let startedAt: UInt64
  private let isTraced: Bool
  private let messages: String
  private var status: Int32?

  /// - Parameters:
  ///   - tracer: a program and its arguments that start the server.
  ///   - environment: `NAME=VALUE`, besides our own.
  init(
    _ program: String, _ arguments: [String], tracer: [String] = [], environment: [String] = [], messages: String
  ) throws {
    self.messages = messages
    isTraced = !tracer.isEmpty
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, messages, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
    let words = tracer + [program] + arguments
    var raw = words.map { strdup($0) } + [nil]
    var surroundings = ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") }
    surroundings += environment.map { strdup($0) } + [nil]
    defer { for text in raw + surroundings { free(text) } }
    var pid: pid_t = 0
    startedAt = TrueTime.microseconds()
    let problem = posix_spawnp(&pid, words[0], &actions, nil, &raw, &surroundings)
    guard problem == 0 else {
      throw TortureError("\(words[0]) cannot be started: \(String(cString: strerror(problem)))")
    }
    self.pid = pid
  }

  /// What it said so far.
  var said: String { TextFile.read(messages) }

  /// Whether it has ended by itself.
  var hasEnded: Bool {
    if status != nil { return true }
    var raw: Int32 = 0
    guard waitpid(pid, &raw, WNOHANG) == pid else { return false }
    status = raw
    return true
  }

  /// The exit code; nil while it runs, or when a signal ended it.
  var exitCode: Int32? { status.flatMap { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : nil } }

  /// Waits until it serves.
  ///
  /// - Returns: how long that took since it was started, in microseconds; nil when it ended before, or did not get there.
  func ready(seconds: Int) async -> UInt64? {
    let deadline = startedAt + UInt64(seconds) * 1_000_000
    while TrueTime.microseconds() < deadline {
      if said.contains("ready revision=") { return TrueTime.microseconds() - startedAt }
      if hasEnded { return nil }
      try? await Task.sleep(for: .milliseconds(2))
    }
    return nil
  }

  /// The server itself.
  private var target: pid_t {
    guard isTraced else { return pid }
    let children = TextFile.read("/proc/\(pid)/task/\(pid)/children").split(separator: " ")
    return children.first.flatMap { pid_t($0) } ?? pid
  }

  func send(_ signal: Int32) { if !hasEnded { kill(target, signal) } }

  /// Ends it by a signal, and waits until it has ended.
  func end(with signal: Int32) {
    guard !hasEnded else { return }
    send(signal)
    var raw: Int32 = 0
    while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
    status = raw
  }
}

enum TrueTime {
  static func microseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
  }
}

enum TextFile {
  /// The text of a small file; empty when it cannot be read.
  static func read(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 16 * 1024)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
