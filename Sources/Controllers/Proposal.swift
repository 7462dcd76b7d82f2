package import MusterCluster

/// A command that a controller wants, with why and what it saw.
package struct Proposal: Sendable, Equatable {
  /// Which controller: it becomes the principal of the commit.
  package var controller: String
  package var command: Command
  package var reason: Reason
  /// The revision that made this necessary, or 0.
  package var cause: Revision

  package init(controller: String, command: Command, reason: Reason, cause: Revision) {
    self.controller = controller
    self.command = command
    self.reason = reason
    self.cause = cause
  }
}
