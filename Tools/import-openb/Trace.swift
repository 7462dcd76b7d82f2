import Glibc

/// A node of the traced cluster.
struct TracedNode: Equatable {
  var name: String
  var cpuMilli: UInt64
  var memoryMiB: UInt64
  var gpus: UInt64
  var model: String
}

/// A workload of the traced cluster: what it asked for, and from when to when it was there.
struct TracedWorkload: Equatable {
  var name: String
  var cpuMilli: UInt64
  var memoryMiB: UInt64
  /// Thousandths of a GPU, over all the GPUs it asked for.
  var gpuMilli: UInt64
  var gpuModels: String
  var quality: String
  var phase: String
  /// Seconds since the trace began.
  var created: UInt64
  var deleted: UInt64
  /// Nil when the traced cluster never found a place for it.
  var scheduled: UInt64?
}

/// Why the trace cannot be read.
enum TraceError: Error, Equatable, CustomStringConvertible {
  case unreadable(String, String)
  case noColumn(String, String)
  case badLine(String, Int)

  var description: String {
    switch self {
    case .unreadable(let path, let problem): "\(path): \(problem)"
    case .noColumn(let path, let name): "\(path) has no column \(name)"
    case .badLine(let path, let line): "\(path), line \(line): a number is missing, or a column"
    }
  }
}

/// The node list and the workload list of a production cluster.
struct Trace: Equatable {
  var nodes: [TracedNode]
  var workloads: [TracedWorkload]

  /// Reads `nodes.csv` and `pods.csv` of a directory.
  init(directory: String) throws(TraceError) {
    nodes = try TraceTable(path: directory + "/nodes.csv").rows { row throws(TraceError) in
      TracedNode(
        name: try row.text("sn"), cpuMilli: try row.number("cpu_milli"), memoryMiB: try row.number("memory_mib"),
        gpus: try row.number("gpu"), model: try row.text("model"))
    }
    workloads = try TraceTable(path: directory + "/pods.csv").rows { row throws(TraceError) in
      TracedWorkload(
        name: try row.text("name"), cpuMilli: try row.number("cpu_milli"), memoryMiB: try row.number("memory_mib"),
        gpuMilli: try row.number("num_gpu") * row.number("gpu_milli"), gpuModels: try row.text("gpu_spec"),
        quality: try row.text("qos"), phase: try row.text("pod_phase"), created: try row.number("creation_time"),
        deleted: try row.number("deletion_time"),
        scheduled: try row.text("scheduled_time").isEmpty ? nil : row.number("scheduled_time"))
    }
  }
}

/// Lines of values without quotes, under a line of column names.
private struct TraceTable {
  /// Values above this are no trace's, and could not be multiplied safely.
  static let numberMax: UInt64 = 1 << 31

  let path: String
  private let columns: [String: Int]
  private let lines: [Substring]

  init(path: String) throws(TraceError) {
    self.path = path
    lines = try TraceTable.text(path).split(separator: "\n", omittingEmptySubsequences: false)
    let names = TraceTable.cells(lines.first ?? "")
    columns = Dictionary(names.enumerated().map { (String($0.element), $0.offset) }, uniquingKeysWith: { a, _ in a })
  }

  /// One line under its heading.
  struct Row {
    let table: TraceTable
    let line: Int
    let cells: [Substring]

    func text(_ name: String) throws(TraceError) -> String {
      guard let column = table.columns[name] else { throw .noColumn(table.path, name) }
      guard column < cells.count else { throw .badLine(table.path, line) }
      return String(cells[column])
    }

    func number(_ name: String) throws(TraceError) -> UInt64 {
      guard let number = UInt64(try text(name)), number <= TraceTable.numberMax else {
        throw .badLine(table.path, line)
      }
      return number
    }
  }

  func rows<Element>(_ make: (Row) throws(TraceError) -> Element) throws(TraceError) -> [Element] {
    var made: [Element] = []
    for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      made.append(try make(Row(table: self, line: number + 1, cells: TraceTable.cells(line))))
    }
    return made
  }

  private static func cells(_ line: Substring) -> [Substring] {
    (line.last == "\r" ? line.dropLast() : line).split(separator: ",", omittingEmptySubsequences: false)
  }

  private static func text(_ path: String) throws(TraceError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(descriptor, &piece, piece.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
      if got == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += piece[..<got]
    }
  }
}
