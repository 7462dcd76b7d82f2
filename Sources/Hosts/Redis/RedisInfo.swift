/// What `INFO` says.
struct RedisInfo {
  private var fields: [Substring: Substring] = [:]

  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...]
    }
  }

  func text(_ field: Substring) -> String { fields[field].map(String.init) ?? "" }
  func number(_ field: Substring) -> UInt64 { fields[field].flatMap { UInt64($0) } ?? 0 }

  var isMaster: Bool { text("role") == "master" }
  var isReplica: Bool { text("role") == "slave" }
  /// It must have replicas to take writes, and has none that acknowledged something lately.
  var isWithoutReplicas: Bool { text("min_slaves_good_slaves") == "0" }
  var runID: String { text("run_id") }
  var replicationID: String { text("master_replid") }
  var offset: UInt64 { number("master_repl_offset") }
  var isLoading: Bool { text("loading") == "1" }
  var isSyncing: Bool { text("master_sync_in_progress") == "1" || isLoading }
  /// It receives what its source receives.
  var isAttached: Bool { !isMaster && text("master_link_status") == "up" && !isSyncing }

  /// Whom it copies from; nil for a master, and for one that was told to copy from nobody.
  var source: String? {
    guard !isMaster, number("master_port") > 0 else { return nil }
    return "\(text("master_host")):\(text("master_port"))"
  }

  /// How often databases changed places.
  var swaps: String { text("cmdstat_swapdb") }

  /// What an operator should know of what it does with its disk.
  var diskProblem: String {
    if text("aof_last_write_status") == "err" { return "cannot write its append-only file: is the disk full?" }
    if text("aof_last_bgrewrite_status") == "err" { return "cannot rewrite its append-only file: is the disk full?" }
    return ""
  }
}
