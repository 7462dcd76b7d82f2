import MusterBytes
import MusterCluster
import MusterKernel
import MusterLog
import Testing

/// What the kernel says of a disk that runs full.
@Suite struct StorageTests {
  private let now = Now(wall: 1_000_000, monotonic: 1)

  private func kernel(_ state: State, run: UInt64) -> Kernel {
    Kernel(
      state, identity: Identity(clusterID: "c", version: "1", origin: BlockOrigin(timeline: 1, term: 1, run: run)),
      after: .zero)
  }

  private func isRaised(_ kernel: Kernel) -> Bool? {
    while kernel.takeBlock() != nil { _ = kernel.blockDurable() }
    return kernel.view.alarmID(named: "disk-full").map { kernel.view.alarms[$0].isRaised }
  }

  @Test func anAlarmIsClearedOnceThereIsRoom() {
    let kernel = kernel(State(), run: 1)
    kernel.storageChanged(nil, now)
    #expect(isRaised(kernel) == nil)
    kernel.storageChanged("full", now)
    #expect(isRaised(kernel) == true)
    #expect(kernel.readOnlyBecause == "full")
    kernel.storageChanged(nil, now)
    #expect(isRaised(kernel) == false)
    #expect(kernel.readOnlyBecause == "")
  }

  @Test func anAlarmOfAnEarlierRunIsClearedToo() {
    let first = kernel(State(), run: 1)
    first.storageChanged("full", now)
    #expect(isRaised(first) == true)
    let second = kernel(first.view, run: 2)
    second.storageChanged(nil, now)
    #expect(isRaised(second) == false)
    let revision = second.view.revision
    second.storageChanged(nil, now)
    #expect(isRaised(second) == false && second.view.revision == revision, "that is said once")
  }
}
