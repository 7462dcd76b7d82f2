import Testing

import MusterHosts

@Suite struct NodeDirectoryTests {
  @Test func oneAgentWorksInADirectoryAtATime() throws {
    let place = try Place()
    let path = "\(place.root)/n1"
    var first: NodeDirectory? = try NodeDirectory(path)
    #expect(first?.path.hasSuffix("/n1") == true)
    #expect(throws: (any Error).self) { try NodeDirectory(path) }
    first = nil
    _ = try NodeDirectory(path)
  }

  @Test func dataOfAnotherClusterIsNotTouched() throws {
    let place = try Place()
    let directory = try NodeDirectory("\(place.root)/n1")
    try directory.bind(to: "one")
    try directory.bind(to: "one")
    #expect(throws: (any Error).self) { try directory.bind(to: "two") }
  }

  @Test func whatWasPromisedIsReadBackAndDamageIsNotTakenForNothing() throws {
    let place = try Place()
    let record = ReplicaRecord(
      promised: 7, isLost: true, port: 4000, password: "p", history: 9, positionRun: "r", led: 9)
    #expect(try ReplicaRecord.read(place.root) == nil)
    try record.write(place.root)
    #expect(try ReplicaRecord.read(place.root) == record)
    try FileText.replace("\(place.root)/\(ReplicaRecord.fileName)", with: "promised 7\nlo")
    #expect(throws: (any Error).self) { try ReplicaRecord.read(place.root) }
  }
}
