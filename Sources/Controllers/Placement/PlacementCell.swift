internal import MusterCluster

/// A node that may take a replica, with how good a place it is.
struct Place {
  /// How full it is with one replica more.
  var fullness: Double
  var replicas: UInt32
  /// Its place among the candidates, which stand in the order of node numbers.
  var candidate: UInt32

  /// No place at all: worse than any other.
  static let none = Place(fullness: .infinity, replicas: .max, candidate: .max)

  var isNone: Bool { candidate == .max }

  static func < (a: Place, b: Place) -> Bool {
    if a.fullness != b.fullness { return a.fullness < b.fullness }
    if a.replicas != b.replicas { return a.replicas < b.replicas }
    return a.candidate < b.candidate
  }
}

/// The nodes with room that differ only in their load, as those of one fault domain do. A heap, the best place on top.
struct PlacementCell {
  /// The numbers of its domains; those finer than the rules look at have no meaning.
  let domains: InlineArray<4, UInt32>
  /// How many replicas fit on its nodes together, counting no more on a node than shards want places.
  var room: UInt64 = 0
  private var heap: ContiguousArray<Place> = []

  init(_ domains: InlineArray<4, UInt32>) { self.domains = domains }

  var best: Place { heap.first ?? .none }

  /// Every place, in no particular order.
  var places: ContiguousArray<Place> { heap }

  func domain(_ level: FaultLevel) -> UInt32 { domains[Int(level.rawValue)] }

  mutating func insert(_ place: Place) {
    heap.append(place)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// - Precondition: there is a place.
  mutating func removeBest() -> Place {
    let best = heap[0]
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return best
  }

  /// - Precondition: the candidate has a place here.
  mutating func remove(candidate: UInt32) {
    if heap[0].candidate == candidate {
      _ = removeBest()
    } else {
      heap.removeAll { $0.candidate == candidate }
      for parent in (0..<heap.count / 2).reversed() { sink(from: parent) }
    }
  }

  private mutating func sink(from start: Int = 0) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < heap[parent] else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }
}
