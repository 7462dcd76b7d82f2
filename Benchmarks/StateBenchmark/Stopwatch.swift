import Glibc

/// Measures the processor time of this process and the wall clock beside it.
struct Stopwatch {
  private let wallStart = Stopwatch.nanoseconds(CLOCK_MONOTONIC)
  private let processorStart = Stopwatch.nanoseconds(CLOCK_PROCESS_CPUTIME_ID)

  /// Nanoseconds of processor time since the start.
  var processor: Double { Double(Stopwatch.nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processorStart) }

  /// The share of the wall clock that this process had a processor: below 1 the machine was busy elsewhere.
  var share: Double {
    let wall = Double(Stopwatch.nanoseconds(CLOCK_MONOTONIC) - wallStart)
    return wall > 0 ? min(1, processor / wall) : 1
  }

  private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// Bytes of memory that are resident now.
func residentBytes() -> Int {
  guard let file = fopen("/proc/self/statm", "r") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 128)
  guard fgets(&line, 128, file) != nil else { return 0 }
  let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  return pages * 4096
}

/// Prints a figure beside what it should be.
func show(_ name: String, _ value: Double, _ unit: String, _ target: String, _ watch: Stopwatch? = nil) {
  let rounded = (value * 100).rounded() / 100
  let share = watch.map { ", processor share \(($0.share * 100).rounded() / 100)" } ?? ""
  print("\(name): \(rounded) \(unit) (\(target)\(share))")
}
