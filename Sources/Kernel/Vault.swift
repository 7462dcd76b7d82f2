package import MusterCluster

/// Which key: one of a tenant's.
package struct SealingKey: Hashable, Sendable {
  package var tenant: TenantID
  /// 1, 2, 3 …; a new one after each erasure.
  package var number: UInt32

  package init(tenant: TenantID, number: UInt32) {
    self.tenant = tenant
    self.number = number
  }
}

/// Why a value was not sealed or opened.
package enum VaultError: Error, Equatable, Sendable {
  /// The key is not there: it was destroyed, or this server never had it.
  case noKey
  /// The content is not what was sealed with this key for this place.
  case forged
  /// The key's file cannot be made or read.
  case storage(String)
}

/// Keeps the keys of sensitive values, outside the log. The shell implements it; sealing needs randomness and files.
package protocol Vault: Sendable {
  /// Encrypts bytes. A key that does not exist yet is made, and is durable when this returns.
  ///
  /// - Parameter place: whom the value is for; it opens for no other place.
  func seal(_ plain: [UInt8], with key: SealingKey, for place: String) throws(VaultError) -> [UInt8]
  func open(_ content: [UInt8], with key: SealingKey, for place: String) throws(VaultError) -> [UInt8]
  /// Destroys a tenant's keys up to a number. What is destroyed already is no error.
  func destroy(_ tenant: TenantID, through number: UInt32) throws(VaultError)
}
