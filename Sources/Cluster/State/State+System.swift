extension State {
  /// The number that a configuration key of the cluster has; nil when it has none. What is below zero is zero.
  package func systemNumber(_ key: String) -> UInt64? {
    guard let id = configID(key, in: .cluster) else { return nil }
    // A key without a schema holds what was written as text.
    switch configs[id].value {
    case .integer(let value): return UInt64(max(0, value))
    case .text(let text): return Int64(text).map { UInt64(max(0, $0)) }
    default: return nil
    }
  }
}
