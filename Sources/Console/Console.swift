package import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What the console says. Called on the loop that it was started on.
package struct ConsolePages {
  package var metrics: () -> String
  /// The process works.
  package var healthy: () -> (isGood: Bool, text: String)
  /// Commands are taken.
  package var ready: () -> (isGood: Bool, text: String)

  package init(
    metrics: @escaping () -> String, healthy: @escaping () -> (isGood: Bool, text: String),
    ready: @escaping () -> (isGood: Bool, text: String)
  ) {
    self.metrics = metrics
    self.healthy = healthy
    self.ready = ready
  }
}

/// A small HTTP server for machines that watch machines: `/metrics`, `/healthz`, `/readyz`.
package enum Console {
  /// Begins to listen on the loop of `pages`.
  package static func start(
    host: String, port: Int, on loop: any EventLoop, _ pages: ConsolePages
  ) -> EventLoopFuture<any Channel> {
    loop.flatSubmit { [bound = NIOLoopBound(pages, eventLoop: loop)] in
      let visitors = NIOLoopBound(ConsoleVisitors(), eventLoop: loop)
      return ServerBootstrap(group: loop)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: false)
            try pipeline.addHandler(ConsoleHandler(bound.value, visitors.value))
          }
        }
        .bind(host: host, port: port)
    }
  }
}

/// How many are connected to the console. Used on its loop.
final class ConsoleVisitors {
  static let max = 64
  var count = 0
}
