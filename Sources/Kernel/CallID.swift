/// A call that waits for its answer: which connection, and which of its calls.
package struct CallID: Hashable, Sendable, Comparable {
  package var connection: UInt64
  package var call: UInt32

  package init(connection: UInt64, call: UInt32) {
    self.connection = connection
    self.call = call
  }

  package static func < (a: CallID, b: CallID) -> Bool {
    (a.connection, a.call) < (b.connection, b.call)
  }
}

/// Who speaks on a connection.
package struct Caller: Sendable, Equatable {
  package var principal: String
  package var kind: PrincipalKind
  package var assurance: Assurance

  package init(principal: String, kind: PrincipalKind, assurance: Assurance) {
    self.principal = principal
    self.kind = kind
    self.assurance = assurance
  }
}

package import MusterCluster
