internal import MusterBytes

/// Walks the pages of one snapshot file in ascending order, with one unit of them in memory.
final class PageCursor {
  private let file: SnapshotFile
  private var unit = 0
  /// Where the next unit must begin: units lie one behind the other.
  private var offset = 0
  private var content = ByteWriter(capacity: 1 << 17)
  private var rest: ByteReader
  private var left: UInt32 = 0
  private var seen: UInt64 = 0
  /// The page it stands on; nil behind the last one.
  private(set) var address: PageAddress?
  /// The page's bytes, good until the next call of `advance`.
  private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)

  /// Begins before the first page.
  init(_ file: SnapshotFile) {
    self.file = file
    rest = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// Begins before the first page of the unit that may hold `wanted`.
  convenience init(_ file: SnapshotFile, near wanted: PageAddress) {
    self.init(file)
    let units = file.manifest.units
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if units[middle].first <= wanted { low = middle + 1 } else { high = middle }
    }
    unit = max(0, low - 1)
    offset = unit < units.count ? Int(exactly: units[unit].offset) ?? 0 : 0
  }

  /// What it read so far from the file.
  private(set) var cost = ReadCost()

  /// - Parameter skipping: tables of no interest: a unit that holds nothing else is passed unread.
  func advance(skipping: (UInt32) -> Bool = { _ in false }) throws(LogError) {
    while left == 0 {
      while isOfNoInterest(unit, skipping) { passUnit() }
      guard rest.isAtEnd else { throw fault("a unit of pages makes no sense") }
      guard unit < file.manifest.units.count else {
        guard offset == file.manifestOffset else { throw fault("pages are missing") }
        address = nil
        return
      }
      try openUnit()
    }
    left -= 1
    guard let table = try? rest.varint(), let page = try? rest.varint(), let found = try? rest.delimited(),
      let narrowTable = UInt32(exactly: table), let narrowPage = UInt32(exactly: page)
    else { throw fault("a unit of pages makes no sense") }
    let next = PageAddress(table: narrowTable, page: narrowPage)
    if let address, next <= address { throw fault("the pages are out of order") }
    seen += 1
    address = next
    bytes = found
  }

  /// Pages lie in ascending order: a unit that begins with a table and is followed by one of the same holds no other.
  private func isOfNoInterest(_ unit: Int, _ skipping: (UInt32) -> Bool) -> Bool {
    let units = file.manifest.units
    return unit + 1 < units.count && units[unit].table == units[unit + 1].table && skipping(units[unit].table)
  }

  private func passUnit() {
    unit += 1
    offset = Int(exactly: file.manifest.units[unit].offset) ?? file.manifestOffset
  }

  private func openUnit() throws(LogError) {
    let entry = file.manifest.units[unit]
    guard entry.offset == UInt64(offset), offset < file.manifestOffset else {
      throw fault("the pages are not where the manifest says")
    }
    content.removeAll()
    let header = try file.readFrame(offset, .pages, into: &content)
    guard header.parts == entry.pages, entry.pages > 0 else { throw fault("the manifest speaks of other pages") }
    rest = ByteReader(content.bytes)
    left = header.parts
    unit += 1
    offset += FrameHeader.byteCount + Int(header.storedBytes)
    cost.bytes += UInt64(FrameHeader.byteCount) + UInt64(header.storedBytes)
    cost.pages += UInt64(header.parts)
  }

  /// Walks to the end and checks that every page that the manifest counts was there.
  func verify() throws(LogError) {
    repeat { try advance() } while address != nil
    guard seen == file.manifest.pageCount else { throw fault("pages are missing") }
  }

  private func fault(_ problem: String) -> LogError { file.name.fault(offset, problem) }
}
