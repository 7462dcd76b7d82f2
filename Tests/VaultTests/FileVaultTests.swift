import MusterKernel
import MusterLog
import MusterSimulatedDisk
import MusterVault
import MusterWorkload
import Testing

@Suite struct FileVaultTests {
  private let key = SealingKey(tenant: 7, number: 1)
  private let plain = Array("correct horse battery staple".utf8)

  @Test func whatWasSealedOpensAgainAlsoAfterARestart() throws {
    let disk = CrashDisk()
    let sealed = try FileVault(disk).seal(plain, with: key, for: "k@cluster")
    #expect(try FileVault(disk).open(sealed, with: key, for: "k@cluster") == plain)
    #expect(sealed.count == plain.count + 28)
  }

  @Test func theSameValueIsNeverSealedTwiceAlike() throws {
    let vault = try FileVault(CrashDisk())
    #expect(try vault.seal(plain, with: key, for: "k") != vault.seal(plain, with: key, for: "k"))
  }

  @Test func aSealedValueOpensForItsOwnPlaceAndKeyAlone() throws {
    let vault = try FileVault(CrashDisk())
    let sealed = try vault.seal(plain, with: key, for: "k@cluster")
    #expect(throws: VaultError.forged) { try vault.open(sealed, with: key, for: "other@cluster") }
    #expect(throws: VaultError.noKey) {
      try vault.open(sealed, with: SealingKey(tenant: 7, number: 2), for: "k@cluster")
    }
    _ = try vault.seal(plain, with: SealingKey(tenant: 8, number: 1), for: "k@cluster")
    #expect(throws: VaultError.forged) {
      try vault.open(sealed, with: SealingKey(tenant: 8, number: 1), for: "k@cluster")
    }
  }

  @Test func anyChangedOrMissingByteIsFoundOut() throws {
    let vault = try FileVault(CrashDisk())
    let sealed = try vault.seal(plain, with: key, for: "k")
    for place in sealed.indices {
      var bent = sealed
      bent[place] ^= 1
      #expect(throws: VaultError.forged) { try vault.open(bent, with: key, for: "k") }
      #expect(throws: VaultError.forged) { try vault.open(Array(sealed[..<place]), with: key, for: "k") }
    }
  }

  @Test func aDestroyedKeyOpensNothingAnyMoreAndOthersDo() throws {
    let disk = CrashDisk()
    let vault = try FileVault(disk)
    let other = SealingKey(tenant: 8, number: 1)
    let next = SealingKey(tenant: 7, number: 2)
    let sealed = try [key, other, next].map { try vault.seal(plain, with: $0, for: "k") }
    let before = try disk.read("7-1.key", at: 0, count: 52)
    try vault.destroy(7, through: 1)
    try vault.destroy(7, through: 1)
    #expect(throws: VaultError.noKey) { try vault.open(sealed[0], with: key, for: "k") }
    #expect(throws: VaultError.noKey) { try FileVault(disk).open(sealed[0], with: key, for: "k") }
    #expect(try vault.open(sealed[1], with: other, for: "k") == plain)
    #expect(try vault.open(sealed[2], with: next, for: "k") == plain)
    #expect(try disk.list("").allSatisfy { try disk.read($0, at: 0, count: 52) != before })
  }

  @Test func aDamagedKeyFileIsSaidToBeDamagedAndNotTakenForDestroyed() throws {
    let disk = CrashDisk()
    let sealed = try FileVault(disk).seal(plain, with: key, for: "k")
    disk.flip("7-1.key", bit: 200)
    #expect(throws: VaultError.storage("7-1.key is damaged")) {
      try FileVault(disk).open(sealed, with: key, for: "k")
    }
  }

  /// Wherever a crash strikes: what was sealed and handed out opens afterwards, and a key whose destruction was
  /// acknowledged is gone.
  @Test func crashesLoseNoKeyAndBringNoneBack() throws {
    for dies in 1...14 {
      for seed in 1...6 as ClosedRange<UInt64> {
        let disk = CrashDisk()
        var random = SeededGenerator(seed: seed)
        var sealed: [UInt8]?
        var isDestroyed = false
        do {
          let vault = try FileVault(disk)
          disk.diesAtOperation = dies
          sealed = try vault.seal(plain, with: key, for: "k")
          try vault.destroy(7, through: 1)
          isDestroyed = true
        } catch {}
        disk.crash(&random)
        let vault = try FileVault(disk)
        guard let sealed else { continue }
        let opened = try? vault.open(sealed, with: key, for: "k")
        if isDestroyed { #expect(opened == nil) }
        // A destruction that was begun may or may not have come to its end; the next one finishes it.
        try vault.destroy(7, through: 1)
        #expect(throws: VaultError.noKey) { try vault.open(sealed, with: key, for: "k") }
      }
    }
  }
}
