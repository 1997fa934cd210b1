/// A rooted tree over the words of a sentence.
package struct DependencyTree: Sendable, Equatable {
    /// For each word the word it depends on, from 0; −1 for the root.
    package let heads: [Int]
    /// The root's place.
    package let root: Int
    /// Edges from the root down to each word; 0 for the root.
    package let depths: [Int]
    /// Words so that each comes after its head.
    private let topDown: [Int]

    /// nil if the heads do not form a tree: no root or several, a head outside the sentence, a cycle.
    package init?(heads: [Int]) {
        guard let root = heads.firstIndex(of: -1), heads.allSatisfy({ $0 >= -1 && $0 < heads.count }) else { return nil }
        var children = [[Int]](repeating: [], count: heads.count)
        for (word, head) in heads.enumerated() where head >= 0 { children[head].append(word) }
        var order = [root]
        var depths = [Int](repeating: 0, count: heads.count)
        var next = 0
        while next < order.count {
            let word = order[next]
            next += 1
            for child in children[word] { depths[child] = depths[word] + 1 }
            order += children[word]
        }
        guard order.count == heads.count else { return nil }
        (self.heads, self.root, self.depths, topDown) = (heads, root, depths, order)
    }

    package var count: Int { heads.count }

    /// The number of edges between every two words, (words, words).
    package func distances() -> [Float] {
        var distances = [Float](repeating: 0, count: count * count)
        distances.withUnsafeMutableBufferPointer { d in
            for (position, word) in topDown.enumerated().dropFirst() {
                let head = heads[word]
                for other in topDown[..<position] {
                    let distance = d[head * count + other] + 1
                    d[word * count + other] = distance
                    d[other * count + word] = distance
                }
            }
        }
        return distances
    }

    /// The tree that edges (pairs of `words`) make when it hangs from `root`; words that no edge reaches are left out of it.
    /// - Returns: for each word its head, −1 for the root and for words outside.
    package static func heads(hanging edges: [WordEdge], from root: Int, words: Int) -> [Int] {
        var neighbours = [[Int]](repeating: [], count: words)
        for edge in edges {
            neighbours[edge.first].append(edge.second)
            neighbours[edge.second].append(edge.first)
        }
        var heads = [Int](repeating: -1, count: words)
        var pending = [root]
        while let word = pending.popLast() {
            for other in neighbours[word] where other != heads[word] && other != root {
                heads[other] = word
                pending.append(other)
            }
        }
        return heads
    }
}

/// An edge without direction between two words; `first` comes first in the sentence.
package struct WordEdge: Sendable, Hashable {
    package var first: Int
    package var second: Int

    package init(_ a: Int, _ b: Int) { (first, second) = (min(a, b), max(a, b)) }

    /// How many words further on the second word stands.
    package var length: Int { second - first }
}

/// The tree of smallest total distance (Kruskal 1956). Of equal distances the pair that comes first in the sentence wins, as in the
/// reference implementation of structural probes.
package enum MinimumSpanningTree {
    /// - Parameters:
    ///   - distances: (count, count), symmetric.
    ///   - members: the words that take part.
    /// - Returns: the edges, one fewer than members, shortest first.
    package static func edges(distances: [Float], count: Int, among members: [Int]) -> [WordEdge] {
        precondition(distances.count == count * count, "\(distances.count) distances of \(count) words")
        guard members.count > 1 else { return [] }
        var pairs: [(distance: Float, edge: WordEdge)] = []
        pairs.reserveCapacity(members.count * (members.count - 1) / 2)
        for (position, i) in members.enumerated() {
            for j in members[(position + 1)...] { pairs.append((distances[i * count + j], WordEdge(i, j))) }
        }
        pairs.sort { a, b in
            a.distance != b.distance
                ? a.distance < b.distance
                : a.edge.first != b.edge.first ? a.edge.first < b.edge.first : a.edge.second < b.edge.second
        }
        var parents = Array(0..<count)
        func find(_ word: Int) -> Int {
            var word = word
            while parents[word] != word {
                parents[word] = parents[parents[word]]
                word = parents[word]
            }
            return word
        }
        var edges: [WordEdge] = []
        for (_, edge) in pairs {
            let a = find(edge.first), b = find(edge.second)
            guard a != b else { continue }
            parents[a] = b
            edges.append(edge)
            if edges.count == members.count - 1 { break }
        }
        return edges
    }
}
