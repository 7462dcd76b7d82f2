import MusterBytes
import MusterLog
import MusterSimulatedDisk
import Testing

/// A sealed segment as version 1 wrote it. Write-once: these bytes never change.
enum GoldenSegment {
  static let commits: [[UInt8]] = (0..<6).map { [UInt8](repeating: UInt8($0), count: 40 + $0) }
  static let hex = ""

  static var bytes: [UInt8] {
    var bytes: [UInt8] = []
    var rest = Substring(hex)
    while rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }
}

@Suite struct GoldenPrinter {
  @Test func print() throws {
    let harness = try LogHarness.create(CrashDisk())
    try harness.append(Array(GoldenSegment.commits[0..<2]))
    try harness.append(Array(GoldenSegment.commits[2..<6]))
    let path = Layout.live(1)
    let bytes = try harness.disk.read(path, at: 0, count: 1 << 20)
    let live = LiveSegmentReader(identity: LogHarness.identity, path: path, bytes: bytes)
    let packed = try SegmentPacker.pack(live, try live.scan(first: 1, confirmed: 6))
    Swift.print("GOLDEN", hexadecimal(packed))
  }
}
