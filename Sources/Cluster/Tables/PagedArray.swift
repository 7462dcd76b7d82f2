/// Values by place, as a persistent value: a copy costs nothing, and a write to a copy copies a page of sixteen.
///
/// For what is derived and never stored; rows of the state are in a `PagedTable`.
package struct PagedArray<Element: Sendable>: Sendable {
  private var pages: ContiguousArray<ContiguousArray<Element>> = []
  package private(set) var count = 0

  private static var shift: Int { 4 }
  private static var mask: Int { 15 }

  package init() {}

  /// - Precondition: `place` is below `count`.
  package subscript(place: Int) -> Element {
    get { pages[place >> Self.shift][place & Self.mask] }
    _modify { yield &pages[place >> Self.shift][place & Self.mask] }
  }

  package mutating func append(_ element: Element) {
    if count & Self.mask == 0 { pages.append([]) }
    pages[count >> Self.shift].append(element)
    count += 1
  }

  /// Calls `body` with every element and its place, in order.
  package func forEach(_ body: (Int, borrowing Element) -> Void) {
    var place = 0
    for page in pages {
      for index in page.indices {
        body(place, page[index])
        place += 1
      }
    }
  }
}
