import Tensors

/// The tree that probes see in one sentence.
package struct SentenceParse: Sendable {
    package var words: [String]
    /// Squared distances in the probed space, (words, words).
    package var distances: [Float]
    /// Squared depths, if there is a depth probe.
    package var depths: [Float]?
    /// The minimum spanning tree over the words that take part.
    package var edges: [WordEdge]
    /// The word the tree hangs from: that of smallest depth, or without a depth probe the one with the smallest sum of distances.
    package var root: Int
    /// For each word its head, from 0; −1 for the root and for words that take no part.
    package var heads: [Int]

    /// - Parameters:
    ///   - members: the words that take part; punctuation is left out.
    /// - Precondition: the prediction has distances of all words, and there is a member.
    package init(words: [String], members: [Int], prediction: ProbePrediction) {
        let distances = prediction.distances ?? []
        precondition(
            distances.count == words.count * words.count && !members.isEmpty, "distances of \(words.count) words, some of them members")
        self.words = words
        self.distances = distances
        depths = prediction.depths
        edges = MinimumSpanningTree.edges(distances: distances, count: words.count, among: members)
        func sum(_ word: Int) -> Float { members.reduce(0) { $0 + distances[word * words.count + $1] } }
        if let depths = prediction.depths {
            root = members.min { depths[$0] < depths[$1] } ?? 0
        } else {
            root = members.min { sum($0) < sum($1) } ?? 0
        }
        heads = DependencyTree.heads(hanging: edges, from: root, words: words.count)
    }

    /// The tree as text, one word per line, each under its head, in the order of the sentence.
    package var outline: String {
        var children = [[Int]](repeating: [], count: words.count)
        for (word, head) in heads.enumerated() where head >= 0 { children[head].append(word) }
        var lines = [words[root]]
        func add(_ word: Int, _ indent: String) {
            for (place, child) in children[word].enumerated() {
                let isLast = place == children[word].count - 1
                lines.append(indent + (isLast ? "└─ " : "├─ ") + words[child])
                add(child, indent + (isLast ? "   " : "│  "))
            }
        }
        add(root, "")
        return lines.joined(separator: "\n")
    }

    /// The words' places on the first two principal components of the probed space.
    /// - Parameter projected: words in the probed space, (words, rank).
    package static func plane(_ projected: Tensor<Float>) throws -> [(x: Double, y: Double)] {
        let components = min(2, projected.rows, projected.columns)
        guard projected.rows > 1, components > 0 else { return [(x: Double, y: Double)](repeating: (0, 0), count: projected.rows) }
        let rows = projected.rows, columns = projected.columns
        var mean = [Double](repeating: 0, count: columns)
        for row in 0..<rows { for column in 0..<columns { mean[column] += Double(projected[row, column]) / Double(rows) } }
        // Words are fewer than dimensions: the Gram matrix of centred words has the coordinates in its eigenvectors.
        let centred = Tensor<Double>((0..<rows * columns).map { Double(projected[$0]) - mean[$0 % columns] }, shape: [rows, columns])
        let gram = matrixProduct(centred, transposed: false, centred, transposed: true)
        let (values, vectors) = try symmetricEigenvectors(gram, count: components)
        return (0..<rows).map { row in
            func coordinate(_ component: Int) -> Double {
                component < components ? vectors[component, row] * max(values[component], 0).squareRoot() : 0
            }
            return (coordinate(0), coordinate(1))
        }
    }
}
