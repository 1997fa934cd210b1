import Testing

@testable import Tokenizers

@Suite struct DoubleArrayTrieTests {
    /// Keys over a few bytes, so that many are prefixes of others, are equal, or part only behind the eighth byte; and over all bytes.
    private func keys(_ seed: UInt64, bytes: Int, longest: Int, count: Int) -> [[UInt8]] {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        return (0..<count).map { _ in (0..<1 + next(longest)).map { _ in UInt8(next(bytes)) } }
    }

    @Test(
        "A trie finds every key that begins at a place, of equal keys the last",
        arguments: [(2, 20, 3000), (5, 12, 5000), (256, 4, 20_000)])
    func findsAll(bytes: Int, longest: Int, count: Int) {
        let all = keys(UInt64(bytes), bytes: bytes, longest: longest, count: count)
        let trie = DoubleArrayTrie(all.enumerated().map { (key: $1, value: Int32($0)) })
        var values: [[UInt8]: Int32] = [:]
        for (number, key) in all.enumerated() { values[key] = Int32(number) }
        for text in keys(99, bytes: bytes, longest: 3 * longest, count: 300) + all.prefix(300) {
            text.withUnsafeBufferPointer { text in
                for start in text.indices {
                    var found: [Int32] = []
                    trie.forEachPrefix(of: text, from: start) { length, value in
                        #expect(values[Array(text[start..<start + length])] == value)
                        found.append(value)
                    }
                    #expect(found.count == (start + 1...text.count).count { values[Array(text[start..<$0])] != nil })
                }
            }
        }
    }

    @Test("A trie without keys finds nothing")
    func empty() {
        let trie = DoubleArrayTrie([(key: [UInt8], value: Int32)]())
        [UInt8](repeating: 7, count: 3).withUnsafeBufferPointer { text in
            trie.forEachPrefix(of: text, from: 0) { _, _ in Issue.record("found a key") }
        }
    }
}
