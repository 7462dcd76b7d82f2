import MusterProtocol
import MusterWorkload
import Testing

@Suite struct CallTableTests {
  @Test func aCallIsOpenOnceUntilItIsClosed() {
    var table = CallTable<String>()
    #expect(table.open(7, "a") == true)
    #expect(table.open(7, "b") == false)
    #expect(table[7] == "a")
    #expect(table.close(7) == "a")
    #expect(table.close(7) == nil)
    #expect(table.count == 0)
    #expect(table.isOpen(0) == false)
  }

  @Test func itDoesWhatADictionaryDoes() {
    var table = CallTable<Int>()
    var model: [UInt32: Int] = [:]
    var random = SeededGenerator(seed: 42)
    for step in 0..<40_000 {
      // Few numbers, far apart, so that many share a place.
      let call = UInt32(random.below(300) + 1) &* 0x0100_0000 | 1
      if random.below(2) == 0 {
        let isNew = table.open(call, step)
        #expect(isNew == (model[call] == nil))
        if isNew { model[call] = step }
      } else {
        let closed = table.close(call)
        #expect(closed == model.removeValue(forKey: call))
      }
      #expect(table.count == model.count)
    }
    for (call, value) in model { #expect(table[call] == value) }
    #expect(table.closeAll().map(\.call) == model.keys.sorted())
  }

  @Test func deadlinesAreFoundOnceTheyHavePassed() {
    var table = CallTable<Int>()
    _ = table.open(1, 1, deadline: 300)
    _ = table.open(2, 2, deadline: 100)
    _ = table.open(3, 3)
    #expect(table.expired(at: 99) == nil)
    #expect(table.expired(at: 100) == 2)
    _ = table.close(2)
    #expect(table.expired(at: 299) == nil)
    #expect(table.expired(at: 1000) == 1)
    _ = table.close(1)
    #expect(table.expired(at: .max - 1) == nil)
    #expect(table.isOpen(3))
  }
}
