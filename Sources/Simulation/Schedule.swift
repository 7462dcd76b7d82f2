/// What happens when, in virtual time: a binary heap by time, ties in the order of planning.
struct Schedule {
  private struct Entry {
    var time: UInt64
    var order: UInt64
    var happening: Happening
  }

  private var heap: [Entry] = []
  private var planned: UInt64 = 0

  mutating func plan(_ happening: Happening, at time: UInt64) {
    planned += 1
    heap.append(Entry(time: time, order: planned, happening: happening))
    var place = heap.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func next() -> (time: UInt64, happening: Happening)? {
    guard let first = heap.first else { return nil }
    heap[0] = heap[heap.count - 1]
    heap.removeLast()
    var place = 0
    while true {
      var smallest = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, smallest) {
        smallest = child
      }
      guard smallest != place else { break }
      heap.swapAt(place, smallest)
      place = smallest
    }
    return (first.time, first.happening)
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
  }
}

/// Something that happens at a moment.
enum Happening {
  /// A peer looks at what is due; only the newest plan counts.
  case wake(peer: Int, plan: UInt64)
  /// A connection that a peer asked for is there, or is not.
  case connect(peer: Int, attempt: UInt64)
  /// The next bytes of a wire arrive at one of its ends.
  case arrive(wire: UInt64, end: WireEnd)
  /// One end of a wire learns that it is gone.
  case hangUp(wire: UInt64, end: WireEnd)
  /// Something on the server, of this life of it.
  case server(life: UInt64, ServerTask)
  case restart
  case fault(Fault)
  /// A fault that lasted for a while is over.
  case relief(Relief)
  case calm
  /// Has everything come to rest?
  case look
}

enum ServerTask: UInt8 {
  case tick, appended, confirm, spare, pack, snapshot, past
}

enum Relief {
  case diskHasRoom, diskIsFast, networkIsFast, rotIsMended
}
