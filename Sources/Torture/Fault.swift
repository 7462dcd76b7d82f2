import Glibc
import MusterWorkload

/// A fault that strace puts in the way of the server's system calls.
struct Fault {
  var name: String
  var call: String
  /// As strace's `inject` takes it, without when.
  var action: String
  /// How many calls in a row.
  var calls: Int
  /// The first of these calls is at most the so manieth of its thread.
  var latest: Int

  static let all: [Fault] = [
    Fault(name: "EIO of a sync", call: "fdatasync", action: "error=EIO", calls: 1, latest: 90),
    Fault(name: "EIO of a directory's sync", call: "fsync", action: "error=EIO", calls: 1, latest: 8),
    Fault(name: "EIO of a write", call: "pwrite64", action: "error=EIO", calls: 1, latest: 90),
    Fault(name: "ENOSPC of writes", call: "pwrite64", action: "error=ENOSPC", calls: 20, latest: 90),
    Fault(name: "EIO of a rename", call: "rename", action: "error=EIO", calls: 1, latest: 4),
    Fault(name: "EIO of a read", call: "pread64", action: "error=EIO", calls: 1, latest: 30),
    Fault(name: "slow syncs", call: "fdatasync", action: "delay_enter=400000", calls: 8, latest: 40),
    Fault(name: "slow writes", call: "pwrite64", action: "delay_exit=200000", calls: 8, latest: 40),
    Fault(name: "a kill within a sync", call: "fdatasync", action: "signal=KILL", calls: 1, latest: 120),
    Fault(name: "a kill within a write", call: "pwrite64", action: "signal=KILL", calls: 1, latest: 120),
    Fault(name: "a kill within a rename", call: "rename", action: "signal=KILL", calls: 1, latest: 4),
  ]

  func tracer(_ random: inout SeededGenerator) -> [String] {
    let first = 1 + random.below(random.oneIn(3) ? min(10, latest) : latest)
    let when = calls == 1 ? "\(first)" : "\(first)..\(first + calls - 1)"
    return [
      "strace", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
      "inject=\(call):\(action):when=\(when)",
    ]
  }

  /// Whether strace is here and may be used.
  static func isPossible() -> Bool {
    guard
      let probe = try? ServerProcess("true", [], tracer: ["strace", "-qqq", "-o", "/dev/null"], messages: "/dev/null")
    else { return false }
    while !probe.hasEnded { usleep(1000) }
    return probe.exitCode == 0
  }
}
