package import MusterBytes

/// A tenant as people and clients see it; number 0 is the system.
package struct TenantReport: FieldMessage, Hashable {
  package var id: TenantID = 0
  package var name = ""
  /// Keys of sealed values up to this number are destroyed.
  package var erasedKeys: UInt32 = 0
  package var changed: Revision = 0

  package init() {}

  package mutating func visit<V: FieldVisitor & ~Copyable>(_ fields: inout V) throws(WireError) {
    try fields.uint32(1, &id)
    try fields.string(2, &name, max: Limits.nameBytes)
    try fields.uint32(3, &erasedKeys)
    try fields.uint64(4, &changed)
  }
}

extension State {
  package func report(tenant id: TenantID) -> TenantReport {
    var report = TenantReport()
    report.id = id
    report.name = ownerName(id)
    report.erasedKeys = erasedKeys(of: id)
    report.changed = id == 0 ? cluster.row(1)?.changed ?? 0 : tenants.row(id)?.changed ?? 0
    return report
  }
}
