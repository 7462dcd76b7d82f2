// What happened around the cluster: who was seen, what was remembered, what wants a person.

package import MusterBytes

/// Somebody acted for the first time and got a number.
package struct PrincipalSeen: FieldMessage, Hashable {
  package var principal: PrincipalID = 0
  package var name = ""
  package var kind = PrincipalKind.person

  package init() {}
  package init(principal: PrincipalID, name: String, kind: PrincipalKind) {
    self.principal = principal
    self.name = name
    self.kind = kind
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &principal)
    try fields.string(2, &name, max: Limits.pathBytes)
    try fields.enumeration(3, &kind)
  }
}

/// A client made its first request and got a number.
package struct SessionOpened: FieldMessage, Hashable {
  package var session: SessionID = 0
  package var client = ""

  package init() {}
  package init(session: SessionID, client: String) {
    self.session = session
    self.client = client
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &session)
    try fields.string(2, &client, max: Limits.nameBytes)
  }
}

package struct SessionForgotten: FieldMessage, Hashable {
  package var session: SessionID = 0

  package init() {}
  package init(session: SessionID) {
    self.session = session
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &session)
  }
}

package struct AlarmRaised: FieldMessage, Hashable {
  package var name = ""
  package var message = ""

  package init() {}
  package init(name: String, message: String) {
    self.name = name
    self.message = message
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
    try fields.string(2, &message, max: Limits.reasonBytes)
  }
}

package struct AlarmCleared: FieldMessage, Hashable {
  package var name = ""

  package init() {}
  package init(name: String) {
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.string(1, &name, max: Limits.pathBytes)
  }
}

package struct TenantCreated: FieldMessage, Hashable {
  package var tenant: TenantID = 0
  package var name = ""

  package init() {}
  package init(tenant: TenantID, name: String) {
    self.tenant = tenant
    self.name = name
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &tenant)
    try fields.string(2, &name, max: Limits.nameBytes)
  }
}

/// Balancing was begun, paused or ended.
package struct BalancingChanged: FieldMessage, Hashable {
  package var mode = BalancingMode.off

  package init() {}
  package init(mode: BalancingMode) { self.mode = mode }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.enumeration(1, &mode)
  }
}
