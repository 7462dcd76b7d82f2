internal import MusterBytes
package import MusterCluster
internal import MusterLog

/// Rows as they were at one revision, each read without the others: the page of the snapshot before it, and the events
/// since that speak of it.
package final class PointReader {
  let history: History
  package let revision: Revision
  private let snapshot: SnapshotPages?
  private let outline: StateOutline
  /// What packs that were read hold, by their first revisions: things that are asked for together share packs.
  private var decoded: [Revision: [RecordedEvent]] = [:]

  /// - Returns: nil when the snapshot before is of a version without names: then only a whole state answers.
  package init?(_ history: History, at revision: Revision) throws(HistoryError) {
    guard revision <= history.last else { throw .future(asked: "revision \(revision)", newest: history.last) }
    self.history = history
    self.revision = revision
    do throws(LogError) { snapshot = try history.snapshots.pages(atOrBefore: revision) } catch { throw .log(error) }
    guard let snapshot else {
      outline = StateOutline()
      return
    }
    guard let outline = try? StateOutline(bytes: snapshot.manifest.metadata), outline.hasNames else { return nil }
    self.outline = outline
  }

  /// The revision of the snapshot; 0 for the beginning.
  var base: Revision { snapshot?.manifest.revision ?? 0 }

  // MARK: What pages say

  /// A row as the snapshot has it, or nil when there was none.
  func stored<Row: TableRow>(_ id: UInt32, _: Row.Type = Row.self) throws(HistoryError) -> Row? {
    guard let snapshot, id >= 1, id <= outline.count(of: Row.table) else { return nil }
    let (page, place) = PagedTable<Row>.place(of: id)
    guard let bytes = try self.page(PageAddress(table: Row.table.rawValue, page: page), snapshot) else {
      throw .divergence(base, "the snapshot has no page \(page) of \(Row.table)")
    }
    do throws(WireError) {
      let rows = try PagedTable<Row>.rows(ofPage: bytes)
      return place < rows.count && !rows[place].isVacant ? rows[place] : nil
    } catch {
      throw .divergence(base, "a page of the snapshot cannot be decoded: \(error)")
    }
  }

  func storedCount(of table: TableID) -> UInt32 { outline.count(of: table) }

  /// The rows that may have been given a name before the snapshot.
  func stored(named name: String, in table: TableID) throws(HistoryError) -> [UInt32] {
    guard let snapshot, outline.count(of: table) > 0 else { return [] }
    let number = Entity.name(name, in: table).id
    let page = NamePage.page(of: number, rows: outline.count(of: table))
    guard let bytes = try self.page(PageAddress(table: NamePage.table(of: table), page: page), snapshot),
      let names = try? NamePage(bytes: bytes)
    else { throw .divergence(base, "the names of \(table) cannot be read") }
    return names.rows(named: number)
  }

  private func page(_ address: PageAddress, _ snapshot: SnapshotPages) throws(HistoryError) -> [UInt8]? {
    do throws(LogError) { return try snapshot.page(address) } catch { throw .log(error) }
  }

  // MARK: What happened since

  /// The events since the snapshot that are asked for, in order.
  ///
  /// - Parameters:
  ///   - selection: packs that do not speak of it are not read.
  ///   - end: up to this revision; nil for that of the reader.
  ///   - countMax: there are no more of them than that: what lies behind the last one is not read.
  func events(
    _ selection: LogSelection, through end: Revision? = nil, atMost countMax: Int = .max,
    where isMeant: (Event) -> Bool
  ) throws(HistoryError) -> [RecordedEvent] {
    let range = base + 1..<(end ?? revision) + 1
    var found: [RecordedEvent] = []
    try history.reading { [self] in
      let units = try history.log.units(from: base + 1, through: end ?? revision, matching: selection, rebuilding: true)
      for unit in units where found.count < countMax {
        for recorded in try events(of: unit) where range.contains(recorded.revision) && isMeant(recorded.event) {
          found.append(recorded)
        }
      }
    }
    return found
  }

  private func events(of unit: LogUnit) throws -> [RecordedEvent] {
    if let known = decoded[unit.firstRevision] { return known }
    var events: [RecordedEvent] = []
    _ = try history.log.forEachBlock(in: unit) { block in
      try block.forEachCommit { bytes, _ in
        try Commit.forEachEvent(inStored: bytes) { events.append(RecordedEvent($0, $1, $2)) }
        return true
      }
    }
    decoded[unit.firstRevision] = events
    return events
  }
}
