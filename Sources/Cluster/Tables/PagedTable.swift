package import MusterBytes

/// Rows by dense number, as a persistent value: a copy of a table costs nothing, and a write to a copy copies the
/// page it touches and the two levels above it, never the table.
///
/// Three levels of copy-on-write arrays: chunks of 64 pages, pages of 2^`rowsPerPageShift` rows. A page that no copy
/// shares is written in place. Numbers begin at 1.
package struct PagedTable<Row: TableRow>: Sendable {
  @inlinable static var pageShift: Int { 6 }
  @inlinable static var pageMask: Int { 63 }
  @inlinable static var chunkShift: Int { Row.rowsPerPageShift + pageShift }
  @inlinable static var rowMask: Int { (1 << Row.rowsPerPageShift) - 1 }

  @usableFromInline var chunks: ContiguousArray<Chunk> = []
  package private(set) var count = 0

  @usableFromInline
  struct Chunk: Sendable {
    @usableFromInline var pages: ContiguousArray<Page> = []
  }

  package struct Page: Sendable {
    package var rows: ContiguousArray<Row>
  }

  package init() {}

  @inlinable
  package var nextID: UInt32 { UInt32(count) + 1 }

  @inlinable
  package func contains(_ id: UInt32) -> Bool { id >= 1 && Int(id) <= count }

  /// The row of this number, or nil when there is none.
  @inlinable
  package func row(_ id: UInt32) -> Row? {
    guard contains(id) else { return nil }
    return self[id]
  }

  /// - Precondition: the table contains `id`.
  /// - Complexity: O(1); a write to a page shared with a copy also copies that page.
  package subscript(id: UInt32) -> Row {
    @inlinable get {
      let index = Int(id) - 1
      return chunks[index >> Self.chunkShift].pages[(index >> Row.rowsPerPageShift) & Self.pageMask].rows[
        index & Self.rowMask]
    }
    _modify {
      let index = Int(id) - 1
      yield &chunks[index >> Self.chunkShift].pages[(index >> Row.rowsPerPageShift) & Self.pageMask].rows[
        index & Self.rowMask]
    }
  }

  /// Adds a row behind the last and returns its number.
  @discardableResult
  package mutating func append(_ row: Row) -> UInt32 {
    let index = count
    if index >> Self.chunkShift == chunks.count { chunks.append(Chunk()) }
    let chunk = index >> Self.chunkShift
    if (index >> Row.rowsPerPageShift) & Self.pageMask == chunks[chunk].pages.count {
      chunks[chunk].pages.append(Page(rows: []))
    }
    let page = (index >> Row.rowsPerPageShift) & Self.pageMask
    chunks[chunk].pages[page].rows.append(row)
    count += 1
    return UInt32(count)
  }

  @inlinable
  package var pageCount: Int { (count + Self.rowMask) >> Row.rowsPerPageShift }

  /// - Precondition: `number` is below `pageCount`.
  @inlinable
  package func page(_ number: Int) -> Page { chunks[number >> Self.pageShift].pages[number & Self.pageMask] }

  /// Calls `body` with every row in ascending order of numbers.
  @inlinable
  package func forEach<E: Error>(_ body: (UInt32, Row) throws(E) -> Void) throws(E) {
    var id: UInt32 = 1
    for chunk in chunks {
      for page in chunk.pages {
        for row in page.rows {
          try body(id, row)
          id += 1
        }
      }
    }
  }

  /// Calls `body` with the number of each page that is not the same memory as in `older`: what was written since.
  ///
  /// - Complexity: O(chunks + pages of the chunks that differ); rows are not compared.
  @inlinable
  package func forEachChangedPage(since older: PagedTable, _ body: (Int) throws -> Void) rethrows {
    for (number, chunk) in chunks.enumerated() {
      let old = number < older.chunks.count ? older.chunks[number] : nil
      if let old, old.pages.isIdentical(to: chunk.pages) { continue }
      for (offset, page) in chunk.pages.enumerated() {
        if let old, offset < old.pages.count, old.pages[offset].rows.isIdentical(to: page.rows) { continue }
        try body(number << Self.pageShift | offset)
      }
    }
  }
}

extension PagedTable {
  /// Calls `body` with each row that is not equal in both tables, in ascending order of numbers; nil where there is
  /// none.
  ///
  /// - Complexity: O(pages), and the rows of pages that are not the same memory.
  @inlinable
  package static func forEachDifferentRow(
    _ a: PagedTable, _ b: PagedTable, _ body: (UInt32, Row?, Row?) throws -> Void
  ) rethrows {
    for number in 0..<max(a.pageCount, b.pageCount) {
      let before = number < a.pageCount ? a.page(number).rows : []
      let after = number < b.pageCount ? b.page(number).rows : []
      if before.isIdentical(to: after) { continue }
      let first = UInt32(number << Row.rowsPerPageShift) + 1
      for place in 0..<max(before.count, after.count) {
        let old = place < before.count ? before[place] : nil
        let new = place < after.count ? after[place] : nil
        if old != new { try body(first + UInt32(place), old, new) }
      }
    }
  }
}

extension ContiguousArray {
  /// True when both are the same memory: no element can differ.
  @inlinable
  func isIdentical(to other: ContiguousArray) -> Bool {
    withUnsafeBufferPointer { a in
      other.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress && a.count == b.count }
    }
  }
}

// MARK: - Pages as bytes

extension PagedTable {
  /// Writes a page as a message whose field 1 repeats its rows.
  package func encodePage(_ number: Int, into writer: inout ByteWriter) {
    for var row in page(number).rows { writer.message(1, &row) }
  }

  /// Appends the rows of a stored page.
  ///
  /// Pages must come in order and all but the last must be full; anything else is not a snapshot of ours.
  package mutating func appendPage(_ number: Int, _ bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard count.isMultiple(of: 1 << Row.rowsPerPageShift), number == count >> Row.rowsPerPageShift else {
      throw .outOfRange(field: 1)
    }
    var page = Page(rows: [])
    page.rows.reserveCapacity(1 << Row.rowsPerPageShift)
    var reader = ByteReader(bytes, refusesUnknownFields: true)
    while try reader.advance(to: 1, WireType.delimited) {
      guard page.rows.count <= Self.rowMask else { throw .tooLong(field: 1, limit: 1 << Row.rowsPerPageShift) }
      var row = try reader.nested()
      page.rows.append(try Row(from: &row))
    }
    try reader.finishFields()
    guard !page.rows.isEmpty else { throw .truncated }
    if number >> Self.pageShift == chunks.count { chunks.append(Chunk()) }
    chunks[number >> Self.pageShift].pages.append(page)
    count += page.rows.count
  }
}
