import FileFormats
import Foundation
import Tensors

/// How rows are scored in "king − man + woman": the sum of cosines or their product (Levy & Goldberg 2014).
package enum ArithmeticMethod: String, Sendable, CaseIterable {
    /// 3CosAdd: the cosine with the sum of the unit vectors, minuses subtracted.
    case add
    /// 3CosMul: the product of the similarities to the pluses over that to the minuses, each similarity being (1 + cosine) / 2.
    case mul

    /// What keeps 3CosMul from dividing by zero.
    package static let epsilon: Float = 1e-6
}

/// The rows that are nearest to a sum and difference of other vectors.
package struct VectorArithmetic: Sendable {
    package var method: ArithmeticMethod
    package var threads: Int

    package init(method: ArithmeticMethod = .add, threads: Int = Parallel.availableThreads) {
        (self.method, self.threads) = (method, threads)
    }

    /// The `top` rows of `corpus` with the highest scores, best first; equal scores go to the lower row.
    ///
    /// - Parameters:
    ///   - plus, minus: vectors, each of the corpus's width; their lengths do not matter.
    ///   - excluded: rows excluded from the results, such as those of the query words.
    /// - Throws: `DataError` if there is no plus, a vector has no direction, or a row is not finite.
    package func search<Corpus: RowSource>(
        _ corpus: Corpus, plus: [[Float]], minus: [[Float]], excluding excluded: Set<Int> = [], valid: [Bool]? = nil, top: Int
    ) throws -> [(row: Int, score: Double)] {
        try corpus.checkShape("the vectors")
        guard !plus.isEmpty || !minus.isEmpty else { throw DataError(.usage, "no vectors to add or subtract") }
        guard top > 0 else { throw DataError(.usage, "the number of answers must be at least 1, not \(top)") }
        let parts = try (plus + minus).map(unit), width = corpus.columns
        guard parts.allSatisfy({ $0.count == width }) else {
            throw DataError(.badData, "the vectors to add do not have the \(width) columns of the vectors to search")
        }
        var query = [Float](repeating: 0, count: width)
        if method == .add {
            var sum = [Double](repeating: 0, count: width)
            for (index, part) in parts.enumerated() { for i in 0..<width { sum[i] += Double(index < plus.count ? part[i] : -part[i]) } }
            let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 1e-12 else { throw DataError(.badData, "the vectors cancel out, leaving nothing to search with") }
            query = sum.map { Float($0 / length) }
        }
        var best: [(row: Int, score: Double)] = []
        for rows in Parallel.chunks(corpus.rows, size: 16_384) {
            try corpus.withRows(rows) { base in
                let source = Shared(base)
                var scores = [Double](repeating: -.infinity, count: rows.count)
                try scores.withUnsafeMutableBufferPointer { buffer in
                    guard let out = buffer.baseAddress else { return }
                    let to = Shared(out), pieces = Parallel.chunks(rows.count, size: 512), query = query
                    try Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                        for i in pieces[piece] where valid?[rows.lowerBound + i] != false && !excluded.contains(rows.lowerBound + i) {
                            let row = UnsafePointer(source.pointer) + i * width, squares = Float.dot(row, row, count: width)
                            guard squares.isFinite else { throw notFinite(row: rows.lowerBound + i, of: "the vectors") }
                            guard squares > 0 else { continue }
                            let length = squares.squareRoot()
                            if method == .add {
                                to.pointer[i] = max(-1, min(1, Float.dot(row, query, count: width) / length))
                            } else {
                                var score = 1.0
                                for (index, part) in parts.enumerated() {
                                    let similarity = (1 + Float.dot(row, part, count: width) / length) / 2
                                    if index < plus.count {
                                        score *= similarity
                                    } else {
                                        score /= similarity + Double(ArithmeticMethod.epsilon)
                                    }
                                }
                                to.pointer[i] = score
                            }
                        }
                    }
                }
                for (i, score) in scores.enumerated() where score > -.infinity && (best.count < top || score > best[best.count - 1].score) {
                    let place = best.firstIndex { $0.score < score } ?? best.count
                    best.insert((rows.lowerBound + i, score), at: place)
                    if best.count > top { best.removeLast() }
                }
            }
        }
        return best
    }

    private func unit(_ vector: [Float]) throws -> [Float] {
        let squares = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares > 0, squares.isFinite else { throw DataError(.badData, "a vector of zeros has no direction and cannot be added") }
        return vector.map { Float(Double($0) / squares.squareRoot()) }
    }
}
