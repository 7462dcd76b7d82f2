internal import MusterCluster
internal import MusterKernel
internal import MusterLog
internal import NIOCore

extension Server {
  /// Begins a pass when it is time for one.
  func considerScrubbing() {
    let settings = ScrubSettings(kernel.view)
    scrubber.pace(settings.bytesPerSecond)
    let now = Clock.now()
    guard !isScrubbing, settings.bytesPerSecond > 0, kernel.view.revision > 0,
      now.monotonic >= scrubbedAt + settings.pauseSeconds.multipliedReportingOverflow(by: 1000).partialValue
    else { return }
    isScrubbing = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    scrubber.begin(kernel.view) { [loop] outcome in
      loop.execute { bound.value.scrubbed(outcome) }
    }
  }

  private func scrubbed(_ outcome: Scrubber.Outcome) {
    isScrubbing = false
    let now = Clock.now()
    scrubbedAt = now.monotonic
    if let divergence = outcome.divergence { return onDivergence(divergence) }
    if let fault = outcome.faults.first {
      let more = outcome.faults.count > 1 ? " and \(outcome.faults.count - 1) more" : ""
      kernel.scrubFound("\(fault)\(more). Repair it from a backup: muster repair", now)
    } else {
      kernel.scrubFoundNothing(now)
    }
    endTickSoon()
  }
}
