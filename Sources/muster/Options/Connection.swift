import MusterClient
import MusterCluster
import MusterProtocol

/// The client of one invocation.
struct Connection {
  static let software = "muster \(Version.text)"
  let client: Client

  init(_ server: String?) throws {
    let text = server ?? Terminal.environment("MUSTER_SERVER") ?? "127.0.0.1:7400"
    guard let list = ServerList(text) else {
      throw Failure.usage("\"\(text)\" is no list of servers: give HOST:PORT[,HOST:PORT…]")
    }
    let hello = Hello(principal: Terminal.userName, kind: .person, software: Connection.software)
    client = Client(list, hello: hello)
  }
}

enum Version {
  static let text = "0.1.0"
}
