import ArgumentParser
import Glibc

struct PagerOptions: ParsableArguments {
  @Flag(name: .customLong("no-pager"), help: "At a terminal: do not page long output.") var isRefused = false

  /// Starts a pager when a person reads a table.
  func begin(_ output: OutputOptions) -> Pager? {
    isRefused || output.format != .table || !Terminal.isOutputTerminal ? nil : Pager()
  }
}

/// Shows long output page by page, as git does: by the program that `PAGER` names, or `less`, which ends by itself when
/// everything fits the screen.
struct Pager {
  private let pid: pid_t

  /// Nil when there is none, or it cannot be started: then the output goes where it went.
  init?() {
    let command = getenv("PAGER").map { String(cString: $0) } ?? "less"
    guard !command.isEmpty, command != "cat" else { return nil }
    // What `less` needs to show colours, to end when all fits one screen, and to leave the text where it is.
    setenv("LESS", "FRX", 0)
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    defer { for end in ends { close(end) } }
    for end in ends { guard fcntl(end, F_SETFD, FD_CLOEXEC) == 0 else { return nil } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    let line: [String] = ["sh", "-c", command]
    var words = line.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    guard posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ) == 0 else { return nil }
    pid = child
    guard dup2(ends[1], 1) == 1 else { return nil }
  }

  /// Says that this was all, and waits until the person has read it.
  func finish() {
    close(1)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
  }
}
