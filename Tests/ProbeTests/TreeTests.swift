import Testing
import Analysis

@Test func distancesAndDepthsOfATree() throws {
    // 1 ← 0 → 3, 1 → 2
    let tree = try #require(DependencyTree(heads: [-1, 0, 1, 0]))
    #expect(tree.root == 0)
    #expect(tree.depths == [0, 1, 2, 1])
    #expect(tree.distances() == [0, 1, 2, 1, 1, 0, 1, 2, 2, 1, 0, 3, 1, 2, 3, 0])
}
