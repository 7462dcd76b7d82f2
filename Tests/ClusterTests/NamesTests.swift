import MusterCluster
import Testing

@Suite struct NamesTests {
  @Test(arguments: ["a", "a/b", "a.b-c_0/9", String(repeating: "x", count: 63)])
  func pathsOfNamesAreValid(path: String) {
    #expect(Names.isValidPath(path, components: 1...2))
  }

  @Test(arguments: ["", "/", "a/", "/a", "a//b", "A", "a b", "ä", "a/b/c", String(repeating: "x", count: 64)])
  func everythingElseIsNot(path: String) {
    #expect(!Names.isValidPath(path, components: 1...2))
  }

  @Test func aPathMayNeedMoreThanOneName() {
    #expect(!Names.isValidPath("region", components: 2...4))
    #expect(Names.isValidPath("region/zone", components: 2...4))
  }
}
