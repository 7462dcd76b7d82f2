import MusterCluster
import MusterHistory
import MusterLog
import Testing

@Suite struct MomentTests {
  private let recorded: RecordedHistory
  private let history: History

  init() throws {
    recorded = try RecordedHistory(seed: 21, commits: 1500)
    history = try recorded.history()
  }

  /// The last revision whose commit is at or before a time, by looking at all of them.
  private func bruteForce(_ time: Microseconds) -> Revision {
    Revision(recorded.commits.prefix { $0.time <= time }.count)
  }

  @Test func aTimeIsTheLastCommitAtOrBeforeIt() throws {
    let clock = history.lastTime + 10
    for commit in recorded.commits {
      #expect(try history.resolve(.time(commit.time), clock: 0) == bruteForce(commit.time))
      #expect(try history.resolve(.time(commit.time + 1), clock: clock) == bruteForce(commit.time + 1))
      guard commit.revision > 1 else { continue }
      #expect(try history.resolve(.time(commit.time - 1), clock: 0) == bruteForce(commit.time - 1))
    }
  }

  /// Nobody knows yet how it will be then. What is later than the log and not later than now is as the log ends.
  @Test func aTimeThatHasNotComeYetIsRefused() throws {
    let (end, now) = (history.lastTime, history.lastTime + 5_000_000)
    #expect(try history.resolve(.time(now), clock: now) == recorded.last)
    for (time, clock) in [(now + 1, now), (.max, now), (now, end)] {
      do {
        _ = try history.resolve(.time(time), clock: clock)
        Issue.record("\(time) was resolved at \(clock)")
      } catch .future(_, let newest) {
        #expect(newest == recorded.last)
      }
    }
    // A directory may be looked at long after its last commit.
    history.present = now
    #expect(try history.resolve(.time(now), clock: end) == recorded.last)
  }

  @Test func agoCountsBackFromTheClockItIsGiven() throws {
    let clock = history.lastTime + 1_000_000
    #expect(try history.resolve(.ago(1_000_000), clock: clock) == recorded.last)
    let middle = recorded.commits[700]
    #expect(try history.resolve(.ago(clock - middle.time), clock: clock) == bruteForce(middle.time))
    #expect(try history.resolve(.ago(0), clock: clock) == recorded.last)
  }

  @Test func nowIsTheNewestThatIsShown() throws {
    #expect(try history.resolve(.now, clock: 0) == recorded.last)
    #expect(try recorded.history(through: 900).resolve(.now, clock: 0) == 900)
  }

  @Test func aRevisionThatIsNotThereYetIsRefusedWithTheNewestOne() throws {
    do {
      _ = try history.resolve(.revision(recorded.last + 1), clock: 0)
      Issue.record("a future revision was resolved")
    } catch .future(_, let newest) {
      #expect(newest == recorded.last)
    } catch {
      Issue.record("\(error)")
    }
    #expect(try history.resolve(.revision(0), clock: 0) == 0)
  }

  @Test func momentsBeforeTheFirstCommitAreRefused() throws {
    let first = try #require(recorded.commits.first)
    for moment in [Moment.time(first.time - 1), .time(0), .ago(history.lastTime), .ago(.max)] {
      do {
        _ = try history.resolve(moment, clock: history.lastTime)
        Issue.record("\(moment) was resolved")
      } catch .beforeBeginning {
      } catch {
        Issue.record("\(error)")
      }
    }
  }

  @Test func timesOfAShortenedHistoryEndWithIt() throws {
    let short = try recorded.history(through: 400)
    #expect(try short.resolve(.time(.max), clock: .max) == 400)
    #expect(try short.resolve(.time(recorded.commits[800].time), clock: .max) == 400)
    #expect(try short.resolve(.time(recorded.commits[120].time), clock: 0) == bruteForce(recorded.commits[120].time))
  }
}
