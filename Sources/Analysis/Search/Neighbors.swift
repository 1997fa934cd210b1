import CKernels
import FileFormats
import Tensors

/// Exact nearest neighbours within one set of vectors, by Euclidean distance.
///
/// Candidates, more than are wanted, come from blocked products in int8 or f32; their distances are computed again from the
/// differences, in Double, so that near-copies do not suffer from cancellation, and rows are ordered by them (then by row number).
package enum NearestNeighbors {
    /// The `count` nearest other rows of each row; `scores` are distances, ascending.
    ///
    /// - Throws: `DataError` for NaN or infinity, or when there are not more rows than `count`.
    package static func euclidean(_ x: Tensor<Float>, count: Int, threads: Int = Parallel.availableThreads) throws -> NeighborTable {
        try x.checkShape("the vectors")
        guard count > 0, count < x.rows else {
            throw DataError(.badData, "\(count) neighbours of each row need at least \(count + 1) rows; there are \(x.rows)")
        }
        return try table(queries: x, among: x, count: count, excludeSelf: true, threads: threads)
    }

    /// The `count` nearest rows of `reference` for each row of `queries`; `scores` are distances, ascending.
    package static func euclidean(
        of queries: Tensor<Float>, among reference: Tensor<Float>, count: Int, threads: Int = Parallel.availableThreads
    ) throws -> NeighborTable {
        try reference.checkShape("the reference vectors")
        guard queries.columns == reference.columns else {
            throw DataError(.badData, "the new vectors have \(queries.columns) columns and the reference \(reference.columns)")
        }
        guard count > 0, count <= reference.rows else {
            throw DataError(.badData, "\(count) neighbours of each row need at least \(count) reference rows; there are \(reference.rows)")
        }
        return try table(queries: queries, among: reference, count: count, excludeSelf: false, threads: threads)
    }

    private static func table(
        queries: Tensor<Float>, among reference: Tensor<Float>, count: Int, excludeSelf: Bool, threads: Int
    ) throws -> NeighborTable {
        // Distances do not change when everything moves; products of centred vectors keep more digits of them.
        try checkFinite(reference, "the reference vectors")
        let center = columnMeans(reference, threads: threads).map(Float.init)
        let search = Search(
            queries: queries, reference: reference, center: center, count: count, excludeSelf: excludeSelf, threads: threads)
        // More candidates than are wanted, for products round. Those in int8 are some four times as fast, and what they lose is known: where
        // it leaves a doubt which rows are nearest, as among many near-copies, products in f32 choose the candidates.
        let wide = min(count + min(2 * count + 48, 512), reference.rows - (excludeSelf ? 1 : 0))
        var isQuick = Precision.int8.isFast && reference.rows >= 8 * BlockedBest.blockRows && wide < reference.rows / 16
        var found = Nearest(queries: queries.rows, count: count)
        for group in Parallel.chunks(queries.rows, size: BlockedBest.queriesInFlight) {
            func candidates(_ precision: Precision) throws -> BlockedBest {
                try BlockedBest.search(
                    queries: queries, in: group, corpus: reference, by: .euclidean(center: center), top: wide, precision: precision,
                    excludeSelf: excludeSelf, threads: threads)
            }
            guard isQuick else {
                _ = search.choose(Array(group), among: try candidates(.f32), into: &found)
                continue
            }
            let unsure = search.choose(Array(group), among: try candidates(.int8), into: &found)
            guard !unsure.isEmpty else { continue }
            isQuick = unsure.count < group.count / 4
            // Each of these rows is found by itself too, unless there are as many copies of it.
            let again = try BlockedBest.search(
                queries: queries.gather(unsure), corpus: reference, by: .euclidean(center: center), top: wide + 1, threads: threads)
            _ = search.choose(unsure, among: again, into: &found)
        }
        if let missing = found.rows.firstIndex(of: -1) {
            throw DataError(
                .badData,
                "row \(missing / count) is so far from the others that distances exceed 32 bits (rows are numbered from 0); scale the vectors down"
            )
        }
        return NeighborTable(
            top: count, rows: found.rows, scores: found.distances, counts: [Int32](repeating: Int32(count), count: queries.rows))
    }

    private struct Nearest {
        var rows: [Int32], distances: [Float]

        init(queries: Int, count: Int) {
            rows = [Int32](repeating: -1, count: queries * count)
            distances = [Float](repeating: .infinity, count: queries * count)
        }
    }

    /// The nearest of some candidates by distances in Double.
    private struct Search {
        let queries: Tensor<Float>, reference: Tensor<Float>
        let center: [Float]
        let count: Int
        let excludeSelf: Bool
        let threads: Int

        /// Writes the nearest of each query's candidates in the places of `wanted`; returns the queries of which it is not certain that
        /// no other row is nearer.
        func choose(_ wanted: [Int], among candidates: BlockedBest, into found: inout Nearest) -> [Int] {
            let width = queries.columns, pieces = Parallel.chunks(wanted.count, size: 256)
            return queries.withUnsafeElements { queries in
                reference.withUnsafeElements { reference in
                    found.rows.withUnsafeMutableBufferPointer { rows in
                        found.distances.withUnsafeMutableBufferPointer { distances in
                            guard let rowBase = rows.baseAddress, let distanceBase = distances.baseAddress else { return [] }
                            let q = Shared(queries), r = Shared(reference), to = Shared(rowBase), d = Shared(distanceBase)
                            return Parallel.map(pieces.count, threads: threads) { piece, _ in
                                pieces[piece].filter { index in
                                    let query = wanted[index]
                                    return !choose(
                                        UnsafePointer(q.pointer) + query * width, UnsafePointer(r.pointer), among: candidates, index,
                                        own: excludeSelf ? query : nil,
                                        rows: to.pointer + query * count, distances: d.pointer + query * count)
                                }.map { wanted[$0] }
                            }.flatMap(\.self)
                        }
                    }
                }
            }
        }

        /// - Returns: whether no row that is not among the candidates can be nearer than these.
        private func choose(
            _ query: UnsafePointer<Float>, _ reference: UnsafePointer<Float>, among candidates: BlockedBest, _ index: Int, own: Int?,
            rows: UnsafeMutablePointer<Int32>, distances: UnsafeMutablePointer<Float>
        ) -> Bool {
            let first = index * candidates.top, kept = Int(candidates.counts[index]), width = center.count
            let error = candidates.errors.isEmpty ? Float.infinity : candidates.errors[index]
            let squares = candidates.errors.isEmpty ? 0 : squaredLength(query)
            var filled = 0
            for place in first..<first + kept {
                // Candidates come in the order of their scores, x·y − |y|²/2 = (|x|² − |x − y|²)/2, each known within `error`.
                if filled == count {
                    let least = (squares - Double(distances[count - 1]) * Double(distances[count - 1])) / 2
                    if Double(candidates.scores[place]) + Double(error) < least { return true }
                }
                let row = candidates.rows[place]
                if let own, Int(row) == own { continue }
                let distance = Float(kt_squared_distance(query, reference + Int(row) * width, Int64(width)).squareRoot())
                func isAfter(_ other: Int) -> Bool { distances[other] > distance || (distances[other] == distance && rows[other] > row) }
                guard filled < count || isAfter(count - 1) else { continue }
                // By insertion: they come in nearly the right order.
                var at = min(filled, count - 1)
                while at > 0 && isAfter(at - 1) {
                    (distances[at], rows[at]) = (distances[at - 1], rows[at - 1])
                    at -= 1
                }
                (distances[at], rows[at]) = (distance, row)
                filled = min(filled + 1, count)
            }
            return kept < candidates.top && error.isFinite
        }

        private func squaredLength(_ query: UnsafePointer<Float>) -> Double {
            Scratch.with(Float.self, count: center.count) { centered in
                kt_center_scale(query, center, 1, Int64(center.count), centered)
                return Float.dot(centered, centered, count: center.count)
            }
        }
    }
}

/// Mean of each column, summed in Double over chunks of rows in a fixed order.
func columnMeans(_ x: Tensor<Float>, threads: Int) -> [Double] {
    let columns = x.columns, chunks = Parallel.chunks(x.rows, size: 1024)
    var partial = [Double](repeating: 0, count: max(1, chunks.count * columns))
    x.withUnsafeElements { from in
        partial.withUnsafeMutableBufferPointer { buffer in
            let source = Shared(from), sums = Shared(buffer.baseAddress!)
            Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                let mine = sums.pointer + chunk * columns
                for row in chunks[chunk] {
                    let line = source.pointer + row * columns
                    for c in 0..<columns { mine[c] += Double(line[c]) }
                }
            }
        }
    }
    var means = [Double](repeating: 0, count: columns)
    for chunk in 0..<chunks.count { for c in 0..<columns { means[c] += partial[chunk * columns + c] } }
    return means.map { $0 / Double(max(1, x.rows)) }
}

/// The rows scaled to unit length; rows of zeros stay zeros. Returns the tensor itself where every row has unit length already.
package func normalizedRows(_ x: Tensor<Float>, threads: Int = Parallel.availableThreads) -> Tensor<Float> {
    let width = x.columns, rows = x.rows
    let unit = x.withUnsafeElements { pointer in
        (0..<rows).allSatisfy { abs(Float.dot(pointer + $0 * width, pointer + $0 * width, count: width) - 1) < 1e-6 }
    }
    if unit { return x }
    var result = Tensor<Float>(uninitialized: x.shape)
    x.withUnsafeElements { from in
        result.withUnsafeMutableElements { to in
            let source = Shared(from), target = Shared(to), pieces = Parallel.chunks(rows, size: 512)
            Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                for row in pieces[piece] {
                    let line = UnsafePointer(source.pointer) + row * width, squares = Float.dot(line, line, count: width)
                    if squares > 0 {
                        scaleToUnit(line, squaredNorm: squares, width: width, into: target.pointer + row * width)
                    } else {
                        (target.pointer + row * width).update(repeating: 0, count: width)
                    }
                }
            }
        }
    }
    return result
}
