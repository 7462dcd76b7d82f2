internal import MusterAudit
internal import MusterBytes
internal import MusterCluster
package import MusterProtocol

extension History {
  /// A tree of a size whose root is known: from the tiles when they lead to it, else from the commits alone.
  ///
  /// - Throws: when neither has this root: the log is not the one that was signed.
  func tree(of size: UInt64, root: [UInt8], _ files: AuditFiles) throws(HistoryError) -> StoredTree {
    guard size <= last else { throw .future(asked: "revision \(size)", newest: last) }
    let tree = StoredTree(log, files, size: size)
    guard let expected = SHA256Value(exactly: root) else { return tree }
    if try tree.root(size) == expected { return tree }
    let fresh = StoredTree(log, nil, size: size)
    guard try fresh.root(size) == expected else {
      throw .refused(
        Refusal(
          .conflict,
          "the first \(size) commits of this log are not those of the checkpoint: they were altered, or it is another log"
        ))
    }
    return fresh
  }

  /// Proves that a commit is in a tree, or that the tree goes on from an earlier one.
  package func prove(
    _ request: ProveRequest, _ files: AuditFiles, timeline: UInt64
  ) throws(HistoryError) -> ProveReply {
    guard request.revision <= request.size, request.from <= request.size, request.revision > 0 || request.from > 0
    else {
      throw .refused(Refusal(.invalid, "what is to be proved is beyond the checkpoint, at revision \(request.size)"))
    }
    let tree = try tree(of: request.size, root: request.root, files)
    var reply = ProveReply()
    reply.timeline = timeline
    reply.revision = request.size
    if request.revision > 0 {
      try log.forEachStoredCommit(from: request.revision, through: request.revision) { bytes, _ in
        reply.commit = Array(bytes)
      }
      reply.path = try InclusionProof(of: request.revision - 1, in: request.size, tree).path.flatMap(\.array)
    } else {
      reply.path = try ConsistencyProof(from: request.from, to: request.size, tree).path.flatMap(\.array)
    }
    return reply
  }
}
