package import Glibc
package import MusterKernel

/// The machine's clocks.
package enum Clock {
  package static func now() -> Now {
    Now(wall: microseconds(CLOCK_REALTIME), monotonic: microseconds(CLOCK_MONOTONIC) / 1000)
  }

  package static func microseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(max(0, time.tv_nsec)) / 1000
  }
}
