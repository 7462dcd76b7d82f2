internal import MusterCluster
package import MusterKernel

/// The keys of sensitive values: destroyed when the log says so, before anybody is told.
extension Server {
  /// Where keys are; those that the log says are destroyed, and that a crash left, go now.
  package func keep(_ vault: any Vault) throws(VaultError) {
    for key in kernel.erasedKeys { try vault.destroy(key.tenant, through: key.number) }
    kernel.vault = vault
  }

  /// What cannot be destroyed is said aloud: the erasure is in the log, and every start tries again.
  func destroyKeys(_ tenant: TenantID, _ number: UInt32) {
    guard let vault = kernel.vault else { return }
    do throws(VaultError) {
      try vault.destroy(tenant, through: number)
    } catch {
      kernel.raise("keys-not-destroyed", "a key that was to be destroyed is still there: \(error)", Clock.now())
    }
  }
}
