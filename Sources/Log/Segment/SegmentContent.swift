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
  /// Only of a live segment: it is kept in memory, since it may get its packed form at any time.
  package var live: LiveScan?
  package var reader: LiveSegmentReader?

  package var lastRevision: UInt64 { units.last?.lastRevision ?? name.first - 1 }

  /// Damage at its end.
  func fault(_ problem: String) -> LogError { name.fault(live?.end ?? fileBytes, problem, lastRevision + 1) }
}

extension SegmentName {
  func fault(_ offset: Int, _ problem: String, _ revision: UInt64? = nil) -> LogError {
    .corrupt(Fault(file: path, offset: offset, revision: revision, problem: problem))
  }
}
