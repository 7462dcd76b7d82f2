/// A rule that a host may break: runs with one must lose writes, or the runs without prove nothing.
package enum HostFlaw: CaseIterable, Sendable {
  /// A replica that was asked how far it is goes on as before.
  case promisesNothing
  /// A leader says that its heir has everything when it has not.
  case yieldsEarly
  /// A leader says that followers have what was acknowledged when one is to go, and they have not.
  case sparesBlindly
  /// A leader acknowledges what any replica has, in sync or not.
  case countsEverybody
  /// A leader says that copies for a split have everything when they have not.
  case splitsEarly
  /// A leader says that it has everything of a shard that it absorbs when it has not.
  case absorbsEarly
  /// What was copied of another shard, and deleted there since, is kept.
  case forgetsNothing
  /// A leader takes every key that comes, its own or not.
  case takesEveryKey
}
