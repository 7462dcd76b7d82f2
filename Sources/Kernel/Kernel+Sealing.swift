internal import MusterBytes
package import MusterCluster
internal import MusterProtocol

/// Sensitive values are sealed before they are decided, so that neither the log nor a snapshot ever has them in the
/// open.
extension Kernel {
  /// Replaces what a request wants to set for sensitive keys by its sealed form.
  ///
  /// - Returns: why that cannot be; nil when it is done.
  func seal(_ request: inout Request) -> RPCError? {
    // Where no key is sensitive no sealed value is taken either, and there is nothing to look for.
    guard sequencer.head.hasSensitiveKeys else { return nil }
    switch request.command {
    case .setConfig(var command):
      if let problem = seal(&command) { return problem }
      request.command = .setConfig(command)
    case .batch(var batch):
      for (place, inner) in batch.commands.enumerated() {
        guard case .setConfig(var command) = inner else { continue }
        if let problem = seal(&command) { return problem }
        batch.commands[place] = .setConfig(command)
      }
      request.command = .batch(batch)
    default: break
    }
    return nil
  }

  /// What cannot be sealed for want of sense stays as it is: deciding will say what is wrong with it.
  private func seal(_ command: inout SetConfig) -> RPCError? {
    if case .sealed = command.value {
      return RPCError(.invalidArgument, "\(command.key): values are sealed by the server, and sent to it in the open")
    }
    let state = sequencer.head
    guard let vault, state.schema(of: command.key)?.schema.isSensitive == true,
      state.problem(with: command) == nil, let scope = try? state.scope(command.scope)
    else { return nil }
    var sealed = SealedValue()
    sealed.tenant = state.owner(of: scope)
    sealed.key = state.sealingKey(of: sealed.tenant)
    sealed.type = command.value.type
    do throws(VaultError) {
      sealed.content = try vault.seal(
        command.value.encoded(), with: sealed.sealingKey, for: SealedValue.place(command.key, state.scopeName(scope)))
    } catch {
      return RPCError(.unavailable, "the value for \(command.key) cannot be sealed: \(error)")
    }
    command.value = .sealed(sealed)
    return nil
  }

  /// Keys that the log says are destroyed, and that a crash may have left: to be destroyed at each start.
  package var erasedKeys: [SealingKey] {
    (0..<view.tenants.nextID).compactMap { tenant in
      let number = view.erasedKeys(of: tenant)
      return number == 0 ? nil : SealingKey(tenant: tenant, number: number)
    }
  }

  /// Has keys destroyed whose erasure became durable, before anybody is told that it did.
  func destroyErasedKeys(_ commits: [Commit]) {
    for commit in commits {
      for case .tenantKeyErased(let event) in commit.events {
        effects.append(.destroyKeys(tenant: event.tenant, through: event.key))
      }
    }
  }
}

extension Answer {
  /// Opens the sealed values of an answer, where their keys still exist.
  package mutating func reveal(_ question: Question, with vault: (any Vault)?) {
    guard case .configs(let question) = question, question.isRevealed, let vault else { return }
    for place in configs.indices {
      guard case .sealed(let value)? = configs[place].value else { continue }
      do throws(VaultError) {
        let plain = try vault.open(
          value.content, with: value.sealingKey, for: SealedValue.place(configs[place].key, configs[place].scope))
        guard let opened = try? ConfigValue(bytes: plain) else { continue }
        configs[place].value = opened
        configs[place].isRevealed = true
      } catch {
        if error == .noKey { configs[place].isErased = true }
      }
    }
  }
}

extension SealedValue {
  fileprivate var sealingKey: SealingKey { SealingKey(tenant: tenant, number: key) }

  /// What a value is bound to: moved to another key or scope it does not open.
  fileprivate static func place(_ key: String, _ scope: String) -> String { "\(key)@\(scope)" }
}
