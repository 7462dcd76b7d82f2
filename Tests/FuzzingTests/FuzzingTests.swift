import Foundation
import MusterFuzzing
import MusterWorkload
import Testing

/// The corpus, and small changes of it, without a fuzzer: what was found once stays found. `Tools/fuzz` looks further.
@Suite struct FuzzingTests {
  private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Corpus")

  private func seeds(of target: FuzzTarget) throws -> [[UInt8]] {
    let folder = FuzzingTests.corpus.appending(path: target.rawValue)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try target.seeds() + names.map { [UInt8](try Data(contentsOf: folder.appending(path: $0))) }
  }

  @Test(arguments: FuzzTarget.allCases)
  func noBytesTrap(target: FuzzTarget) throws {
    let seeds = try seeds(of: target)
    #expect(!seeds.isEmpty)
    for seed in seeds { target.run(seed) }
    var random = SeededGenerator(seed: 1)
    for _ in 0..<300 {
      var bytes = seeds[random.below(seeds.count)]
      for _ in 0...random.below(4) where !bytes.isEmpty { mutate(&bytes, &random) }
      target.run(bytes)
    }
    target.run([])
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    let place = random.below(bytes.count)
    switch random.below(5) {
    case 0: bytes[place] ^= 1 << random.below(8)
    case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.remove(at: place)
    default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
    }
  }
}
