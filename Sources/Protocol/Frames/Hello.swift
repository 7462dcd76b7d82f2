package import MusterBytes
package import MusterCluster

/// The version of the protocol that this program speaks.
package enum ProtocolVersion {
  package static let oldest: UInt32 = 1
  package static let newest: UInt32 = 1
  /// The first field of every hello: "MSTR" as a big-endian number.
  package static let magic: UInt32 = 0x4d53_5452
}

/// The first frame of a client.
package struct Hello: FieldMessage, Hashable {
  package var magic: UInt32 = 0
  /// The versions that the client speaks.
  package var oldest: UInt32 = 0
  package var newest: UInt32 = 0
  /// Features the client can use; none is defined yet.
  package var features: UInt64 = 0
  /// Who it says it is.
  package var principal = ""
  package var kind = PrincipalKind.person
  /// The cluster it wants to speak to; empty for any.
  package var clusterID = ""
  /// Program and version, for people.
  package var software = ""

  package init() {}
  package init(principal: String, kind: PrincipalKind, software: String, clusterID: String = "") {
    magic = ProtocolVersion.magic
    oldest = ProtocolVersion.oldest
    newest = ProtocolVersion.newest
    self.principal = principal
    self.kind = kind
    self.software = software
    self.clusterID = clusterID
  }

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &magic)
    try fields.uint32(2, &oldest)
    try fields.uint32(3, &newest)
    try fields.uint64(4, &features)
    try fields.string(5, &principal, max: Limits.pathBytes)
    try fields.enumeration(6, &kind)
    try fields.string(7, &clusterID, max: 64)
    try fields.string(8, &software, max: 255)
  }
}

/// What a server answers to a hello.
package struct HelloReply: FieldMessage, Hashable {
  package var version: UInt32 = 0
  package var features: UInt64 = 0
  package var clusterID = ""
  package var timeline: UInt64 = 0
  package var software = ""
  package var payloadMax: UInt32 = 0
  package var callsMax: UInt32 = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &version)
    try fields.uint64(2, &features)
    try fields.string(3, &clusterID, max: 64)
    try fields.uint64(4, &timeline)
    try fields.string(5, &software, max: 255)
    try fields.uint32(6, &payloadMax)
    try fields.uint32(7, &callsMax)
  }
}
