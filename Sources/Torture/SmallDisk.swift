import Glibc

/// A file system in memory of a few megabytes, where this process may mount one.
final class SmallDisk {
  let path: String
  private static let filler = "filler"

  /// Nil where nothing may be mounted.
  init?(_ path: String, megabytes: Int) {
    self.path = path
    mkdir(path, 0o700)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m,mode=0700") == 0 else {
      rmdir(path)
      return nil
    }
  }

  /// Takes all the space that is left.
  func fill() {
    let descriptor = open("\(path)/\(SmallDisk.filler)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let piece = [UInt8](repeating: 7, count: 64 * 1024)
    while write(descriptor, piece, piece.count) > 0 {}
  }

  func empty() { unlink("\(path)/\(SmallDisk.filler)") }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }
}
