import MusterDisk
import Testing

@Suite struct ParallelWorkTests {
  private struct Fault: Error, Equatable { var place: Int }

  @Test(arguments: [0, 1, 2, 500]) func everyPieceIsDoneAndStandsInItsPlace(count: Int) throws {
    let found = try ParallelWork.run(count, worker: { 10 }, { $0 * $1 })
    #expect(found == (0..<count).map { 10 * $0 })
  }

  @Test func theErrorIsThatOfTheFirstPieceThatFails() {
    for _ in 0..<50 {
      #expect(throws: Fault(place: 7)) {
        _ = try ParallelWork.run(100, worker: { 0 }) { _, place in
          if place >= 7 { throw Fault(place: place) }
        }
      }
    }
  }

  @Test func aWorkerThatCannotBeMadeIsAnError() {
    #expect(throws: Fault(place: 0)) {
      _ = try ParallelWork.run(3, worker: { () throws -> Int in throw Fault(place: 0) }) { _, place in place }
    }
  }
}
