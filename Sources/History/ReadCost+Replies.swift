package import MusterLog
package import MusterProtocol

// Replies say what they cost.

extension HistoryEnd {
  package mutating func note(_ cost: ReadCost) {
    (blocksRead, pagesRead, bytesRead) = (cost.blocks, cost.pages, cost.bytes)
  }
}

extension ReadReply {
  package mutating func note(_ cost: ReadCost) {
    (blocksRead, pagesRead, bytesRead) = (cost.blocks, cost.pages, cost.bytes)
  }
}
