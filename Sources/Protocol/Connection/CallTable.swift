/// The open calls of a connection, by their numbers, with their deadlines.
///
/// An open-addressed table, because it is looked into for every frame that comes and goes and must not allocate; and
/// because numbers are the other end's choice, so every one is possible and none may be open twice.
package struct CallTable<Value> {
  private struct Slot {
    /// 0 in an empty slot: no call has that number.
    var call: UInt32 = 0
    /// Milliseconds of the connection's clock; `.max` for none.
    var deadline: UInt64 = .max
    var value: Value?
  }

  /// A power of two, at most half full.
  private var slots: [Slot]
  package private(set) var count = 0
  /// No open call has an earlier deadline than this.
  private var soonest: UInt64 = .max

  private static var slotsMin: Int { 16 }

  package init() { slots = Array(repeating: Slot(), count: CallTable.slotsMin) }

  private var mask: Int { slots.count - 1 }

  private func home(_ call: UInt32) -> Int { Int(truncatingIfNeeded: (call &* 0x9e37_79b1) >> 8) & mask }

  /// Where the call is, or the empty slot where it would be.
  private func place(_ call: UInt32) -> Int {
    var place = home(call)
    while slots[place].call != 0, slots[place].call != call { place = (place + 1) & mask }
    return place
  }

  /// Opens a call.
  ///
  /// - Returns: false, with nothing changed, when it is open already.
  /// - Precondition: `call` is not 0.
  package mutating func open(_ call: UInt32, _ value: Value, deadline: UInt64 = .max) -> Bool {
    precondition(call != 0, "0 is the connection, not a call")
    if (count + 1) * 2 > slots.count { grow() }
    let place = place(call)
    guard slots[place].call == 0 else { return false }
    slots[place] = Slot(call: call, deadline: deadline, value: value)
    count += 1
    soonest = min(soonest, deadline)
    return true
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(), count: old.count * 2)
    for slot in old where slot.call != 0 { slots[place(slot.call)] = slot }
  }

  package func isOpen(_ call: UInt32) -> Bool { call != 0 && slots[place(call)].call == call }

  package subscript(call: UInt32) -> Value? { call == 0 ? nil : slots[place(call)].value }

  /// Closes a call and hands back what was kept for it; nil when it is not open.
  package mutating func close(_ call: UInt32) -> Value? {
    guard call != 0 else { return nil }
    var hole = place(call)
    guard let value = slots[hole].value else { return nil }
    count -= 1
    // Whoever stands behind the hole and could stand in it moves up, so that no search ends too early.
    var next = (hole + 1) & mask
    while slots[next].call != 0 {
      let distance = (next - home(slots[next].call)) & mask
      if distance >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = Slot()
    return value
  }

  /// An open call whose deadline has passed; nil when there is none.
  package mutating func expired(at now: UInt64) -> UInt32? {
    guard soonest <= now else { return nil }
    soonest = .max
    for slot in slots where slot.call != 0 {
      if slot.deadline <= now {
        soonest = 0
        return slot.call
      }
      soonest = min(soonest, slot.deadline)
    }
    return nil
  }

  /// Closes every call, in the order of their numbers.
  package mutating func closeAll() -> [(call: UInt32, value: Value)] {
    var all: [(call: UInt32, value: Value)] = []
    for slot in slots {
      if let value = slot.value { all.append((slot.call, value)) }
    }
    self = CallTable()
    return all.sorted { $0.call < $1.call }
  }
}
