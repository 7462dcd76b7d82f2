internal import MusterBytes
internal import MusterWorkload

/// A promise that a state which a crash may leave breaks.
package struct BrokenPromise: Error, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

/// Counts states, and looks at each once.
package final class Survey {
  /// What was found.
  package struct Counts: Sendable {
    /// Different by names and contents.
    package var states = 0
    /// Different also in what a start interprets: not only in files that were half made, which it removes.
    package var essential = 0
    /// Moments between two operations.
    package var windows = 0
    /// Moments whose states were looked at without exception.
    package var complete = 0
    /// States of these that a crash left of the recovery from another crash.
    package var ofRecovery = 0
    /// States of which a write that was cut short was set aside.
    package var torn = 0
  }

  package private(set) var counts = Counts()
  private var seen: Set<SetDigest> = []
  private var seenEssences: Set<SetDigest> = []
  private var seenUnderPromise: Set<SetDigest> = []
  private var random: SeededGenerator
  /// States of one moment that are looked at, at most.
  package let perWindow: Int

  package init(seed: UInt64, perWindow: Int) {
    random = SeededGenerator(seed: seed)
    self.perWindow = perWindow
  }

  package func noteTorn() { counts.torn += 1 }

  /// Looks at the states that a crash may leave now, those that were not seen yet.
  ///
  /// - Parameters:
  ///   - context: what is promised; the same state under another promise is looked at again, and counted once.
  ///   - check: throws when a promise is broken.
  package func look(
    at disk: WeakDisk, context: UInt64, isRecovery: Bool = false, atMost most: Int? = nil,
    _ check: (DiskImage) throws -> Void
  ) throws {
    let window = disk.window()
    counts.windows += 1
    let most = most ?? perWindow
    var looked = 0
    // A generator of its own: what is done with a state may look at states again.
    var choices = SeededGenerator(seed: random.next())
    try window.forEach(atMost: most, &choices) { chosen in
      looked += 1
      let image = window.image(chosen)
      var key = image.digest
      key += SetDigest(low: context &* 0x9e37_79b9_7f4a_7c15, high: context)
      guard seenUnderPromise.insert(key).inserted else { return }
      if seen.insert(image.digest).inserted {
        counts.states += 1
        if isRecovery { counts.ofRecovery += 1 }
      }
      if seenEssences.insert(image.essence).inserted { counts.essential += 1 }
      try check(image)
    }
    if looked < most { counts.complete += 1 }
  }
}
