import CKernels
import FileFormats
import Tensors

/// Exact nearest neighbours within one set of vectors, by Euclidean distance.
///
/// Candidates come from blocked float products; the distances of those found are computed again from the differences, in
/// Double, so that near-copies do not suffer from cancellation, and rows are ordered by them (then by row number).
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
        var best = try BlockedBest.search(
            queries: queries, corpus: reference, by: .euclidean(center: center), top: count, excludeSelf: excludeSelf, threads: threads)
        let width = queries.columns, pieces = Parallel.chunks(queries.rows, size: 256)
        queries.withUnsafeElements { queries in
            reference.withUnsafeElements { reference in
                best.rows.withUnsafeMutableBufferPointer { rows in
                    best.scores.withUnsafeMutableBufferPointer { distances in
                        guard let rowBase = rows.baseAddress, let distanceBase = distances.baseAddress else { return }
                        let q = Shared(queries), r = Shared(reference), to = Shared(rowBase), d = Shared(distanceBase)
                        Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                            for query in pieces[piece] {
                                // By insertion: they come in nearly the right order.
                                let rows = to.pointer + query * count, distances = d.pointer + query * count
                                for place in 0..<count {
                                    let row = rows[place]
                                    let distance = Float(
                                        kt_squared_distance(q.pointer + query * width, r.pointer + Int(row) * width, Int64(width))
                                            .squareRoot())
                                    var at = place
                                    while at > 0 && (distances[at - 1] > distance || (distances[at - 1] == distance && rows[at - 1] > row))
                                    {
                                        (distances[at], rows[at]) = (distances[at - 1], rows[at - 1])
                                        at -= 1
                                    }
                                    (distances[at], rows[at]) = (distance, row)
                                }
                            }
                        }
                    }
                }
            }
        }
        return NeighborTable(top: count, rows: best.rows, scores: best.scores, counts: best.counts)
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
