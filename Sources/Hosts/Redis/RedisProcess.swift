package import Glibc
internal import MusterHosting

/// The `redis-server` process of one replica, in a directory of its own. It outlives the agent, which finds it again.
package struct RedisProcess {
  /// Replicates from nobody: nothing listens on port 0.
  static let nowhere = (host: "127.0.0.1", port: "0")
  /// A leader with more replicas than there ever are: no write is taken.
  static let locked = "1000"
  static let agentUser = "muster"
  /// `POSIX_SPAWN_SETSID` of <spawn.h>, which hides it without GNU extensions.
  private static let ownSession: Int16 = 0x80

  /// What decides over leadership and histories is the agent's alone.
  static let notForUsers = [
    "-@admin", "-function|load", "-function|delete", "-function|flush", "-function|restore",
  ]

  /// It would take the copies of another shard's keys along.
  static let notWhileAbsorbing = ["-flushall", "-flushdb", "-swapdb"]

  package let directory: String
  let host: String
  let program: String
  /// The node's name: replicas log in as theirs, so that a leader can choose whom it counts.
  let node: String

  package init(directory: String, host: String, program: String, node: String) {
    self.directory = directory
    self.host = host
    self.program = program
    self.node = node
  }

  /// With less room than this Redis is not started: it ends when it cannot write what it acknowledges.
  private static let roomMin: UInt64 = 4 << 20

  private var pidFile: String { "\(directory)/redis.pid" }

  /// Copies for a split log in as others than replicas: nobody counts them.
  static func user(ofCopy node: String) -> String { "copy.\(node)" }

  static func user(of node: String) -> String { "replica.\(node)" }

  /// Started anew it is a read-only replica of nobody, until the agent says otherwise. Redis itself takes only one of the
  /// loopback addresses for such.
  private func configuration(_ record: ReplicaRecord) -> String {
    """
    bind \(host)
    protected-mode \(Port.isLoopback(host) ? "no" : "yes")
    port \(record.port)
    dir "\(directory)"
    pidfile "\(pidFile)"
    logfile "\(directory)/redis.log"
    appendonly yes
    appendfsync always
    save ""
    replicaof \(RedisProcess.nowhere.host) \(RedisProcess.nowhere.port)
    masteruser \(RedisProcess.user(of: node))
    masterauth \(node)
    min-replicas-to-write \(RedisProcess.locked)
    min-replicas-max-lag \(RedisFence.lagMax)
    repl-diskless-sync yes
    repl-diskless-sync-delay 0
    repl-backlog-size 16mb
    repl-timeout 20
    enable-debug-command yes
    user \(RedisProcess.agentUser) on >\(record.password) ~* &* +@all
    user default on nopass sanitize-payload ~* &* +@all \(RedisProcess.notForUsers.joined(separator: " "))

    """
  }

  /// The process that the directory names, if it runs there.
  package var pid: pid_t? {
    guard let text = try? FileText.read(pidFile, bytesMax: 32),
      let pid = pid_t(text.prefix { $0.isNumber }), pid > 1
    else { return nil }
    var target = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/\(pid)/cwd", &target, target.count - 1)
    guard count > 0 else { return nil }
    let place = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return place == directory ? pid : nil
  }

  /// - Throws: when the program cannot be started at all. Whether it serves is seen by connecting to it.
  /// - Returns: the child, for whoever waits for its end.
  package func start(_ record: ReplicaRecord) throws -> pid_t {
    let file = "\(directory)/redis.conf"
    try FileText.replace(file, with: configuration(record))
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A session of its own: signals for the agent are not for its databases.
    posix_spawnattr_setflags(&attributes, RedisProcess.ownSession)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // It outlives the agent, whose connections must end with the agent.
    for descriptor in RedisProcess.descriptorsToClose { posix_spawn_file_actions_addclose(&actions, descriptor) }
    var words = [strdup(program), strdup(file), nil]
    var variables: [UnsafeMutablePointer<CChar>?] = [strdup("LC_ALL=C"), nil]
    defer { for text in words + variables { free(text) } }
    var pid: pid_t = 0
    let problem = posix_spawnp(&pid, program, &actions, &attributes, &words, &variables)
    guard problem == 0 else {
      throw HostProblem.notNow("cannot start \(program): \(String(cString: strerror(problem)))")
    }
    return pid
  }

  /// All that are open, and as many more as other threads may open before the child begins. Those that are not open are
  /// passed over.
  private static var descriptorsToClose: Range<Int32> {
    let highest = FileText.names(in: "/proc/self/fd").compactMap { Int32($0) }.max() ?? 2
    return 3..<max(3, min(highest + 256, Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)))))
  }

  /// Ends a process that does not answer.
  package func kill() {
    if let pid { _ = Glibc.kill(pid, SIGKILL) }
  }

  /// True when the child has ended; it then leaves the process table.
  static func hasEnded(_ child: pid_t) -> Bool { waitpid(child, nil, WNOHANG) != 0 }

  /// Empty while there is room on its disk.
  var diskProblem: String {
    var status = statvfs()
    guard statvfs(directory, &status) == 0 else { return "" }
    let (room, isMuch) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    guard !isMuch, room < RedisProcess.roomMin else { return "" }
    return "its disk is full: \(room / 1024) KiB are free"
  }

  /// The last thing it logged, for people.
  var lastWords: String {
    guard let text = try? FileText.tail("\(directory)/redis.log", bytesMax: 2048) else { return "" }
    let line = text.split(whereSeparator: \.isNewline).last { $0.contains(" # ") }
    return line.map { String($0.suffix(160)) } ?? ""
  }
}

extension FileText {
  /// The end of a file that may be long.
  static func tail(_ path: String, bytesMax: Int) throws -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw problem("read", path) }
    defer { close(file) }
    let end = lseek(file, 0, SEEK_END)
    lseek(file, max(0, end - off_t(bytesMax)), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: bytesMax)
    let count = Glibc.read(file, &bytes, bytesMax)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
  }
}
