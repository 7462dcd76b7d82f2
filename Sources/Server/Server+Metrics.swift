internal import MusterCluster
internal import MusterConsole
internal import MusterKernel

extension Server {
  /// Everything that is measured, for Prometheus.
  package func metrics() -> String {
    var text = MetricsText()
    addLog(&text)
    addScrub(&text)
    addCommands(&text)
    addWatchers(&text)
    addCluster(&text)
    return text.text
  }

  private func addLog(_ text: inout MetricsText) {
    let histogram = appender.histogram
    let bounds = LatencyHistogram.bounds.map { MetricsText.seconds($0) }
    text.histogram(
      "muster_sync_seconds", "How long it took to make a block durable.", bounds: bounds, counts: histogram.counts,
      sum: MetricsText.seconds(histogram.sum))
    text.histogram(
      "muster_commit_seconds", "From the arrival of a command to its durability.", bounds: bounds,
      counts: commitLatency.counts, sum: MetricsText.seconds(commitLatency.sum))
    let counters = kernel.counters
    text.histogram(
      "muster_group_commits", "Commits in a block.", bounds: (0...15).map { String(1 << $0) },
      counts: counters.groupSizes, sum: String(counters.commits))
    text.gauge("muster_revision", "The newest revision that was decided.", kernel.sequencer.head.revision)
    text.gauge("muster_durable_revision", "The newest revision that is on disk.", kernel.view.revision)
    text.gauge("muster_log_bytes", "Bytes of the log's segments.", sizes.log)
    text.gauge("muster_snapshot_bytes", "Bytes of the snapshots.", sizes.snapshots)
    text.gauge("muster_horizon_revision", "The oldest revision that is kept; 0 for all.", kernel.view.retention.horizon)
    text.gauge("muster_read_only", "1 while nothing is written.", kernel.readOnlyBecause.isEmpty ? 0 : 1)
  }

  private func addScrub(_ text: inout MetricsText) {
    let counts = scrubber.counts
    text.counter("muster_scrub_bytes_total", "Stored bytes that were read again and checked.", counts.bytes)
    text.counter("muster_scrub_passes_total", "Passes over everything that is stored.", counts.passes)
    text.counter("muster_scrub_faults_total", "Faults of stored files that passes found.", counts.faults)
    text.gauge(
      "muster_scrub_last_completed_seconds", "When the last pass ended, in seconds since 1970; 0 for never.",
      counts.lastCompleted / 1_000_000)
    text.gauge(
      "muster_scrub_followed_revision", "The state that follows the log beside the live one is at this revision.",
      counts.followed)
    text.gauge("muster_retention_stuck", "1 while what the policy lets go cannot be deleted.", isRetentionStuck ? 1 : 0)
  }

  private func addCommands(_ text: inout MetricsText) {
    let counters = kernel.counters
    text.counter("muster_commits_total", "Commits that became durable.", counters.commits)
    text.counter("muster_events_total", "Events that became durable.", counters.events)
    text.counter("muster_blocks_total", "Blocks that became durable.", counters.blocks)
    text.counter("muster_reads_total", "Questions about the present.", counters.reads)
    text.counter("muster_recalls_total", "Questions about the past.", counters.recalls)
    text.counter("muster_heartbeats_total", "Signs of life.", counters.heartbeats)
    text.counter("muster_repeated_total", "Requests that had been executed before.", counters.repeated)
    text.counter("muster_unchanged_total", "Commands that changed nothing.", counters.unchanged)
    text.labelled(
      "muster_refusals_total", "Commands that were refused.", type: "counter", label: "reason",
      RefusalCode.allCases.map { ($0.name, counters.refusals[Int($0.rawValue)]) })
  }

  private func addWatchers(_ text: inout MetricsText) {
    let lag = kernel.watchLag
    text.gauge("muster_connections", "Open connections.", UInt64(connectionCount))
    text.gauge("muster_watchers", "Open watches.", UInt64(lag.watchers))
    text.gauge("muster_watcher_lag_commits", "How far the slowest watcher is behind.", lag.commits)
    text.counter("muster_deliveries_total", "Commits that were sent to watchers.", kernel.counters.deliveries)
  }

  private func addCluster(_ text: inout MetricsText) {
    let status = statusForMetrics()
    text.labelled(
      "muster_nodes", "Nodes by state.", type: "gauge", label: "state",
      NodeState.allCases.map { ($0.name, UInt64(status.nodesByState[Int($0.rawValue)])) })
    text.labelled(
      "muster_shards", "Shards by condition.", type: "gauge", label: "condition",
      [
        ("total", status.shards), ("available", status.availableShards),
        ("under-replicated", status.underReplicatedShards), ("leaderless", status.leaderlessShards),
        ("moving", status.movingShards), ("unplaced", status.unplacedShards),
      ])
    text.labelled(
      "muster_alarms", "Alarms that are raised.", type: "gauge", label: "alarm", status.alarms.map { ($0.name, 1) })
  }
}
