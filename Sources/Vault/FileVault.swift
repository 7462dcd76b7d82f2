internal import Crypto
internal import MusterBytes
package import MusterCluster
package import MusterKernel
package import MusterLog
internal import Synchronization

/// Keys in a directory of their own, a file each, beside the data directory's log or wherever an operator wants them.
///
/// Order, and why: a key is on disk before anything is sealed with it, or a crash would leave what nobody can open; and
/// it is overwritten and gone from disk before anybody is told that it was destroyed.
package final class FileVault: Vault {
  private let storage: any Storage & Sendable
  private let known = Mutex<[SealingKey: SymmetricKey]>([:])

  /// A vault that is only opened from.
  package init(reading storage: any Storage & Sendable) { self.storage = storage }

  package init(_ storage: any Storage & Sendable) throws(VaultError) {
    self.storage = storage
    try FileVault.storing { () throws(StorageError) in
      try storage.makeDirectory("")
      // What a crash left of a key that nothing was sealed with yet.
      for name in try storage.list("") where name.hasSuffix(".new") { try storage.remove(name) }
    }
  }

  // MARK: Sealing

  package func seal(_ plain: [UInt8], with key: SealingKey, for place: String) throws(VaultError) -> [UInt8] {
    let secret = try known.withLock { (known) throws(VaultError) -> SymmetricKey in
      if let known = try load(key, &known) { return known }
      return try make(key, &known)
    }
    let sealed = try? plain.withUnsafeBytes { plain in
      try Array(place.utf8).withUnsafeBytes { try AES.GCM.seal(plain, using: secret, authenticating: $0).combined }
    }
    guard let sealed else { throw .storage("the cipher failed") }
    return Array(sealed)
  }

  package func open(_ content: [UInt8], with key: SealingKey, for place: String) throws(VaultError) -> [UInt8] {
    let secret = try known.withLock { (known) throws(VaultError) -> SymmetricKey? in try load(key, &known) }
    guard let secret else { throw .noKey }
    let plain = try? content.withUnsafeBytes { content in
      try Array(place.utf8).withUnsafeBytes {
        Array(try AES.GCM.open(AES.GCM.SealedBox(combined: content), using: secret, authenticating: $0))
      }
    }
    guard let plain else { throw .forged }
    return plain
  }

  // MARK: Keys

  private func load(_ key: SealingKey, _ known: inout [SealingKey: SymmetricKey]) throws(VaultError) -> SymmetricKey? {
    if let secret = known[key] { return secret }
    let file = try FileVault.storing { () throws(StorageError) -> [UInt8]? in
      guard try storage.size(key.path) != nil else { return nil }
      return try storage.read(key.path, at: 0, count: KeyFile.byteCount + 1)
    }
    guard let file else { return nil }
    guard let bytes = KeyFile.secret(file, of: key) else { throw .storage("\(key.path) is damaged") }
    let secret = SymmetricKey(data: bytes)
    known[key] = secret
    return secret
  }

  private func make(_ key: SealingKey, _ known: inout [SealingKey: SymmetricKey]) throws(VaultError) -> SymmetricKey {
    let secret = SymmetricKey(size: .bits256)
    let file = KeyFile.bytes(key, secret.withUnsafeBytes { Array($0) })
    try FileVault.storing { () throws(StorageError) in try storage.replace(key.path, in: "", with: file) }
    known[key] = secret
    return secret
  }

  package func destroy(_ tenant: TenantID, through number: UInt32) throws(VaultError) {
    try known.withLock { (known) throws(VaultError) in
      for key in known.keys.filter({ $0.tenant == tenant && $0.number <= number }) { known[key] = nil }
      try FileVault.storing { () throws(StorageError) in
        var isChanged = false
        for name in try storage.list("") {
          guard let key = SealingKey(path: name), key.tenant == tenant, key.number <= number else { continue }
          try storage.write(name, at: 0, [UInt8](repeating: 0, count: KeyFile.byteCount))
          try storage.sync(name)
          try storage.remove(name)
          isChanged = true
        }
        if isChanged { try storage.syncDirectory("") }
      }
    }
  }

  private static func storing<T>(_ body: () throws(StorageError) -> T) throws(VaultError) -> T {
    do throws(StorageError) { return try body() } catch { throw .storage("\(error)") }
  }
}
