import MusterCluster
import MusterControllers
import Testing

/// Keys below `system/` are read by Muster itself: what nobody would read is refused.
@Suite struct SystemSettingTests {
  private func refusal(
    _ key: String, _ value: ConfigValue, in scope: ScopeName = ScopeName(.cluster), _ state: State = State()
  ) -> Refusal? { refusal(.setConfig(SetConfig(key: key, scope: scope, value: value)), state) }

  private func refusal(_ command: Command, _ state: State) -> Refusal? {
    var state = state
    let context = RequestContext(principal: "p", kind: .person, assurance: .own, wallTime: 1, reason: nil)
    guard case .refused(let refusal) = state.execute(Request(command), context, PlacementPlanner()) else { return nil }
    return refusal
  }

  @Test func everySettingTakesTheEndsOfItsRangeAndNothingBeyond() {
    for setting in SystemSetting.all {
      let (low, high) = (setting.range.lowerBound, setting.range.upperBound)
      #expect(refusal(setting.key, .integer(low)) == nil && refusal(setting.key, .integer(high)) == nil)
      #expect(refusal(setting.key, .text(String(low))) == nil, "what is typed without a schema is a text")
      #expect(refusal(setting.key, .integer(low - 1))?.code == .invalid)
      if high < .max { #expect(refusal(setting.key, .integer(high + 1))?.message.contains("from \(low) to") == true) }
      for value in [ConfigValue.text("soon"), .text(""), .text("1s"), .boolean(true), .bytes([1])] {
        #expect(refusal(setting.key, value)?.code == .invalid)
      }
    }
  }

  @Test func everyKeyThatControllersReadIsASetting() {
    let keys = SystemSetting.all.map(\.key)
    let scrubbing = ["system/scrub-bytes-per-second", "system/scrub-pause-seconds"]
    #expect(Set(keys) == Set(ControllerSettings.keys + scrubbing) && keys.count == Set(keys).count)
  }

  @Test func anUnknownNameIsRefusedWithTheNearestFirst() throws {
    let typo = try #require(refusal("system/repair-delay-second", .integer(5)))
    #expect(typo.code == .invalid)
    #expect(
      typo.message.hasPrefix(
        "there is no system setting \"system/repair-delay-second\": there are system/repair-delay-seconds, "))
    let other = try #require(refusal("system/moves/recovery-pernode", .integer(5)))
    #expect(other.message.contains("there are system/moves/recovery-per-node, "))
    #expect(refusal("systems/mine", .text("x")) == nil, "what is not ours is anybody's")
  }

  @Test func aSettingIsOfTheWholeClusterAndTakesNoSchema() {
    var state = State()
    let context = RequestContext(principal: "p", kind: .person, assurance: .own, wallTime: 1, reason: nil)
    _ = state.execute(Request(.createTenant(CreateTenant(name: "acme"))), context, PlacementPlanner())
    let key = "system/repair-delay-seconds"
    #expect(refusal(key, .integer(5), in: ScopeName(.tenant, "acme"), state)?.message.contains("scope cluster") == true)
    #expect(refusal(.setSchema(SetSchema(key: key, schema: ConfigSchema())), state)?.code == .invalid)
  }

  /// What was written before names were checked is there still, and can be deleted.
  @Test func anOlderLogReplays() throws {
    var state = State()
    var commit = Commit()
    (commit.revision, commit.time, commit.principal) = (1, 1, 1)
    commit.events = [
      .principalSeen(PrincipalSeen(principal: 1, name: "p", kind: .person)),
      .configKeyAdded(ConfigKeyAdded(config: 1, key: "system/long-gone", scope: .cluster)),
      .configSet(ConfigSet(config: 1, value: .boolean(true))),
    ]
    try state.apply(commit)
    #expect(state.configs[1].value == .boolean(true))
    let delete = DeleteConfig(key: "system/long-gone", scope: ScopeName(.cluster))
    #expect(refusal(.deleteConfig(delete), state) == nil)
  }
}
