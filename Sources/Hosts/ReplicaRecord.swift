internal import Glibc
internal import MusterHosting

/// What a host must remember of a replica beside its data: a small file in the replica's directory, replaced whole and
/// synced, so that a promise outlives every crash.
package struct ReplicaRecord: Equatable {
  /// No leader of an earlier epoch is served or copied from any more.
  package var promised: UInt32 = 0
  /// The replica had data that is gone: it has not copied everything since.
  package var isLost = false
  package var port: UInt16 = 0
  package var password = ""
  /// The latest history that its data was known to be of. Data of an earlier one is not what it was.
  package var history: UInt64 = 0
  /// The run of the database in which its offsets mean something; after another start they do not until it copied. Empty
  /// while it has neither led nor followed.
  package var positionRun = ""
  /// The history that it led last, while it has copied from nobody since: all of it is on its disk, since nobody has a
  /// write before the leader's disk has it. 0 otherwise.
  package var led: UInt64 = 0
  /// It promised in an election, and has copied from no leader since: should it lead, the leader before it may take writes
  /// still.
  package var isFencing = false

  package static let fileName = "replica"

  package init(
    promised: UInt32 = 0, isLost: Bool = false, port: UInt16 = 0, password: String = "", history: UInt64 = 0,
    positionRun: String = "", led: UInt64 = 0, isFencing: Bool = false
  ) {
    self.promised = promised
    self.isLost = isLost
    self.port = port
    self.password = password
    self.history = history
    self.positionRun = positionRun
    self.led = led
    self.isFencing = isFencing
  }

  /// Nil when there is no such file.
  package static func read(_ directory: String) throws -> ReplicaRecord? {
    guard let text = try FileText.read("\(directory)/\(fileName)", bytesMax: 4096) else { return nil }
    var record = ReplicaRecord()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2 else { continue }
      switch words[0] {
      case "promised": record.promised = UInt32(words[1]) ?? 0
      case "lost": record.isLost = words[1] == "yes"
      case "port": record.port = UInt16(words[1]) ?? 0
      case "password": record.password = words[1]
      case "history": record.history = UInt64(words[1]) ?? 0
      case "fencing": record.isFencing = words[1] == "yes"
      case "led": record.led = UInt64(words[1]) ?? 0
      case "position-run": record.positionRun = words[1]
      default: continue
      }
    }
    guard text.hasSuffix("end\n") else { throw HostProblem.notNow("\(directory)/\(fileName) is damaged") }
    return record
  }

  package func write(_ directory: String) throws {
    var text = "promised \(promised)\nlost \(isLost ? "yes" : "no")\nport \(port)\nhistory \(history)\n"
    if !password.isEmpty { text += "password \(password)\n" }
    if led > 0 { text += "led \(led)\n" }
    if isFencing { text += "fencing yes\n" }
    if !positionRun.isEmpty { text += "position-run \(positionRun)\n" }
    try FileText.replace("\(directory)/\(ReplicaRecord.fileName)", with: text + "end\n")
  }
}

/// Small files, read and replaced whole.
package enum FileText {
  /// Nil when there is no such file.
  static func read(_ path: String, bytesMax: Int) throws -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw problem("read", path)
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_size <= bytesMax else { throw problem("read", path) }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress?.advanced(by: done), $0.count - done) }
      guard count >= 0 else { throw problem("read", path) }
      if count == 0 { break }
      done += count
    }
    return String(decoding: bytes[..<done], as: UTF8.self)
  }

  /// Durable, and either the old text or the new one whatever happens.
  package static func replace(_ path: String, with text: String) throws {
    let fresh = path + ".new"
    let file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw problem("write", fresh) }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard writeAll(file, bytes), fsync(file) == 0 else { throw problem("write", fresh) }
    guard rename(fresh, path) == 0 else { throw problem("rename", fresh) }
    try syncDirectory(of: path)
  }

  static func writeAll(_ file: Int32, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: done), bytes.count - done) }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  package static func makeDirectory(_ path: String) throws {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw problem("make", path) }
    try syncDirectory(of: path)
  }

  static func syncDirectory(of path: String) throws {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw problem("open", parent) }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw problem("sync", parent) }
  }

  /// Names in a directory, without `.` and `..`; none when it is not there.
  package static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Deletes a file, or a directory with all that is in it. Links are not followed.
  package static func delete(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw problem("delete", path)
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in names(in: path) { try delete("\(path)/\(name)") }
      guard rmdir(path) == 0 else { throw problem("delete", path) }
    } else {
      guard unlink(path) == 0 else { throw problem("delete", path) }
    }
  }

  static func problem(_ what: String, _ path: String) -> HostProblem {
    .notNow("cannot \(what) \(path): \(String(cString: strerror(errno)))")
  }
}
