package import MusterBytes

/// Rows by dense number, as a persistent value: a copy of a table costs nothing, and a write to a copy copies the
/// page it touches and the three levels above it, never the table.
///
/// Four levels of copy-on-write arrays: branches of 32 chunks, chunks of 32 pages, pages of 2^`rowsPerPageShift` rows.
/// Narrow levels, because to copy one costs a reference count for each of its members: at a million rows a write
/// counts 80 of them. A page that no copy shares is written in place. Numbers begin at 1.
///
/// Numbers are never used again. A full page whose rows are all vacant has no rows left: such numbers are not held.
///
/// Public and inlinable so that other modules read rows without looking their type up at run time.
public struct PagedTable<Row: TableRow>: Sendable {
  @inlinable static var fanShift: Int { 5 }
  @inlinable static var fanMask: Int { 31 }
  @inlinable static var rowShift: Int { Row.rowsPerPageShift }
  @inlinable static var rowMask: Int { (1 << Row.rowsPerPageShift) - 1 }

  @usableFromInline var branches: ContiguousArray<Branch> = []
  @usableFromInline var used = 0

  @usableFromInline
  struct Branch: Sendable {
    @usableFromInline var chunks: ContiguousArray<Chunk> = []
    @usableFromInline init() {}
  }

  @usableFromInline
  struct Chunk: Sendable {
    @usableFromInline var pages: ContiguousArray<Page> = []
    @usableFromInline init() {}
  }

  @usableFromInline
  struct Page: Sendable {
    @usableFromInline var rows: ContiguousArray<Row> = []
    @usableFromInline init() {}
  }

  public init() {}

  @inlinable public var count: Int { used }

  @inlinable public var nextID: UInt32 { UInt32(used) + 1 }

  /// True when the number was given to a row.
  @inlinable public func contains(_ id: UInt32) -> Bool { id >= 1 && Int(id) <= used }

  /// True when there is a row of this number that is not vacant.
  @inlinable
  public func holds(_ id: UInt32) -> Bool {
    guard contains(id) else { return false }
    let rows = rows((Int(id) - 1) >> Self.rowShift)
    let place = (Int(id) - 1) & Self.rowMask
    return place < rows.count && !rows[place].isVacant
  }

  /// The row of this number, or nil when there is none.
  @inlinable
  public func row(_ id: UInt32) -> Row? {
    guard contains(id) else { return nil }
    let rows = rows((Int(id) - 1) >> Self.rowShift)
    let place = (Int(id) - 1) & Self.rowMask
    return place < rows.count ? rows[place] : nil
  }

  /// - Precondition: the table contains `id`, and its page was not let go.
  /// - Complexity: O(1); a write to a page shared with a copy also copies that page.
  @inlinable
  public subscript(id: UInt32) -> Row {
    get {
      let index = Int(id) - 1
      return rows(index >> Self.rowShift)[index & Self.rowMask]
    }
    _modify {
      let index = Int(id) - 1
      let page = index >> Self.rowShift
      yield &branches[page >> (2 * Self.fanShift)].chunks[page >> Self.fanShift & Self.fanMask]
        .pages[page & Self.fanMask].rows[index & Self.rowMask]
    }
  }

  @inlinable public var pageCount: Int { (used + Self.rowMask) >> Self.rowShift }

  /// The rows of a page.
  ///
  /// - Precondition: `page` is below `pageCount`.
  @inlinable
  func rows(_ page: Int) -> ContiguousArray<Row> {
    branches[page >> (2 * Self.fanShift)].chunks[page >> Self.fanShift & Self.fanMask].pages[page & Self.fanMask].rows
  }

  /// Adds a row behind the last and returns its number.
  @discardableResult
  package mutating func append(_ row: Row) -> UInt32 {
    let page = used >> Self.rowShift
    if used & Self.rowMask == 0 { append(Page()) }
    branches[page >> (2 * Self.fanShift)].chunks[page >> Self.fanShift & Self.fanMask].pages[page & Self.fanMask]
      .rows.append(row)
    used += 1
    return UInt32(used)
  }

  /// Lets go of the page of a row when it is full of vacant rows.
  mutating func releasePage(of id: UInt32) {
    let page = (Int(id) - 1) >> Self.rowShift
    let rows = rows(page)
    guard rows.count > Self.rowMask, rows.allSatisfy(\.isVacant) else { return }
    branches[page >> (2 * Self.fanShift)].chunks[page >> Self.fanShift & Self.fanMask].pages[page & Self.fanMask] =
      Page()
  }

  /// Takes in a row by its number, in whatever order: for tables of which only some rows are known. What else its page
  /// would hold is not known; pages in which nothing is known hold no row.
  package mutating func adopt(_ row: Row, at id: UInt32) {
    precondition(id >= 1, "numbers begin at 1")
    let page = (Int(id) - 1) >> Self.rowShift
    while pageCount <= page {
      used = pageCount << Self.rowShift
      append(Page())
      used += 1 << Self.rowShift
    }
    var rows = rows(page)
    while rows.count <= (Int(id) - 1) & Self.rowMask { rows.append(Row()) }
    rows[(Int(id) - 1) & Self.rowMask] = row
    branches[page >> (2 * Self.fanShift)].chunks[page >> Self.fanShift & Self.fanMask].pages[page & Self.fanMask]
      .rows = rows
  }

  /// Adds a stored page behind the last or, if it is newer, in the place of an older form of it.
  mutating func addPage(_ number: Int, _ bytes: UnsafeRawBufferPointer, isNewer: Bool) throws(WireError) {
    guard isNewer, number < pageCount else { return try appendPage(number, bytes) }
    var fresh = PagedTable()
    try fresh.appendPage(0, bytes)
    let isLast = number == pageCount - 1
    guard isLast || fresh.used == 1 << Self.rowShift else { throw .outOfRange(field: 1) }
    branches[number >> (2 * Self.fanShift)].chunks[number >> Self.fanShift & Self.fanMask].pages[number & Self.fanMask]
      .rows = fresh.rows(0)
    if isLast { used = number << Self.rowShift + fresh.used }
  }

  /// The rows of a stored page, alone.
  package static func rows(ofPage bytes: [UInt8]) throws(WireError) -> [Row] {
    var table = PagedTable()
    let result = bytes.withUnsafeBytes { raw -> Result<Void, WireError> in
      do throws(WireError) { return .success(try table.appendPage(0, raw)) } catch { return .failure(error) }
    }
    try result.get()
    return Array(table.rows(0))
  }

  /// Which page a row is on, and its place there.
  package static func place(of id: UInt32) -> (page: UInt32, place: Int) {
    ((id - 1) >> UInt32(rowShift), (Int(id) - 1) & rowMask)
  }

  /// Adds a page behind the last.
  ///
  /// - Precondition: the last page is full.
  private mutating func append(_ page: Page) {
    let number = used >> Self.rowShift
    if number & (1 << (2 * Self.fanShift) - 1) == 0 { branches.append(Branch()) }
    let branch = branches.count - 1
    if number & Self.fanMask == 0 { branches[branch].chunks.append(Chunk()) }
    let chunk = branches[branch].chunks.count - 1
    branches[branch].chunks[chunk].pages.append(page)
  }
}

// MARK: - Walking

extension PagedTable {
  /// Calls `body` with every row in ascending order of numbers, but for those of pages that were let go.
  @inlinable
  public func forEach<E: Error>(_ body: (UInt32, Row) throws(E) -> Void) throws(E) {
    for page in 0..<pageCount {
      var id = UInt32(page << Self.rowShift) + 1
      for row in rows(page) {
        try body(id, row)
        id += 1
      }
    }
  }

  /// Calls `body` with the number of each page that is not the same memory as in `older`: what was written since.
  ///
  /// - Complexity: O(branches, and the chunks and pages of those that differ); rows are not compared.
  package func forEachChangedPage(since older: PagedTable, _ body: (Int) throws -> Void) rethrows {
    for (number, branch) in branches.enumerated() {
      let old = number < older.branches.count ? older.branches[number].chunks : []
      if old.isIdentical(to: branch.chunks) { continue }
      for (offset, chunk) in branch.chunks.enumerated() {
        let first = (number << Self.fanShift | offset) << Self.fanShift
        try chunk.forEachChangedPage(since: offset < old.count ? old[offset].pages : []) { try body(first | $0) }
      }
    }
  }

  /// Calls `body` with each row that is not equal in both tables, in ascending order of numbers; nil where there is
  /// none.
  ///
  /// - Complexity: O(pages), and the rows of pages that are not the same memory.
  @inlinable
  public static func forEachDifferentRow(
    _ a: PagedTable, _ b: PagedTable, _ body: (UInt32, Row?, Row?) throws -> Void
  ) rethrows {
    for number in 0..<max(a.pageCount, b.pageCount) {
      let before = number < a.pageCount ? a.rows(number) : []
      let after = number < b.pageCount ? b.rows(number) : []
      if before.isIdentical(to: after) { continue }
      let first = UInt32(number << rowShift) + 1
      for place in 0..<max(before.count, after.count) {
        let old = place < before.count ? before[place] : nil
        let new = place < after.count ? after[place] : nil
        if old != new { try body(first + UInt32(place), old, new) }
      }
    }
  }
}

extension PagedTable.Chunk {
  fileprivate func forEachChangedPage(
    since older: ContiguousArray<PagedTable.Page>, _ body: (Int) throws -> Void
  ) rethrows {
    if older.isIdentical(to: pages) { return }
    for (number, page) in pages.enumerated() {
      if number < older.count, older[number].rows.isIdentical(to: page.rows) { continue }
      try body(number)
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
  ///
  /// - Precondition: `number` is below `pageCount`.
  package func encodePage(_ number: Int, into writer: inout ByteWriter) {
    for var row in rows(number) { writer.message(1, &row) }
  }

  /// Appends the rows of a stored page. An empty one was let go.
  ///
  /// Pages must come in order and all but the last must be full; anything else is not a snapshot of ours.
  package mutating func appendPage(_ number: Int, _ bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard used & Self.rowMask == 0, number == used >> Self.rowShift else { throw .outOfRange(field: 1) }
    var page = Page()
    page.rows.reserveCapacity(1 << Self.rowShift)
    var reader = ByteReader(bytes, refusesUnknownFields: true)
    while try reader.advance(to: 1, WireType.delimited) {
      guard page.rows.count <= Self.rowMask else { throw .tooLong(field: 1, limit: 1 << Self.rowShift) }
      var row = try reader.nested()
      page.rows.append(try Row(from: &row))
    }
    try reader.finishFields()
    append(page)
    used += page.rows.isEmpty ? 1 << Self.rowShift : page.rows.count
  }
}
