import FoundationEssentials
import MusterCluster
import MusterProtocol

/// A policy as `muster collection show NAME --output json` prints it. What is left out stays as it is.
struct PolicyFile: Decodable {
  var name: String
  var replicas: UInt32?
  var spread: [String]?
  var require: [String: String]?
  var rules: [String]?
  var apart: [String]?
  var leadOn: [String]?
  var weights: [String: UInt64]?
  var minInSync: UInt32?
  var uncleanElection: Bool?
  var labels: [String: String]?

  /// - Throws: ``Failure`` when there is no such file, or it is no policy.
  static func read(_ path: String) throws -> PolicyFile {
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure(.refused, "cannot read \(path)") }
    do { return try JSONDecoder().decode(PolicyFile.self, from: data) } catch {
      throw Failure.usage("\(path) is no policy such as `muster collection show NAME --output json` prints: \(error)")
    }
  }

  /// The change to the collection as it is now.
  func change(of old: CollectionReport) throws -> ChangeCollection {
    var policy = old.policy
    if let replicas { policy.replicas = replicas }
    if let spread { policy.spread = try spread.map(PolicyOptions.rule) }
    if let require { policy.required = sorted(require).map { Label($0.key, $0.value) } }
    if let rules { policy.rules = try rules.map(PolicyOptions.labelRule) }
    if let apart { policy.apart = apart }
    if let leadOn { policy.leaderPreference = try leadOn.map(PolicyOptions.labelRule) }
    if let weights { policy.weights = sorted(weights).map { Amount($0.key, $0.value) } }
    guard minInSync != 0 else { throw Failure.usage("minInSync is at least 1: the leader itself acknowledges a write") }
    if let minInSync { policy.minInSync = minInSync }
    if let uncleanElection { policy.allowsUncleanElection = uncleanElection }
    let labels = labels.map { sorted($0).map { Label($0.key, $0.value) } } ?? old.labels
    return ChangeCollection(name: name, policy: policy, labels: labels)
  }

  private func sorted<Value>(_ values: [String: Value]) -> [(key: String, value: Value)] {
    values.sorted { $0.key < $1.key }
  }
}
