package import MusterBytes

/// Names of rows that fell on one page by their numbers (`Entity.name`), so that a name is found in a snapshot without
/// reading a table: page *h* mod 2^k of as many as hold some 32 names each.
///
/// It lists every row that was ever given the name; whether one still has it, the row itself says.
package struct NamePage: FieldMessage, Hashable {
  /// The rows by ascending numbers, and beside each the number of its name.
  package var ids: [UInt32] = []
  package var names: [UInt32] = []

  package static let namesPerPage = 32
  private static let namesMax = 1 << 20

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.packed(1, &ids, count: NamePage.namesMax)
    try fields.packed(2, &names, count: NamePage.namesMax)
  }

  /// Tables whose rows keep the name that they were given.
  package static let tables: [TableID] = [
    .nodes, .collections, .configs, .schemas, .principals, .alarms, .tenants,
  ]

  /// In snapshots, the table of the names of a table.
  package static func table(of table: TableID) -> UInt32 { 32 + table.rawValue }

  /// True for a table of names.
  package static func isNames(_ table: UInt32) -> Bool { tables.contains { NamePage.table(of: $0) == table } }

  package static func pageCount(rows: UInt32) -> UInt32 {
    let wanted = max(1, rows / UInt32(namesPerPage))
    return wanted == 1 ? 1 : 1 << UInt32(32 - (wanted - 1).leadingZeroBitCount)
  }

  package static func page(of name: UInt32, rows: UInt32) -> UInt32 { name & (pageCount(rows: rows) - 1) }

  /// The rows that may have a name.
  package func rows(named name: UInt32) -> [UInt32] {
    zip(ids, names).filter { $0.1 == name }.map(\.0)
  }
}

extension State {
  /// Calls `body` with every page that a snapshot of this state holds, or with those that differ from the snapshot of
  /// `older`, in ascending order: table, page, bytes.
  package func forEachStoredPage(
    changedSince older: State?, _ body: (UInt32, UInt32, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try forEachPage(changedSince: older) { try body($0.rawValue, $1, $2) }
    try forEachNamePage(changedSince: older, body)
  }

  /// Calls `body` with every page of names that differs from those of `older`, or with all of them, in ascending order:
  /// table, page, bytes.
  package func forEachNamePage(
    changedSince older: State?, _ body: (UInt32, UInt32, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    func walk<Row: TableRow>(_ table: KeyPath<State, PagedTable<Row>>, _ name: (Row) -> String) throws {
      let rows = self[keyPath: table]
      let names = TableNames(rows, name)
      for page in names.pages(changedSince: older.map { $0[keyPath: table].count }) {
        try names.pages[page].encoded().withUnsafeBytes { try body(NamePage.table(of: Row.table), UInt32(page), $0) }
      }
    }
    try walk(\.nodes) { $0.name }
    try walk(\.collections) { $0.name }
    try walk(\.configs) { $0.key }
    try walk(\.schemas) { $0.key }
    try walk(\.principals) { $0.name }
    try walk(\.alarms) { $0.name }
    try walk(\.tenants) { $0.name }
  }
}

/// The names of one table.
private struct TableNames {
  private let count: UInt32
  let pages: [NamePage]
  private var hashes: [UInt32] = []

  init<Row: TableRow>(_ table: PagedTable<Row>, _ name: (Row) -> String) {
    count = UInt32(table.count)
    var pages = Array(repeating: NamePage(), count: Int(NamePage.pageCount(rows: count)))
    hashes.reserveCapacity(table.count)
    for id in 0..<count {
      let hash = NameHash.of(table.row(id + 1).map(name) ?? "", in: Row.table)
      hashes.append(hash)
      let page = Int(NamePage.page(of: hash, rows: count))
      pages[page].ids.append(id + 1)
      pages[page].names.append(hash)
    }
    self.pages = pages
  }

  /// - Parameter older: how many rows there were then; nil for all pages.
  func pages(changedSince older: Int?) -> [Int] {
    guard let older, NamePage.pageCount(rows: UInt32(older)) == UInt32(pages.count) else { return Array(pages.indices) }
    return Set(hashes[older...].map { Int(NamePage.page(of: $0, rows: count)) }).sorted()
  }
}
