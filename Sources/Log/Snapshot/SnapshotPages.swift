internal import MusterBytes

/// One snapshot with those that it changes, opened for questions about single pages: of each page, only the unit is read
/// that holds its newest form.
package final class SnapshotPages {
  /// The base first.
  private let files: [SnapshotFile]
  /// Of each file, the pages in it; nil where the manifest does not list them.
  private let listed: [[UInt64]?]
  /// Units that were read, by file and place: pages that are asked for together lie together.
  private var units: [[Int: [UInt8]]]
  private let spend: (ReadCost) -> Void

  /// - Precondition: there is a file.
  init(_ files: [SnapshotFile], spend: @escaping (ReadCost) -> Void) {
    precondition(!files.isEmpty, "a snapshot has a base")
    self.files = files
    self.spend = spend
    listed = files.map { $0.manifest.pageList }
    units = Array(repeating: [:], count: files.count)
  }

  /// Of the newest of them.
  package var manifest: SnapshotManifest { files[files.count - 1].manifest }

  /// The revisions of the files, the base first.
  package var revisions: [UInt64] { files.map(\.name.revision) }

  /// A page in its newest form, or nil when there is none.
  package func page(_ wanted: PageAddress) throws(LogError) -> [UInt8]? {
    for place in files.indices.reversed() {
      if let pages = listed[place], !pages.containsSorted(wanted.number) { continue }
      if let found = try page(wanted, in: place) { return found }
    }
    return nil
  }

  private func page(_ wanted: PageAddress, in place: Int) throws(LogError) -> [UInt8]? {
    let entries = files[place].manifest.units
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].first <= wanted { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let unit = try unit(low - 1, in: place)
    do throws(WireError) {
      return try unit.page(wanted)
    } catch {
      throw files[place].name.fault(Int(exactly: entries[low - 1].offset) ?? 0, "a unit of pages makes no sense")
    }
  }

  private func unit(_ number: Int, in place: Int) throws(LogError) -> [UInt8] {
    if let known = units[place][number] { return known }
    let file = files[place]
    let entry = file.manifest.units[number]
    guard let offset = Int(exactly: entry.offset), offset < file.manifestOffset else {
      throw file.name.fault(file.manifestOffset, "the pages are not where the manifest says")
    }
    var content = ByteWriter(capacity: 1 << 17)
    let header = try file.readFrame(offset, .pages, into: &content)
    guard header.parts == entry.pages else { throw file.name.fault(offset, "the manifest speaks of other pages") }
    var cost = ReadCost()
    cost.pages = UInt64(header.parts)
    cost.bytes = UInt64(FrameHeader.byteCount) + UInt64(header.storedBytes)
    spend(cost)
    let bytes = content.array()
    units[place][number] = bytes
    return bytes
  }
}

extension [UInt8] {
  /// A page of this unit.
  fileprivate func page(_ wanted: PageAddress) throws(WireError) -> [UInt8]? {
    let result = withUnsafeBytes { raw -> Result<[UInt8]?, WireError> in
      do throws(WireError) {
        var reader = ByteReader(raw)
        while !reader.isAtEnd {
          let table = try reader.varint()
          let page = try reader.varint()
          let bytes = try reader.delimited()
          if table == UInt64(wanted.table), page == UInt64(wanted.page) { return .success(Array(bytes)) }
        }
        return .success(nil)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension [UInt64] {
  fileprivate func containsSorted(_ number: UInt64) -> Bool {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == number
  }
}
