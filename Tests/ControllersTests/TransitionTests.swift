import MusterCluster
import MusterControllers
import Testing

/// From old replicas to new ones, as other systems have published it: TiKV's PD builds steps that add before they remove
/// and hand leadership over between; Kafka keeps the union of old and new until the new are in sync, and a reassignment
/// that is cancelled ends where it began.
@Suite struct TransitionTests {
  private func model(_ nodes: Int = 6, slow: Bool = false) -> ClusterModel {
    var model = ClusterModel()
    for node in 1...nodes { model.join("n\(node)", "eu/z\(node)/r") }
    var policy = Policy()
    policy.replicas = 3
    policy.minInSync = 2
    model.order(.createCollection(CreateCollection(name: "c", shards: 1, policy: policy, labels: [], tenant: "")))
    model.run(seconds: 1)
    model.isSlow = slow
    return model
  }

  private func names(_ model: ClusterModel) -> [String] {
    model.state.shards[1].replicas.map { model.state.nodeName($0.node) }
  }

  private func leader(_ model: ClusterModel) -> String { model.state.nodeName(model.state.shards[1].leader) }

  private func outsider(_ model: ClusterModel) -> String {
    (1...6).map { "n\($0)" }.first { !names(model).contains($0) } ?? ""
  }

  private func move(_ model: inout ClusterModel, _ source: String, _ target: String) -> Outcome {
    model.order(.startMove(StartMove(collection: "c", index: 0, source: source, target: target)))
  }

  /// What happened to the shard since a revision, in order.
  private func story(_ model: ClusterModel, since revision: Revision) -> [String] {
    model.commits.filter { $0.revision > revision }.flatMap(\.events).compactMap { event in
      switch event {
      case .replicaAdded(let event): "add learner \(model.state.nodeName(event.node))"
      case .replicaCaughtUp(let event): "in sync \(model.state.nodeName(event.node))"
      case .replicaPromoted(let event): "promote \(model.state.nodeName(event.node))"
      case .leaderElected(let event): "lead \(model.state.nodeName(event.node))"
      case .replicaRemoved(let event): "remove \(model.state.nodeName(event.node))"
      default: nil
      }
    }
  }

  @Test func aFollowerIsReplacedByAddingFirst() {
    var model = model()
    let (source, target) = (names(model).first { $0 != leader(model) } ?? "", outsider(model))
    let start = model.state.revision
    _ = move(&model, source, target)
    model.run(seconds: 5)
    #expect(
      story(model, since: start) == [
        "add learner \(target)", "in sync \(target)", "promote \(target)", "remove \(source)",
      ])
  }

  @Test func aLeaderHandsOverBetweenPromotionAndRemoval() {
    var model = model()
    let (source, target) = (leader(model), outsider(model))
    let start = model.state.revision
    _ = move(&model, source, target)
    model.run(seconds: 5)
    #expect(
      story(model, since: start) == [
        "add learner \(target)", "in sync \(target)", "promote \(target)", "lead \(target)", "remove \(source)",
      ])
  }

  @Test func onlyAddingRemovesNothing() {
    var model = model()
    let target = outsider(model)
    let start = model.state.revision
    _ = move(&model, "", target)
    model.run(seconds: 0.5)
    #expect(
      story(model, since: start).prefix(3) == ["add learner \(target)", "in sync \(target)", "promote \(target)"])
  }

  @Test func allThreeAreReplacedOneAfterTheOtherAndThreeAlwaysVote() {
    var model = model(slow: true)
    let old = names(model)
    let new = (1...6).map { "n\($0)" }.filter { !old.contains($0) }
    for (source, target) in zip(old, new) {
      guard case .committed = move(&model, source, target) else {
        Issue.record("the move from \(source) to \(target) was refused")
        return
      }
      guard case .refused = move(&model, source, new[2]) else {
        Issue.record("a second move of the shard began")
        return
      }
      model.run(seconds: 20)
    }
    #expect(Set(names(model)) == Set(new))
    #expect(model.isWhole)
  }

  @Test func untilTheNewOneIsInSyncTheOldOnesStay() {
    var model = model()
    let (old, target) = (names(model), outsider(model))
    model.kill(target)
    _ = move(&model, old[0], target)
    model.run(seconds: 1)
    #expect(Set(names(model)) == Set(old + [target]))
    guard case .refused = model.order(.advanceMove(AdvanceMove(move: 1, step: .promoted))) else {
      Issue.record("a replica that is behind was promoted")
      return
    }
  }

  @Test func aCancelledMoveEndsWhereItBegan() {
    for steps in 0..<3 {
      var model = model()
      let (old, leads, target) = (names(model), leader(model), outsider(model))
      let source = old.first { $0 != leads } ?? ""
      _ = move(&model, source, target)
      for _ in 0..<steps { model.step() }
      guard model.state.shards[1].move != 0 else { break }
      guard case .committed = model.order(.advanceMove(AdvanceMove(move: 1, step: .cancelled))) else {
        Issue.record("the move could not be cancelled after \(steps) steps")
        return
      }
      model.run(seconds: 1)
      #expect(names(model) == old && leader(model) == leads && model.isWhole)
    }
  }

  @Test func aMoveWhoseTargetLeadsCannotBeCancelledOnlyMovedBack() {
    var model = model(slow: true)
    let (source, target) = (leader(model), outsider(model))
    _ = move(&model, source, target)
    var rounds = 0
    while leader(model) != target, rounds < 600 {
      model.step()
      rounds += 1
    }
    if model.state.shards[1].move != 0 {
      guard case .refused(let refusal) = model.order(.advanceMove(AdvanceMove(move: 1, step: .cancelled))) else {
        Issue.record("the leader's replica was taken away")
        return
      }
      #expect(refusal.code == .conflict)
    }
    model.run(seconds: 5)
    _ = move(&model, target, source)
    model.run(seconds: 30)
    #expect(names(model).contains(source) && !names(model).contains(target))
    #expect(model.isWhole)
  }

  @Test func aMoveWhoseSourceThePolicyWantsByThenTakesNothingAway() {
    var model = model(slow: true)
    let (old, target) = (names(model), outsider(model))
    let source = old.first { $0 != leader(model) } ?? ""
    _ = move(&model, source, target)
    var policy = model.state.collections[1].policy
    policy.replicas = 4
    let start = model.state.revision
    model.order(.changeCollection(ChangeCollection(name: "c", policy: policy, labels: [])))
    model.run(seconds: 60)
    #expect(Set(names(model)) == Set(old + [target]))
    #expect(model.isWhole)
    #expect(!story(model, since: start).contains { $0.hasPrefix("remove") })
  }

  @Test func aMoveThatIsCalledOffAfterThePolicyGrewKeepsItsTarget() {
    var model = model(slow: true)
    let (old, target) = (names(model), outsider(model))
    let source = leader(model)
    _ = move(&model, source, target)
    while model.state.moves.row(1)?.step == .catchingUp { model.step() }
    guard model.state.moves.row(1)?.step == .promoted else {
      Issue.record("it is past its promotion")
      return
    }
    var policy = model.state.collections[1].policy
    policy.replicas = 4
    model.order(.changeCollection(ChangeCollection(name: "c", policy: policy, labels: [])))
    model.order(.advanceMove(AdvanceMove(move: 1, step: .cancelled)))
    #expect(model.state.shards[1].move == 0)
    model.run(seconds: 30)
    #expect(Set(names(model)) == Set(old + [target]))
    #expect(model.isWhole)
  }

  @Test func aMoveThatIsCalledOffTakesTheLeadershipBackThatItsTargetGotMeanwhile() {
    var model = model(slow: true)
    let (old, target) = (names(model), outsider(model))
    let source = leader(model)
    _ = move(&model, source, target)
    while model.state.shards[1].heir == 0, model.state.shards[1].move != 0 { model.step() }
    let start = model.state.revision
    model.order(.advanceMove(AdvanceMove(move: 1, step: .cancelled)))
    #expect(model.state.moves.row(1)?.step == .undoing)
    model.run(seconds: 60)
    #expect(story(model, since: start) == ["lead \(target)", "lead \(source)", "remove \(target)"])
    #expect(names(model) == old && leader(model) == source && model.isWhole)
  }

  @Test func aTargetThatDiesOnTheWayIsGivenUpAndNothingIsLost() {
    var model = model(slow: true)
    let (old, target) = (names(model), outsider(model))
    _ = move(&model, old[0], target)
    model.kill(target)
    model.run(seconds: 30)
    #expect(Set(names(model)) == Set(old))
    #expect(model.isWhole)
  }

  @Test func aSourceThatDiesOnTheWayIsReplacedAllTheSame() {
    var model = model(slow: true)
    let (source, target) = (names(model).first { $0 != leader(model) } ?? "", outsider(model))
    _ = move(&model, source, target)
    model.kill(source)
    model.run(seconds: 100)
    #expect(names(model).contains(target) && !names(model).contains(source))
    #expect(model.isWhole)
  }
}
