internal import MusterCluster

/// What the kernel counted since it started; the console shows it.
package struct Counters: Sendable {
  package var commits: UInt64 = 0
  package var events: UInt64 = 0
  package var blocks: UInt64 = 0
  package var reads: UInt64 = 0
  package var recalls: UInt64 = 0
  package var heartbeats: UInt64 = 0
  package var repeated: UInt64 = 0
  package var unchanged: UInt64 = 0
  package var deliveries: UInt64 = 0
  /// Refusals by code, indexed by the code's number.
  package var refusals = [UInt64](repeating: 0, count: RefusalCode.allCases.count)
  /// Commits per block: how many blocks had at most 1, 2, 4 … 32768 commits, and more.
  package var groupSizes = [UInt64](repeating: 0, count: 17)

  package init() {}

  mutating func countBlock(_ commits: [Commit]) {
    blocks += 1
    self.commits += UInt64(commits.count)
    for commit in commits { events += UInt64(commit.events.count) }
    let size = max(commits.count, 1)
    groupSizes[min(size == 1 ? 0 : Int.bitWidth - (size - 1).leadingZeroBitCount, 16)] += 1
  }
}
