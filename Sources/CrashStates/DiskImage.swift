package import MusterBytes

/// What is found on a disk after a crash: files by their paths, and the directories.
package struct DiskImage: Sendable {
  package var files: [String: [UInt8]] = [:]
  package var directories: Set<String> = []
  /// Of names and contents.
  package var digest = SetDigest()
  /// Of those files only that a start interprets: not what is half made, which it only removes.
  package var essence = SetDigest()

  package init() {}
}
