import Foundation
import MusterCluster
import MusterWorkload
import Testing

@Suite struct ExpressionTests {
  private let state: State

  init() {
    var generator = HistoryGenerator(seed: 5, nodes: 9, shards: 60)
    for _ in 0..<1200 { _ = generator.next() }
    state = generator.state
  }

  private func holds(_ text: String) throws -> Bool { try Expression(text).holds(in: state) }

  private func problem(_ text: String) -> ExpressionError? {
    do throws(ExpressionError) {
      _ = try Expression(text)
      return nil
    } catch {
      return error
    }
  }

  // MARK: Meaning

  @Test func countsAreThoseOfTheRows() throws {
    var up = 0
    state.nodes.forEach { _, row in if row.state == .up { up += 1 } }
    #expect(up > 0)
    #expect(try holds("count(nodes where state == up) == \(up)"))
    #expect(try !holds("count(nodes where state == up) == \(up + 1)"))
    let report = state.statusReport()
    #expect(try holds("count(shards) == \(report.shards)"))
    #expect(try holds("count(shards where leaderless) == \(report.leaderlessShards)"))
    #expect(try holds("count(shards where available) == \(report.availableShards)"))
    #expect(try holds("count(shards where underReplicated) == \(report.underReplicatedShards)"))
    #expect(try holds("count(shards where moving) == \(report.movingShards)"))
    #expect(try holds("count(configs) == \(report.configs) and count(collections) == \(report.collections)"))
  }

  @Test func fieldsOfWhatIsNamedAreItsOwn() throws {
    let node = state.nodes[1]
    #expect(try holds("node(\"\(node.name)\").state == \"\(node.state.name)\""))
    #expect(try holds("node('\(node.name)').domain == '\(node.domain)' and node('\(node.name)').exists"))
    #expect(try holds("node(\"\(node.name)\").replicas == \(state.load(1).replicas)"))
    let shard = state.shards[3]
    let name = state.shardName(3)
    #expect(try holds("shard(\"\(name)\").epoch == \(shard.epoch)"))
    #expect(try holds("shard(\"\(name)\").leader == \"\(shard.leader == 0 ? "" : state.nodeName(shard.leader))\""))
    let held = try #require(shard.replicas.map { state.nodeName($0.node) }.first)
    #expect(try holds("shard(\"\(name)\").on(\"\(held)\")"))
    #expect(try holds("collection(\"\(state.collectionName(shard.collection))\").shards > \(shard.index)"))
    var found = false
    state.configs.forEach { id, row in
      guard case .integer(let number)? = row.value, row.scope == .cluster else { return }
      found = true
      #expect((try? holds("config(\"\(row.key)\") == \(number)")) == true)
      #expect((try? holds("config(\"\(row.key)\").version == \(row.version)")) == true)
    }
    #expect(found)
  }

  @Test(arguments: [
    ("true", true), ("false", false), ("not false", true), ("true and false", false), ("false or true", true),
    ("true or true and false", true), ("(true or true) and false", false), ("not false and false", false),
    ("1 < 2", true), ("2 <= 2", true), ("3 > 4", false), ("4 >= 4", true), ("-1 < 0", true), ("\"a\" == 'a'", true),
    ("\"a\" != \"b\"", true), ("3 in (1, 2, 3)", true), ("3 not in (1, 2)", true), ("\"x\" in (\"y\")", false),
    ("'it\\'s' == \"it's\"", true), ("any(nodes) == true", true), ("all(nodes where exists)", true),
    ("node(\"nobody\").exists", false), ("node(\"nobody\").state == up", false),
    ("node(\"nobody\").state != up", true), ("node(\"nobody\").replicas < 5", false),
    ("not node(\"nobody\").replicas < 5", true), ("config(\"no/such\") == 5", false),
    ("config(\"no/such\", \"node:nobody\").exists", false), ("shard(\"nothing/0\").leader != \"\"", true),
    ("cluster.maintenance in (true, false)", true), ("cluster.balancing in (off, running, paused)", true),
    ("count(nodes where zone == \"nowhere\" or label(\"none\") == \"x\") == 0", true),
  ])
  func itMeansWhatItSays(_ text: String, _ expected: Bool) throws { #expect(try holds(text) == expected, "\(text)") }

  @Test func aStateNeedsOnlyThePartsThatAreSpokenOf() throws {
    #expect(try Expression("count(shards where leaderless) == 0").parts == .core)
    #expect(try Expression("config(\"k\") == 5").parts == .configuration)
    #expect(try Expression("any(alarms)").parts == .surroundings)
    #expect(try Expression("any(alarms) and any(configs)").parts == .all)
  }

  // MARK: Errors

  @Test(arguments: [
    ("", 1, "here stands"), ("node", 1, "not known here"), ("node(", 6, "in quotes"),
    ("node(\"N\").state == up", 6, "names no"),
    ("node(\"a\")", 10, "domain"), ("node(\"a\").size == 1", 11, "domain"),
    ("node(\"a\").state == upp", 20, "joining, up"),
    ("node(\"a\").state == \"upp\"", 20, "joining, up"), ("node(\"a\").state == 5", 20, "number"),
    ("node(\"a\").replicas == \"x\"", 23, "number"), ("count(things) == 1", 7, "nodes, shards"),
    ("count(nodes where stat == up)", 19, "of nodes there are name, state"), ("count(nodes)", 1, "compare it"),
    ("count(nodes where count(shards) > 0) > 0", 19, "another walk"), ("all(nodes)", 10, "where"),
    ("true and", 9, "here stands"), ("true true", 6, "too much"), ("1 = 1", 3, "=="), ("true && true", 6, "write and"),
    ("!true", 1, "write not"), ("\"a", 1, "does not end"), ("\"a\\n\"", 3, "backslash"),
    ("1 < true", 5, "true or false"),
    ("\"a\" < \"b\"", 5, "compares numbers"), ("99999999999999999999 == 1", 1, "no number"),
    ("(true", 6, "here stands )"),
    ("true)", 5, "too much"), ("1 in ()", 7, "here stands"), ("1 in (1,)", 9, "here stands"),
    ("x == y", 1, "not known"),
    ("config(\"a\", \"b\")", 8, "names no"), ("and", 1, "missing"), ("#", 1, "means nothing"), ("-", 1, "no number"),
    ("shard(\"orders\").leader == \"\"", 7, "orders/17"), ("cluster.size == 1", 9, "maintenance"),
    ("cluster.balancing == on", 22, "off, running"), ("node(\"a\").label == \"x\"", 17, "here stands ("),
  ])
  func anErrorPointsAtItsPlaceAndSaysWhatIsKnown(_ text: String, _ column: Int, _ words: String) throws {
    let error = try #require(problem(text), "\(text)")
    #expect(error.column == column, "\(text): \(error.problem)")
    #expect(error.problem.contains(words), "\(text): \(error.problem)")
    let lines = error.pointing(into: text).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 && lines[2].count == 2 + column)
  }

  @Test func limitsAreErrorsNotCrashes() {
    #expect(problem(String(repeating: "(", count: 3000)) != nil)
    #expect(problem(String(repeating: "not ", count: 900) + "true") != nil)
    #expect(problem(String(repeating: "true and ", count: 200) + "true") == nil)
    #expect(problem(String(repeating: "1==1 or ", count: 510) + "true") != nil)
    #expect(problem(String(repeating: "x", count: Expression.bytesMax + 1)) != nil)
    #expect(problem("1 in (" + String(repeating: "1,", count: 300) + "1)") != nil)
    #expect(problem(String(repeating: "any(nodes) and ", count: 16) + "true") == nil)
    #expect(problem(String(repeating: "any(nodes) and ", count: 17) + "true") != nil)
  }

  @Test func noBytesOfAnyKindTrap() throws {
    var random = SeededGenerator(seed: 9)
    let words = [
      "node", "shard", "(", ")", "\"n1\"", "'c1/0'", ".", ",", "state", "==", "!=", "<", ">=", "and", "or", "not", "in",
      "count", "any", "all", "nodes", "shards", "where", "up", "leaderless", "1", "-5", "true", "config", "cluster",
      "maintenance", "label", "on", "exists", "\u{0}", "é", "\"", "\\", "9223372036854775807", "-9223372036854775808",
    ]
    var parsed = 0
    for _ in 0..<20_000 {
      let text = (0..<random.below(12)).map { _ in words[random.below(words.count)] }.joined(separator: " ")
      if let expression = try? Expression(text) {
        parsed += 1
        _ = expression.holds(in: state)
      }
    }
    #expect(parsed > 0)
    let good = try Self.document().examples
    for _ in 0..<20_000 {
      var bytes = Array(good[random.below(good.count)].utf8)
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if let expression = try? Expression(String(decoding: bytes, as: UTF8.self)) { _ = expression.holds(in: state) }
    }
  }

  // MARK: The document

  private static func document() throws -> (text: String, examples: [String]) {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/Cluster/Expressions/Expressions.md")
    let text = try String(contentsOf: url, encoding: .utf8)
    let start = try #require(text.range(of: "```check\n"))
    let end = try #require(text.range(of: "```", range: start.upperBound..<text.endIndex))
    return (text, text[start.upperBound..<end.lowerBound].split(separator: "\n").map(String.init))
  }

  @Test func theExamplesOfTheDocumentAreExpressions() throws {
    let examples = try Self.document().examples
    #expect(examples.count >= 10)
    for example in examples { #expect(problem(example) == nil, "\(example): \(problem(example)?.problem ?? "")") }
  }

  @Test func theDocumentNamesEveryFieldAndLimit() throws {
    let text = try Self.document().text
    for line in text.split(separator: "\n") where line.hasPrefix("| ") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let walks = [
        "node": "nodes", "shard": "shards", "collection": "collections", "config": "configs", "alarm": "alarms",
      ]
      guard let rows = walks[cells[0]], cells.count == 3 else { continue }
      for name in cells[1].split(separator: ",").map({ $0.filter { $0 != "`" && $0 != " " } }) {
        let field = name.replacingOccurrences(of: "…", with: "x")
        let check = "any(\(rows) where \(field) == \(field))"
        #expect(problem(check) == nil, "\(check): \(problem(check)?.problem ?? "")")
      }
    }
    // What the program says it knows is in the document.
    for rows in ["nodes", "shards", "collections", "configs", "alarms"] {
      let known = try #require(problem("any(\(rows) where nonsense)")?.problem.split(separator: "there are ").last)
      for name in known.split(separator: ";")[0].split(separator: ", ") {
        #expect(text.contains("`\(name)`"), "\(rows): \(name)")
      }
    }
    for limit in [
      Expression.bytesMax, Expression.depthMax, Expression.termsMax, Expression.walksMax, Expression.listMax,
    ] {
      #expect(text.contains("| \(limit) |"))
    }
  }
}
