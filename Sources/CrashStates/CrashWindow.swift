internal import MusterBytes
internal import MusterLog
package import MusterWorkload

/// What is open between two operations: a list of choices, each of which a crash makes on its own.
package struct CrashWindow {
  private struct Part {
    var file: WeakFile
    var choices: WeakFile.Choices
    /// Where its choices are in the list.
    var places: Range<Int>
  }

  private let fixed: [(path: String, part: Int)]
  private let names: [(path: String, forms: [Int?])]
  private let directories: [String]
  private let loose: [String]
  private let parts: [Part]
  /// How many ways each choice can go. Of each the first is what is durable, the last what is newest.
  package let counts: [Int]

  init(
    fixed: [(String, WeakFile)], names: [(String, [WeakFile?])], directories: [String], loose: [String]
  ) {
    self.directories = directories
    self.loose = loose
    var counts = loose.map { _ in 2 } + names.map(\.1.count)
    var parts: [Part] = []
    func part(_ file: WeakFile) -> Int {
      if let known = parts.firstIndex(where: { $0.file === file }) { return known }
      let choices = file.choices
      let first = counts.count
      counts += choices.counts
      parts.append(Part(file: file, choices: choices, places: first..<counts.count))
      return parts.count - 1
    }
    self.fixed = fixed.map { ($0.0, part($0.1)) }
    self.names = names.map { name in (name.0, name.1.map { $0.map(part) }) }
    self.parts = parts
    self.counts = counts
  }

  /// Calls `body` with the choices of states, all of them when they are no more than `most`; else first what is likely
  /// to matter (all lost, all there, one alone lost or there, everything up to some choice), then random ones.
  package func forEach(atMost most: Int, _ random: inout SeededGenerator, _ body: ([Int]) throws -> Void) rethrows {
    let open = counts.indices.filter { counts[$0] > 1 }
    let all = open.reduce(1) { $0.multipliedReportingOverflow(by: counts[$1]).overflow ? .max : $0 * counts[$1] }
    guard all > most else { return try forEachOf(all, open, body) }
    let oldest = counts.map { _ in 0 }
    let newest = counts.map { $0 - 1 }
    var left = most
    func give(_ chosen: [Int]) throws {
      guard left > 0 else { return }
      left -= 1
      try body(chosen)
    }
    do {
      try give(oldest)
      try give(newest)
      for place in open.shuffled(using: &random) where left > most / 2 {
        try give(oldest.replacing(place, newest[place]))
        try give(newest.replacing(place, 0))
      }
      while left > 0 {
        // Some crashes lose nearly all, some nearly nothing.
        let odds = 1 + random.below(15)
        var chosen = oldest
        for place in open {
          chosen[place] = random.below(16) < odds ? newest[place] : random.below(counts[place])
        }
        try give(chosen)
      }
    }
  }

  private func forEachOf(_ all: Int, _ open: [Int], _ body: ([Int]) throws -> Void) rethrows {
    var chosen = counts.map { _ in 0 }
    for _ in 0..<all {
      try body(chosen)
      for place in open {
        chosen[place] += 1
        if chosen[place] < counts[place] { break }
        chosen[place] = 0
      }
    }
  }

  /// The state that these choices leave.
  package func image(_ chosen: [Int]) -> DiskImage {
    var image = DiskImage()
    image.directories = Set(directories)
    for (place, directory) in loose.enumerated() where chosen[place] == 1 { image.directories.insert(directory) }
    for (path, part) in fixed { add(path, part, chosen, to: &image) }
    for (place, name) in names.enumerated() {
      if let part = name.forms[chosen[loose.count + place]] { add(name.path, part, chosen, to: &image) }
    }
    return image
  }

  private func add(_ path: String, _ part: Int, _ chosen: [Int], to image: inout DiskImage) {
    let folder = path.prefix { $0 != "/" }
    guard folder.count == path.count || image.directories.contains(String(folder)) else { return }
    let (bytes, content) = parts[part].choices.pick(chosen[parts[part].places])
    image.files[path] = bytes
    let words = Array("\(path) \(content.hex)".utf8)
    let digest = words.withUnsafeBytes { SetDigest(row: $0, seed: 0) }
    image.digest += digest
    if !path.hasSuffix(".new") && path != Layout.spare { image.essence += digest }
  }
}

extension [Int] {
  fileprivate func replacing(_ place: Int, _ value: Int) -> [Int] {
    var copy = self
    copy[place] = value
    return copy
  }
}
