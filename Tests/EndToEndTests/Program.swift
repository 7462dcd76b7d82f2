import Foundation
import Testing

/// The programs as they were built, and the place they work in.
enum Program: String {
  case muster
  case importOpenB = "import-openb"
  case demoRedis = "demo-redis"
  case redisLoad = "redis-load"
  case torture

  /// The project's root.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Where the build put programs: beside the bundle of tests that runs now.
  private static let products: URL = {
    let bundle = CommandLine.arguments.first { $0.contains(".xctest") }
    guard let bundle, let end = bundle.range(of: ".xctest") else { return root.appending(path: ".build/release") }
    return URL(fileURLWithPath: String(bundle[..<end.lowerBound])).deletingLastPathComponent()
  }()

  /// Where the build put programs.
  static var directory: String { products.path }

  var path: String {
    let place = self == .demoRedis ? Program.root.appending(path: "Tools") : Program.products
    return place.appending(path: rawValue).path
  }
}

/// What became of a program that ran to its end.
struct Finished {
  var code: Int32
  var out: String
  var error: String

  /// The one document on standard output.
  func document(_ location: SourceLocation = #_sourceLocation) throws -> Document {
    try Document(out, location)
  }

  var lines: [Substring] { out.split(separator: "\n") }
}

/// A program that runs, with its output in files.
final class Running {
  let pid: pid_t
  private let directory: TemporaryDirectory
  private var status: Int32?

  convenience init(_ program: Program, _ arguments: [String], environment: [String: String] = [:]) throws {
    try self.init(path: program.path, arguments, environment: environment)
  }

  /// - Parameter environment: replaces the one of this process, but for what sanitizers are told.
  init(path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    directory = try TemporaryDirectory()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, directory.path("out"), flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, directory.path("error"), flags, 0o600)
    // Other suites of this process have sockets whose ports must be free once they close them.
    // Also what they open before the child begins; what is not open is passed over.
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    let end = min((open.compactMap { Int32($0) }.max() ?? 2) + 256, Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))))
    for descriptor in 3..<max(3, end) { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    let sanitizers = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
    let whole = environment.merging(sanitizers) { given, _ in given }
    var variables = whole.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var pid: pid_t = 0
    let problem = posix_spawn(&pid, path, &actions, nil, &words, &variables)
    try #require(problem == 0, "\(path) cannot be started: \(String(cString: strerror(problem)))")
    self.pid = pid
  }

  deinit {
    if status == nil { finish(with: SIGKILL) }
  }

  var out: String { directory.text("out") }
  var error: String { directory.text("error") }

  /// Nil while it runs.
  var code: Int32? {
    if let status { return status }
    var raw: Int32 = 0
    guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
    return note(raw)
  }

  private func note(_ raw: Int32) -> Int32 {
    let code = raw & 0x7f == 0 ? raw >> 8 & 0xff : 128 + raw & 0x7f
    status = code
    return code
  }

  /// Ends it by a signal, and waits until it has ended.
  @discardableResult
  func finish(with signal: Int32) -> Int32 {
    if let status { return status }
    kill(pid, signal)
    var raw: Int32 = 0
    while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
    return note(raw)
  }

  /// Waits for it to end by itself.
  func wait(seconds: Int = 120) async throws -> Finished {
    try await eventually(seconds: seconds, "the program to end") { code != nil }
    return Finished(code: code ?? -1, out: out, error: error)
  }
}

/// Runs a program to its end.
func run(_ program: Program, _ arguments: [String], environment: [String: String] = [:]) async throws -> Finished {
  try await Running(program, arguments, environment: environment).wait()
}

/// Looks again and again until something holds. The limit only keeps a failing test from hanging.
func eventually(seconds: Int = 60, _ what: Comment, _ holds: () async throws -> Bool) async throws {
  for _ in 0..<seconds * 50 {
    if try await holds() { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  try #require(Bool(false), "waited \(seconds) s for \(what)")
}

/// A directory that goes when it is let go of.
final class TemporaryDirectory: Sendable {
  let root: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/muster-test-XXXXXX").utf8CString)
    let made = try #require(mkdtemp(&template), "no temporary directory can be made")
    root = String(cString: made)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { root + "/" + name }

  func text(_ name: String) -> String {
    FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
