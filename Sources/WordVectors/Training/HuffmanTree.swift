/// The binary code of hierarchical softmax: frequent words have short paths (Huffman 1952; Mikolov et al. 2013).
///
/// Built in the order of word2vec.c and fastText, so that ties fall as theirs do.
package struct HuffmanTree: Sendable {
    /// Inner nodes: one less than words.
    package let nodes: Int
    /// Where each word's path begins in `path`; one more than words.
    package let starts: [Int]
    /// For each word, from the root on: 2 · inner node + the branch taken (1 for the right one).
    package let path: [UInt32]

    /// - Parameter counts: one a word, highest first, at least two of them.
    /// - Complexity: O(words).
    package init(counts: [Int]) {
        let n = counts.count
        precondition(n >= 2, "a tree needs two words")
        var weight = counts + [Int](repeating: .max, count: n - 1)
        var parent = [Int](repeating: -1, count: 2 * n - 1), isRight = [Bool](repeating: false, count: 2 * n - 1)
        // The two smallest of what is left come from the end of the words or from the nodes made so far, both of which are sorted.
        var leaf = n - 1, node = n
        func smallest() -> Int {
            if leaf >= 0, weight[leaf] < weight[node] {
                leaf -= 1
                return leaf + 1
            }
            node += 1
            return node - 1
        }
        for made in n..<2 * n - 1 {
            let first = smallest(), second = smallest()
            weight[made] = weight[first] + weight[second]
            parent[first] = made
            parent[second] = made
            isRight[second] = true
        }
        var starts = [0], path: [UInt32] = []
        var steps: [UInt32] = []
        for word in 0..<n {
            steps.removeAll(keepingCapacity: true)
            var at = word
            while parent[at] >= 0 {
                steps.append(UInt32(2 * (parent[at] - n)) + (isRight[at] ? 1 : 0))
                at = parent[at]
            }
            path += steps.reversed()
            starts.append(path.count)
        }
        nodes = n - 1
        self.starts = starts
        self.path = path
    }

    package func length(of word: Int) -> Int { starts[word + 1] - starts[word] }
}
