import MusterCluster
import MusterControllers
import Testing

@Suite struct SealingTests {
  private func ask(_ state: inout State, _ command: Command) -> Outcome {
    let context = RequestContext(principal: "ops", kind: .person, assurance: .asserted, wallTime: 1)
    return state.execute(Request(command), context, PlacementPlanner())
  }

  private func refusal(_ outcome: Outcome) -> RefusalCode? {
    if case .refused(let refusal) = outcome { refusal.code } else { nil }
  }

  private func sealed(_ tenant: TenantID, _ key: UInt32, _ type: ConfigType = .text) -> ConfigValue {
    var value = SealedValue()
    (value.tenant, value.key, value.type, value.content) = (tenant, key, type, [UInt8](1...40))
    return .sealed(value)
  }

  private func set(_ key: String, _ value: ConfigValue, _ scope: ScopeName = ScopeName(.cluster)) -> Command {
    .setConfig(SetConfig(key: key, scope: scope, value: value))
  }

  private func schema(_ key: String, sensitive: Bool = true) -> Command {
    var schema = ConfigSchema()
    schema.isSensitive = sensitive
    return .setSchema(SetSchema(key: key, schema: schema))
  }

  private func withTenant() -> State {
    var state = State()
    _ = ask(&state, .createTenant(CreateTenant(name: "acme")))
    _ = ask(&state, schema("secret"))
    return state
  }

  @Test func aSensitiveKeyTakesSealedValuesAloneAndNoOtherKeyTakesOne() {
    var state = withTenant()
    #expect(state.hasSensitiveKeys)
    #expect(refusal(ask(&state, set("secret", .text("open")))) == .invalid)
    #expect(refusal(ask(&state, set("plain", sealed(0, 1)))) == .invalid)
    #expect(refusal(ask(&state, set("secret", sealed(0, 1, .integer)))) == .invalid, "the schema's type holds")
    #expect(refusal(ask(&state, set("secret", sealed(0, 1)))) == nil)
  }

  @Test func theKeyMustBeTheOneInForceOfTheScopesOwner() {
    var state = withTenant()
    let acme = ScopeName(.tenant, "acme")
    #expect(refusal(ask(&state, set("secret", sealed(0, 1), acme))) == .invalid)
    #expect(refusal(ask(&state, set("secret", sealed(1, 2), acme))) == .invalid)
    #expect(refusal(ask(&state, set("secret", sealed(1, 1), acme))) == nil)
    _ = ask(&state, .eraseTenant(EraseTenant(tenant: "acme")))
    #expect(refusal(ask(&state, set("secret", sealed(1, 1), acme))) == .invalid)
    #expect(refusal(ask(&state, set("secret", sealed(1, 2), acme))) == nil)
  }

  @Test func whetherAKeyIsSensitiveIsSettledBeforeItsFirstValue() {
    var state = State()
    _ = ask(&state, set("k", .text("open")))
    #expect(refusal(ask(&state, schema("k"))) == .conflict)
    _ = ask(&state, .deleteConfig(DeleteConfig(key: "k", scope: ScopeName(.cluster))))
    #expect(refusal(ask(&state, schema("k"))) == .conflict, "the log still has what was deleted")
    _ = ask(&state, schema("s"))
    #expect(refusal(ask(&state, schema("s", sensitive: false))) == nil)
    #expect(!state.hasSensitiveKeys)
    _ = ask(&state, schema("s"))
    _ = ask(&state, set("s", sealed(0, 1)))
    #expect(refusal(ask(&state, schema("s", sensitive: false))) == .conflict)
  }

  @Test func anErasureMarksWhatItErasedAndNothingElse() throws {
    var state = withTenant()
    _ = ask(&state, set("secret", sealed(1, 1), ScopeName(.tenant, "acme")))
    _ = ask(&state, set("secret", sealed(0, 1)))
    let before = state
    #expect(refusal(ask(&state, .eraseTenant(EraseTenant(tenant: "nobody")))) == .notFound)
    _ = ask(&state, .eraseTenant(EraseTenant(tenant: "acme")))
    #expect(state.report(config: 1).isErased)
    #expect(!state.report(config: 2).isErased)
    #expect(state.report(config: 1).value == before.report(config: 1).value, "the ciphertext stays what it is")
    _ = ask(&state, .eraseTenant(EraseTenant(tenant: "")))
    #expect(state.report(config: 2).isErased)
    #expect(state.erasedKeys(of: 0) == 1 && state.erasedKeys(of: 1) == 1)
    #expect(state.digest == state.computedDigest())
  }

  /// Pages bring back what is derived from them.
  @Test func aLoadedStateKnowsItsSensitiveKeys() throws {
    let state = withTenant()
    var loaded = State.empty()
    try state.forEachPage(changedSince: nil) { try loaded.addPage(table: $0.rawValue, page: $1, $2) }
    try loaded.finishPages(revision: state.revision, time: state.time)
    loaded.resumeDigest()
    #expect(loaded.hasSensitiveKeys && loaded.digest == state.digest)
  }
}
