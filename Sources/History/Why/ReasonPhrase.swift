package import MusterCluster

extension Reason {
  /// Why, as the end of a sentence; nil when nobody said.
  package var phrase: String? {
    let inputs = arguments.isEmpty ? "" : " (\(arguments.joined(separator: ", ")))"
    let node = self["node"] ?? "a node"
    return switch kind {
    case .unstated: text.isEmpty ? nil : "\"\(text)\""
    case .request: text.isEmpty ? nil : "it was asked for, saying \"\(text)\""
    case .heartbeatMissed: "its heartbeats were missed\(inputs)"
    case .heartbeatResumed: "its heartbeats are regular again\(inputs)"
    case .placementContinued: "a collection too large for one commit is placed piece by piece\(inputs)"
    case .drainCompleted: "\(node) has given away everything"
    case .storageLow: "the server's disk is nearly full\(inputs)"
    case .storageRecovered: "the server's disk has room again\(inputs)"
    case .leaderLost: "\(node), which led it, is \(self["state"] ?? "lost")"
    case .election: "the replicas promised the new epoch and said how far they are\(elections)"
    case .uncleanElection:
      "too few surely had everything, and the policy prefers to go on, at the price of data\(elections)"
    case .replicaLost: "\(node), which held a replica, is lost\(self["down-for"].map { ", down for \($0)" } ?? "")"
    case .replicaMissing:
      "it has \(self["replicas"] ?? "too few") replicas and its policy asks for \(self["wanted"] ?? "more")"
    case .draining: "\(node) was asked to give away all it holds"
    case .balance: "loads were uneven\(inputs)"
    case .moveStep: "a move took its next step\(inputs)"
    case .moveFailed: "a move could not go on\(inputs)"
    case .balanceReached: "no move makes the loads more even"
    case .replicaMisplaced:
      "the policy does not want a replica on \(node) any more\(self["rule"].map { " (rule: \($0))" } ?? "")"
    case .replicaSurplus:
      "it has \(self["replicas"] ?? "more") replicas and its policy asks for \(self["wanted"] ?? "fewer")"
    case .handOverFailed: "the leader did not hand over as it was asked\(inputs)"
    case .checksumMismatch: "replicas differ at the same position\(inputs)"
    case .checkpointRefused: "what was signed before and the log do not fit together\(inputs)"
    case .restored: "the cluster was restored from a backup\(inputs)"
    case .retention: "it was older than what is kept"
    case .scrubFault: "what was read again from the disk is not what was written"
    case .checkpointResumed: "checkpoints are signed again"
    case .leaderPreferred:
      "its policy prefers leaders elsewhere: \(self["next"] ?? "another node") rather than \(self["leader"] ?? "it")"
    case .growth: "\(self["collection"] ?? "it") shall have \(self["wanted"] ?? "more") shards"
    case .availability:
      "shards are short of what \(self["collection"] ?? "a collection") promises, or are so no more\(inputs)"
    case .ownStall: "the server itself stood still, and judged no node meanwhile\(inputs)"
    case .hostProblem: "what hosts replicas on \(node) has a problem\(inputs)"
    }
  }

  /// Who was elected of whom. Older commits say how far each was as `n2 4294967296/120`.
  private var elections: String {
    let told = arguments.map { argument in
      argument.split(separator: " ", omittingEmptySubsequences: false).map(Reason.readablePosition)
        .joined(separator: " ")
    }
    return told.isEmpty ? "" : " (\(told.joined(separator: "; ")))"
  }

  private static func readablePosition(_ word: Substring) -> String {
    let numbers = (word.hasSuffix(",") ? word.dropLast() : word).split(separator: "/", omittingEmptySubsequences: false)
      .map { UInt64($0) }
    guard numbers.count == 2, let history = numbers[0], let offset = numbers[1] else { return String(word) }
    return "(\(ReplicaPosition.words(history: history, offset: offset)))" + (word.hasSuffix(",") ? "," : "")
  }

  /// The value of an argument that is written `name=value`.
  private subscript(name: String) -> String? {
    for argument in arguments where argument.hasPrefix(name + "=") { return String(argument.dropFirst(name.count + 1)) }
    return nil
  }
}
