import Glibc
import MusterFuzzing

/// Which of the targets this process fuzzes: `MUSTER_FUZZ_TARGET`.
private let target: FuzzTarget = {
  guard let name = getenv("MUSTER_FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
    fatalError("MUSTER_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}

/// Writes what a fuzzer begins with into the directory `MUSTER_FUZZ_SEEDS`, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(
  _ count: UnsafeMutablePointer<CInt>?,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
  guard let directory = getenv("MUSTER_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  do {
    for (number, bytes) in try target.seeds().enumerated() {
      let path = "\(directory)/seed-\(number)"
      guard let file = fopen(path, "w") else { fatalError("\(path) cannot be written") }
      fwrite(bytes, 1, bytes.count, file)
      fclose(file)
    }
  } catch {
    fatalError("\(error)")
  }
  exit(0)
}

/// The fuzzer's own loop.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What the build makes the program begin with.
@_cdecl("fuzz_main")
public func fuzzMain(_ count: CInt, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var words = words
  return withUnsafeMutablePointer(to: &words) { runFuzzer(&count, $0, fuzzOneInput) }
}
