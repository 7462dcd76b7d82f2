/// What goes wrong in a run.
package enum Fault: String, CaseIterable, Sendable {
  // The server and its disk.
  case powerLoss = "power-loss"
  case kill
  case cleanStop = "clean-stop"
  case syncError = "sync-error"
  case diskFull = "disk-full"
  case diskSlow = "disk-slow"
  case rot
  case lostWrite = "lost-write"
  case misdirectedWrite = "misdirected-write"
  case pauseServer = "pause-server"
  case serverClock = "server-clock"
  // The network.
  case partition
  case oneWay = "one-way"
  case reset
  case frameLoss = "frame-loss"
  case duplicate
  case reorder
  case split
  case slowNetwork = "slow-network"
  // The nodes.
  case pauseNode = "pause-node"
  case massPause = "mass-pause"
  case restartNode = "restart-node"
  /// A leader dies just when its followers' standing or its own changed.
  case ambush
  case nodeClock = "node-clock"
  case loseData = "lose-data"
  case cutData = "cut-data"
  // People.
  case operators
  case burst

  /// How often it happens in a run that has it, in seconds; 0 for what is a probability of each message.
  var meanSeconds: Int {
    switch self {
    case .powerLoss: 40
    case .kill: 50
    case .cleanStop: 90
    case .syncError: 120
    case .diskFull: 120
    case .diskSlow: 60
    case .rot: 80
    case .lostWrite: 110
    case .misdirectedWrite: 110
    case .pauseServer: 60
    case .serverClock: 45
    case .partition: 30
    case .oneWay: 40
    case .reset: 8
    case .frameLoss, .duplicate, .reorder, .split, .ambush: 0
    case .slowNetwork: 40
    case .pauseNode: 25
    case .massPause: 150
    case .restartNode: 25
    case .nodeClock: 45
    case .loseData: 120
    case .cutData: 15
    case .operators: 4
    case .burst: 45
    }
  }
}
