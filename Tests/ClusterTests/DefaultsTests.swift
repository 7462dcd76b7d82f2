import MusterBytes
import MusterCluster
import Testing

/// A writer leaves out what is zero, a reader leaves what is left out as it was: so a message begins with nothing but
/// zeros. One that did not made another step of a move on replay than there had been.
@Suite struct DefaultsTests {
  /// The kinds of a message that is one of several: each is read from an empty body and written again.
  private func check<M: Message>(_ type: M.Type, atLeast kinds: Int) {
    var seen = 0
    for field in 1...200 {
      let bytes = Kind(field: field).encoded()
      guard let message = try? M(bytes: bytes, refusingUnknownFields: true) else { continue }
      seen += 1
      #expect(isHollow(message.encoded()[...]), "field \(field) of \(type)")
    }
    #expect(seen >= kinds, "\(seen) kinds of \(type)")
  }

  private func check<M: FieldMessage>(_ message: M) { #expect(isHollow(message.encoded()[...]), "\(M.self)") }

  /// Nothing but messages that are written also when they are empty.
  private func isHollow(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while let tag = varint(&rest) {
      guard tag & 7 == 2, let length = varint(&rest), length <= rest.count else { return false }
      guard isHollow(rest.prefix(Int(length))) else { return false }
      rest = rest.dropFirst(Int(length))
    }
    return true
  }

  private func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    var (value, shift) = (UInt64(0), UInt64(0))
    while let byte = rest.popFirst() {
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  @Test func whatIsLeftOutIsZero() {
    check(Event.self, atLeast: Event.kinds.count)
    check(Command.self, atLeast: 35)
    check(Question.self, atLeast: 8)
    check(Commit())
    check(Reason(.unstated))
    check(Policy())
    check(SpreadRule())
    check(LabelRule())
    check(Amount())
    check(NodeRow())
    check(CollectionRow())
    check(ShardRow())
    check(MoveRow())
    check(ConfigRow())
    check(SchemaRow())
    check(PrincipalRow())
    check(SessionRow())
    check(AlarmRow())
    check(TenantRow())
    check(ChildShard())
  }
}

/// Only a kind, and nothing in it.
private struct Kind: FieldMessage {
  var field = 1
  private var body = Empty()

  init() {}
  init(field: Int) { self.field = field }

  mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.message(field, &body)
  }

  private struct Empty: FieldMessage {
    mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {}
  }
}
