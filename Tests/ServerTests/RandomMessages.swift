import MusterBytes
import MusterCluster
import MusterWorkload

/// Fills the fields of messages with values that are allowed on the wire, likely to name what exists, and often
/// extreme.
struct RandomFields: FieldVisitor {
  var random: SeededGenerator
  private var depth = 0

  /// What `RandomRequestTests` begins with, and then what makes no sense anywhere.
  private static let names = [
    "n1", "n2", "n3", "n4", "n5", "n6", "c1", "c2", "c1", "c2", "", "cpu", "r/z/k", "c1/0", "Ä",
  ]
  private static let numbers: [UInt64] = [1, 2, 3, 4, 5, 6, 0, 100, 4096, 1 << 31, 1 << 32 - 1, 1 << 60, 1 << 63, .max]

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func number() -> UInt64 { RandomFields.numbers[random.below(random.oneIn(6) ? 14 : 6)] }
  private mutating func name() -> String { RandomFields.names[random.below(random.oneIn(6) ? 15 : 11)] }

  mutating func fill<M: FieldMessage>(_: M.Type = M.self) -> M {
    var message = M()
    do throws(WireError) { try message.visit(&self) } catch { preconditionFailure("filling never fails") }
    return message
  }

  mutating func uint64(_ field: Int, _ value: inout UInt64) { value = number() }
  mutating func uint32(_ field: Int, _ value: inout UInt32) { value = UInt32(clamping: number()) }
  mutating func sint64(_ field: Int, _ value: inout Int64) { value = Int64(bitPattern: number()) }
  mutating func bool(_ field: Int, _ value: inout Bool) { value = random.oneIn(4) }
  mutating func fixed64(_ field: Int, _ value: inout UInt64) { value = number() }
  mutating func string(_ field: Int, _ value: inout String, max: Int) { value = name() }

  mutating func bytes(_ field: Int, _ value: inout [UInt8], max: Int) {
    value = [UInt8](repeating: 1, count: random.below(4))
  }

  mutating func optional(_ field: Int, _ value: inout UInt64?) { value = random.oneIn(3) ? number() : nil }

  mutating func optional(_ field: Int, _ value: inout String?, max: Int) { value = random.oneIn(3) ? name() : nil }

  mutating func strings(_ field: Int, _ value: inout [String], max: Int, count: Int) {
    value = (0..<random.below(4)).map { _ in name() }
  }

  mutating func packed(_ field: Int, _ value: inout [UInt64], count: Int) {
    value = (0..<random.below(4)).map { _ in number() }
  }

  mutating func packed(_ field: Int, _ value: inout [UInt32], count: Int) {
    value = (0..<random.below(4)).map { _ in UInt32(clamping: number()) }
  }

  mutating func packed<L: PackedList>(_ field: Int, _ value: inout L) {
    for _ in 0..<random.below(4) { _ = value.append(packed: UInt32(clamping: number())) }
  }

  mutating func enumeration<E: RawRepresentable<UInt32>>(_ field: Int, _ value: inout E) {
    value = E(rawValue: UInt32(random.below(6))) ?? value
  }

  mutating func message<M: Message>(_ field: Int, _ value: inout M?) { value = random.oneIn(2) ? any() : nil }
  mutating func message<M: Message>(_ field: Int, _ value: inout M) { value = any() ?? value }

  mutating func messages<M: Message>(_ field: Int, _ value: inout [M], count: Int) {
    value = (0..<random.below(4)).compactMap { _ in any() }
  }

  /// A message of a type that is only known here.
  private mutating func any<M: Message>() -> M? {
    guard depth < 4 else { return nil }
    depth += 1
    defer { depth -= 1 }
    if M.self == Command.self { return command() as? M }
    if M.self == Question.self { return question() as? M }
    if M.self == Moment.self { return moment() as? M }
    if M.self == ConfigValue.self { return value() as? M }
    guard let type = M.self as? any FieldMessage.Type else { return nil }
    return fillAny(type) as? M
  }

  private mutating func fillAny<F: FieldMessage>(_ type: F.Type) -> any Message { fill(type) }

  mutating func command() -> Command {
    switch random.below(29) {
    case 0: .setConfig(fill())
    case 1: .deleteConfig(fill())
    case 2: .setSchema(fill())
    case 3: .joinNode(fill())
    case 4: .leaveNode(fill())
    case 5: .reportReplicas(fill())
    case 6: .reportNodeHealth(fill())
    case 7: .cordonNode(fill())
    case 8: .drainNode(fill())
    case 9: .finishDrain(fill())
    case 10: .removeNode(fill())
    case 11: .setMaintenance(fill())
    case 12: .createCollection(collection())
    case 13: .changeCollection(fill())
    case 14: .deleteCollection(fill())
    case 15: .placeShards(fill())
    case 16: .electLeader(fill())
    case 17: .startMove(fill())
    case 18: .advanceMove(fill())
    case 19: .raiseAlarm(fill())
    case 20: .clearAlarm(fill())
    case 21: .createTenant(fill())
    case 22: .startElections(fill())
    case 23: .concludeElection(fill())
    case 24: .shrinkInSync(fill())
    case 25: .setBalancing(fill())
    case 26: .recoverShard(fill())
    case 27: .rebuildReplica(fill())
    default: .batch(fill())
    }
  }

  /// Small, because what is wanted is many states, not large ones.
  private mutating func collection() -> CreateCollection {
    var command: CreateCollection = fill()
    command.shards = min(command.shards, 8)
    return command
  }

  mutating func question() -> Question {
    switch random.below(10) {
    case 8: .recovery(fill())
    case 0: .status(fill())
    case 1: .nodes(fill())
    case 2: .collections(fill())
    case 3: .shards(fill())
    case 4: .configs(fill())
    case 5: .schemas(fill())
    case 6: .explain(fill())
    case 7: .plan(fill())
    default: .session(fill())
    }
  }

  private mutating func moment() -> Moment {
    switch random.below(4) {
    case 0: .now
    case 1: .revision(number())
    case 2: .time(number())
    default: .ago(number())
    }
  }

  private mutating func value() -> ConfigValue {
    switch random.below(4) {
    case 0: .text(name())
    case 1: .integer(Int64(bitPattern: number()))
    case 2: .boolean(random.oneIn(2))
    default: .bytes([1, 2, 3])
    }
  }
}
