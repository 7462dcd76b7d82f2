package import MusterCluster

/// What time it is, as the shell reads it. The kernel has no clock of its own.
package struct Now: Sendable, Equatable {
  /// The wall clock, in microseconds since 1970.
  package var wall: Microseconds
  /// A clock that never jumps, in milliseconds since some moment.
  package var monotonic: UInt64

  package init(wall: Microseconds, monotonic: UInt64) {
    self.wall = wall
    self.monotonic = monotonic
  }
}
