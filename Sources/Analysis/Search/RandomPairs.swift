import FileFormats
import Tensors

/// How similar two sentences of a collection are by chance: the cosines of pairs of different rows drawn at random.
///
/// What counts as similar differs from model to model; a threshold is best named as a quantile of this distribution.
package struct RandomPairCosines: Sendable {
    /// Pairs drawn.
    package var count: Int { sorted.count }
    /// Mean cosine.
    package let mean: Double
    /// Standard deviation (n − 1).
    package let deviation: Double
    /// The cosines in ascending order.
    package let sorted: [Float]

    /// The cosine below which a share `p` in [0, 1] of random pairs lies, interpolated linearly between neighbours (numpy's default).
    package func quantile(_ p: Double) -> Double {
        let place = max(0, min(1, p)) * Double(sorted.count - 1)
        let below = Int(place), share = place - Double(below)
        let low = Double(sorted[below]), high = Double(sorted[min(sorted.count - 1, below + 1)])
        return low + (high - low) * share
    }

    /// A cosine as a person names it: a number in [−1, 1], or the quantile of random pairs, as "q99" or "q99.9".
    ///
    /// - Throws: `DataError` when it is neither.
    package func threshold(named text: String) throws -> Double {
        if text.hasPrefix("q"), let percent = Double(text.dropFirst()), (0...100).contains(percent) { return quantile(percent / 100) }
        if let cosine = Double(text), (-1...1).contains(cosine) { return cosine }
        throw DataError(.usage, "the threshold '\(text)' is neither a cosine from -1 to 1 nor a quantile such as q99")
    }

    /// Draws `count` pairs of different usable rows, with replacement.
    ///
    /// - Throws: `DataError` when fewer than two rows have a direction, or a drawn vector holds NaN or infinity.
    /// - Complexity: one pass over the vectors, and memory for the drawn ones.
    package init<Source: RowSource>(
        of vectors: Source, valid: [Bool]? = nil, count: Int = 100_000, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) throws {
        guard count > 0 else { throw DataError(.usage, "the number of random pairs must be at least 1, not \(count)") }
        let width = vectors.columns
        var usable: [Int32] = []
        for range in Parallel.chunks(vectors.rows, size: 8192) {
            try vectors.withRows(range) { pointer in
                for row in range where valid?[row] != false {
                    let line = pointer + (row - range.lowerBound) * width
                    if Float.dot(line, line, count: width) != 0 { usable.append(Int32(row)) }
                }
            }
        }
        guard usable.count > 1 else {
            throw DataError(.badData, "random pairs need at least two vectors that are not zero; there are \(usable.count)")
        }
        var random = RandomSource(seed: seed)
        var pairs: [(Int, Int)] = []
        pairs.reserveCapacity(count)
        for _ in 0..<count {
            let a = random.below(usable.count), b = random.below(usable.count - 1)
            pairs.append((Int(usable[a]), Int(usable[b < a ? b : b + 1])))
        }
        var cosines = [Float](repeating: 0, count: count)
        // The drawn rows together, in their order.
        let wanted = Set(pairs.flatMap { [$0.0, $0.1] }).sorted(),
            places = Dictionary(uniqueKeysWithValues: wanted.enumerated().map { ($1, $0) })
        let gathered = try vectors.gather(wanted)
        let drawn = pairs.map { (places[$0.0] ?? 0, places[$0.1] ?? 0) }, chunks = Parallel.chunks(count, size: 4096)
        try gathered.withUnsafeElements { pointer in
            try cosines.withUnsafeMutableBufferPointer { buffer in
                let rows = Shared(pointer), out = Shared(buffer.baseAddress!)
                try Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                    for i in chunks[chunk] {
                        let a = UnsafePointer(rows.pointer) + drawn[i].0 * width, b = UnsafePointer(rows.pointer) + drawn[i].1 * width
                        let aa = Float.dot(a, a, count: width), bb = Float.dot(b, b, count: width)
                        guard aa.isFinite, bb.isFinite else {
                            throw notFinite(row: wanted[aa.isFinite ? drawn[i].1 : drawn[i].0], of: "the vectors")
                        }
                        let cosine = Float.dot(a, b, count: width) / (aa.squareRoot() * bb.squareRoot())
                        out.pointer[i] = Float(max(-1, min(1, cosine)))
                    }
                }
            }
        }
        let total = cosines.reduce(0) { $0 + Double($1) }, average = total / Double(count)
        mean = average
        deviation = (cosines.reduce(0) { $0 + (Double($1) - average) * (Double($1) - average) } / Double(max(1, count - 1))).squareRoot()
        sorted = cosines.sorted()
    }
}
