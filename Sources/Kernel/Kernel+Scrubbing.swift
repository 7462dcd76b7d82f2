package import MusterCluster

/// How stored files are read again in the background.
package struct ScrubSettings: Equatable, Sendable {
  /// Bytes a second; 0 is never.
  package var bytesPerSecond: UInt64 = 4 << 20
  /// Between the end of one pass and the next.
  package var pauseSeconds: UInt64 = 600

  package init() {}

  package init(_ state: State) {
    bytesPerSecond = state.systemNumber("system/scrub-bytes-per-second") ?? bytesPerSecond
    pauseSeconds = state.systemNumber("system/scrub-pause-seconds") ?? pauseSeconds
  }
}

extension Kernel {
  /// The alarm that what was read again from the disk is not what was written.
  private static let scrubAlarm = "scrub-fault"

  /// Says that stored bytes are damaged; the first fault stands until a pass finds none.
  package func scrubFound(_ problem: String, _ now: Now) {
    carryOut(
      .raiseAlarm(RaiseAlarm(name: Kernel.scrubAlarm, message: problem.clipped(to: Limits.reasonBytes))),
      of: "scrub", .scrubFault, now)
  }

  /// A pass found nothing.
  package func scrubFoundNothing(_ now: Now) {
    guard sequencer.head.isRaised(alarm: Kernel.scrubAlarm) else { return }
    carryOut(.clearAlarm(ClearAlarm(name: Kernel.scrubAlarm)), of: "scrub", .scrubFault, now)
  }
}
