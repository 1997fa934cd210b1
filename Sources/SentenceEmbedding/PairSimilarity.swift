import Tensors

/// Cosines between pairs of sentences, each distinct sentence embedded once.
public struct PairSimilarity: Sendable {
    /// What turns sentences into vectors.
    package let encoder: any TextEncoder

    /// Cosines between vectors of `encoder`.
    public init(encoder: any TextEncoder) { self.encoder = encoder }

    /// The cosine of `first[i]` and `second[i]`, in −1 ... 1; nil if a sentence is empty, or a vector is zero and has no direction.
    public func cosines(_ first: [String], _ second: [String]) throws -> (cosines: [Double?], counts: SentenceEncoder.Counts) {
        precondition(first.count == second.count)
        var rows: [String: Int] = [:], distinct: [String] = []
        func row(_ sentence: String) -> Int {
            if let known = rows[sentence] { return known }
            rows[sentence] = distinct.count
            distinct.append(sentence)
            return distinct.count - 1
        }
        let places = zip(first, second).map { (row($0), row($1)) }
        let dimension = encoder.dimension
        var counts = SentenceEncoder.Counts()
        let vectors = try [Float](unsafeUninitializedCapacity: distinct.count * dimension) { buffer, initialized in
            counts = try encoder.encode(distinct, into: UnsafeMutableBufferPointer(rebasing: buffer[..<(distinct.count * dimension)]))
            initialized = distinct.count * dimension
        }
        let isEmpty = distinct.map { $0.allSatisfy(\.isWhitespace) }
        // The markers that a model puts around nothing have a vector, but an empty sentence says nothing.
        let cosines = zip(places, Self.cosines(of: vectors, width: dimension, pairs: places)).map { place, cosine in
            isEmpty[place.0] || isEmpty[place.1] ? nil : cosine
        }
        return (cosines, counts)
    }

    /// Cosines between rows of `vectors`, row-major, `width` numbers each; nil where a vector is zero and has no direction.
    public static func cosines(of vectors: [Float], width: Int, pairs: [(Int, Int)]) -> [Double?] {
        vectors.withUnsafeBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return [] }
            let squares = (0..<vectors.count / width).map { Float.dot(base + $0 * width, base + $0 * width, count: width) }
            return pairs.map { a, b in
                // The root of the product, not the product of the roots: equal vectors then have the cosine 1 exactly, and tie.
                let product = (squares[a] * squares[b]).squareRoot()
                guard product > 0 else { return nil }
                return max(-1, min(1, Float.dot(base + a * width, base + b * width, count: width) / product))
            }
        }
    }
}
