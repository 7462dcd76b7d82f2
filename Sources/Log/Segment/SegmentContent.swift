package import MusterBytes

/// How a segment ends and where its units are.
package struct SegmentContent: Sendable {
  package var name: SegmentName
  package var fileBytes: Int
  package var units: [LogUnit]
  package var chainBefore: SHA256Value
  /// The chain value after its last block, when it is known without reading them.
  package var chainAfter: SHA256Value?
  package var eventCount: UInt64 = 0
  /// Only of a sealed one: where its keys are, who found them (0 for nobody), and where the frames behind its packs
  /// begin.
  package var keyUnits: [KeyUnitEntry] = []
  package var keyScheme: UInt32 = 0
  package var indexOffset = 0
  /// Only of a live segment.
  package var live: LiveScan?
  package var bytes: LiveBytes?

  package var lastRevision: UInt64 { units.last?.lastRevision ?? name.first - 1 }

  /// Where the units are that hold revisions `from` to `through`.
  package func places(from: UInt64, through: UInt64) -> Range<Int> {
    let first = place { $0.lastRevision >= from }
    return first..<max(first, place { $0.firstRevision > through })
  }

  /// The first unit of which this is true; of those behind it, it must be too.
  private func place(_ isBehind: (LogUnit) -> Bool) -> Int {
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if isBehind(units[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Damage at its end.
  func fault(_ problem: String) -> LogError { name.fault(live?.end ?? fileBytes, problem, lastRevision + 1) }
}

extension SegmentName {
  func fault(_ offset: Int, _ problem: String, _ revision: UInt64? = nil) -> LogError {
    .corrupt(Fault(file: path, offset: offset, revision: revision, problem: problem))
  }
}
