import Foundation
import Testing

/// The verifier that shares no code with the program.
///
/// - Returns: its exit code.
func checkWithPython(_ arguments: [String]) throws -> Int32 {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
  process.arguments = [Program.root.appending(path: "Tools/check-proof.py").path] + arguments
  process.standardOutput = FileHandle.nullDevice
  process.standardError = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  return process.terminationStatus
}
