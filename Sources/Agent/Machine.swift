internal import Glibc
package import MusterCluster

/// What this machine has, as its kernel says.
package enum Machine {
  /// Cores, bytes of memory, and bytes of the file system of `path`.
  package static func capacity(dataAt path: String) -> [Amount] {
    var amounts: [Amount] = []
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    if cores > 0 { amounts.append(Amount("cpu", UInt64(cores))) }
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    if pages > 0, pageBytes > 0 { amounts.append(Amount("memory", UInt64(pages) * UInt64(pageBytes))) }
    var status = statvfs()
    if statvfs(path, &status) == 0 { amounts.append(Amount("disk", UInt64(status.f_blocks) * UInt64(status.f_frsize))) }
    return amounts
  }
}
