import MusterCluster
import MusterWorkload

/// What a client writes as its n-th command: the same whenever it is asked, so that everything in the log can be
/// compared with what was sent.
struct Written {
  let client: Int
  let sequence: UInt64

  static let keysOfAClient: UInt64 = 8

  var clientName: String { "torture-\(client)" }
  var key: String { "torture/\(client)/\(sequence % Written.keysOfAClient)" }

  /// A few bytes, or some thousands that do not compress.
  var value: String {
    var random = SeededGenerator(seed: UInt64(client) << 40 ^ sequence)
    let words = random.oneIn(3) ? random.below(500) : random.below(8)
    var text = "\(client):\(sequence)"
    for _ in 0..<words { text += " " + String(random.next(), radix: 36) }
    return text
  }

  var request: Request {
    Request(
      .setConfig(SetConfig(key: key, scope: ScopeName(.cluster), value: .text(value))), client: clientName,
      sequence: sequence)
  }
}
