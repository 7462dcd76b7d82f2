/// Amounts by dimension number, in place.
package struct AmountVector: Sendable, Equatable {
  package var values: InlineArray<8, UInt64> = .init(repeating: 0)

  package init() {}

  package subscript(dimension: Int) -> UInt64 {
    get { values[dimension] }
    set { values[dimension] = newValue }
  }

  package static func == (a: AmountVector, b: AmountVector) -> Bool {
    for dimension in 0..<Limits.dimensions where a[dimension] != b[dimension] { return false }
    return true
  }
}

/// What a node can carry and carries, and all that placement asks of it but its labels. No reference in it, so that a
/// planner can scan thousands of them.
package struct NodeLoad: Sendable {
  package var capacity = AmountVector()
  package var used = AmountVector()
  package var replicas: UInt32 = 0
  package var leaders: UInt32 = 0
  /// The numbers of its fault domains by level; equal paths have equal numbers, 0 is no domain.
  package var domains: InlineArray<4, UInt32> = .init(repeating: 0)
  /// A bit for each dimension that the node states a capacity of.
  package var statedDimensions: UInt8 = 0
  /// Up, and neither cordoned nor asked to drain.
  package var takesReplicas = false

  package init() {}

  package func states(_ dimension: Int) -> Bool { statedDimensions >> UInt8(dimension) & 1 == 1 }

  /// How much more of a dimension fits.
  package func free(_ dimension: Int) -> UInt64 {
    capacity[dimension] - min(used[dimension], capacity[dimension])
  }

  package func domain(_ level: FaultLevel) -> UInt32 { domains[Int(level.rawValue)] }
}
