package import MusterLog
package import MusterProtocol

// Replies say what they cost.

extension HistoryEnd {
  package mutating func note(_ cost: ReadCost) {
    (blocksRead, pagesRead, bytesRead) = (cost.blocks, cost.pages, cost.bytes)
  }
}

extension BlameReply {
  package mutating func note(_ cost: ReadCost) { (blocksRead, pagesRead) = (cost.blocks, cost.pages) }
}

extension WhyReply {
  package mutating func note(_ cost: ReadCost) { (blocksRead, pagesRead) = (cost.blocks, cost.pages) }
}

extension ReadReply {
  package mutating func note(_ cost: ReadCost) {
    (blocksRead, pagesRead, bytesRead) = (cost.blocks, cost.pages, cost.bytes)
  }
}
