internal import MusterBytes
internal import MusterProtocol
internal import NIOCore

/// An element of a stream.
package enum StreamElement: Sendable {
  case item([UInt8])
  case end([UInt8])
}

/// A stream of elements, with the credit that keeps the server from sending more than is read.
///
/// When the stream, or the task that reads it, ends early the call is called off.
package final class ClientStream: Sendable {
  private let connection: ClientConnection
  private let source: AsyncThrowingStream<StreamElement, any Error>
  private let call: StreamCredit

  init(_ connection: ClientConnection, _ method: Method, _ payload: [UInt8], _ window: UInt32) {
    self.connection = connection
    let call = StreamCredit(window)
    self.call = call
    let (source, continuation) = AsyncThrowingStream<StreamElement, any Error>.makeStream()
    self.source = source
    continuation.onTermination = { reason in
      if case .cancelled = reason { connection.cancel(call) }
    }
    connection.loop.execute {
      let number = connection.begin(method, credit: window, payload) { reply in
        switch reply {
        case .item(let bytes): continuation.yield(.item(Array(bytes)))
        case .end(let bytes), .reply(let bytes):
          continuation.yield(.end(Array(bytes)))
          continuation.finish()
        case .failed(let error): continuation.finish(throwing: error)
        }
      }
      call.begin(number)
    }
  }

  /// Calls `body` with each element until it returns false or the stream ends, and grants more as they are read.
  ///
  /// - Throws: what `body` throws; a `ClientError`; `CancellationError` when the task was cancelled.
  package func forEach(_ body: (StreamElement) async throws -> Bool) async throws {
    do {
      for try await element in source {
        if let (number, credit) = call.consumed() { connection.grant(number, credit) }
        guard try await body(element) else { return connection.cancel(call) }
        if case .end = element { return }
      }
    } catch {
      connection.cancel(call)
      throw error
    }
    // Without an end and without an error, it was the task that ended.
    throw CancellationError()
  }
}
