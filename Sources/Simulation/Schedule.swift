/// What happens when, in virtual time: a binary heap by time, ties in the order of planning.
struct Schedule {
  private struct Entry {
    var time: UInt64
    var order: UInt64
    var happening: Happening
  }

  private var heap: [Entry] = []
  private var planned: UInt64 = 0

  var isEmpty: Bool { heap.isEmpty }

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

import MusterKernel

/// Something that happens at a moment.
enum Happening {
  /// A message of a client or agent reaches the server.
  case arrive(Delivery)
  /// An answer reaches whoever asked.
  case answer(actor: Int, life: UInt64, call: UInt32, Answered)
  /// An actor looks at its time-outs and does its next thing.
  case wake(actor: Int)
  /// The disk is done with the block that was handed to it, of this life of the server.
  case diskDone(life: UInt64)
  case serverTick(life: UInt64)
  case confirm(life: UInt64)
  case crash
  case restart
}

/// A message on its way to the server.
struct Delivery {
  var actor: Int
  /// The life of the server that the connection belongs to.
  var life: UInt64
  var call: UInt32
  var method: UInt16
  var credit: UInt32
  var payload: [UInt8]
}

/// What the server sent for a call.
enum Answered {
  case reply([UInt8])
  case item([UInt8])
  case failure(String)
}
