import FileFormats
import Tensors

extension UMAP {
    /// Places new vectors on a map whose points stay where they are.
    ///
    /// Each new point starts at the weighted mean of its neighbours on the map, then follows the same forces as a map's points do. It does
    /// not feel the other new points: where it ends does not depend on what else is placed with it.
    ///
    /// - Parameters:
    ///   - new: vectors (new points, columns).
    ///   - reference: the vectors of the map (points, columns), before normalization, as they were given to `fit`.
    ///   - map: the map's coordinates (points, dimensions).
    ///   - epochs: nil for 100 up to 10,000 new points, 30 beyond, as in the reference.
    /// - Returns: (new points, dimensions).
    /// - Throws: `DataError` if shapes do not fit, for NaN or infinity, and for fewer reference points than neighbours.
    public func transform(_ new: Tensor<Float>, reference: Tensor<Float>, map: Tensor<Float>, epochs: Int? = nil) throws -> Tensor<Float> {
        try check(points: reference.rows)
        guard map.shape.count == 2, map.rows == reference.rows, map.columns == dimensions else {
            throw DataError(
                .badData,
                "the map has shape \(map.shape) and there are \(reference.rows) reference vectors; expected one "
                    + "point per vector")
        }
        guard new.columns == reference.columns else {
            throw DataError(
                .badData,
                "the new vectors have \(new.columns) columns and the map's \(reference.columns); both must come from the same model")
        }
        try checkFinite(new, "the new vectors")
        try checkFinite(map, "the map")
        let m = new.rows, k = neighbors, d = dimensions, epochs = epochs ?? (m <= 10_000 ? 100 : 30)
        guard m > 0 else { return Tensor(shape: [0, d]) }
        let table = try NearestNeighbors.euclidean(of: prepared(new), among: prepared(reference), count: k, threads: threads)
        let weights = FuzzyGraph.memberships(table, threads: threads).weights, curve = curve, seed = seed
        let pieces = Parallel.chunks(m, size: 64), settings = self
        let steps = (0..<epochs).map {
            UMAPLayout.Step(settings, curve, rate: Float(0.25 * settings.learningRate * (1 - Double($0) / Double(epochs))))
        }
        let placed = map.withUnsafeElements { base in
            let fixed = Shared(UnsafeMutablePointer(mutating: base))
            return Parallel.map(pieces.count, threads: threads) { piece, _ in
                pieces[piece].map { row in
                    settings.placed(
                        table[row].map(\.row), Array(weights[row * k..<(row + 1) * k]), fixed.pointer, points: map.rows, steps,
                        RandomSource(seed: seed).split(4))
                }
            }.flatMap(\.self)
        }
        return Tensor(placed.flatMap(\.self), shape: [m, d])
    }

    private func placed(
        _ rows: [Int], _ weights: [Float], _ map: UnsafePointer<Float>, points: Int, _ steps: [UMAPLayout.Step], _ source: RandomSource
    ) -> [Float] {
        let d = dimensions, total = weights.reduce(0, +), largest = weights.max() ?? 1
        var y = (0..<d).map { c in zip(rows, weights).reduce(Float(0)) { $0 + $1.1 * map[$1.0 * d + c] } / max(total, .leastNormalMagnitude)
        }
        var source = source, state = source.next(), next = weights.map { largest / $0 }
        for (epoch, step) in steps.enumerated() {
            for (place, row) in rows.enumerated() where next[place] <= Float(epoch + 1) {
                next[place] += largest / weights[place]
                step.move(&y, towards: map + row * d, among: map, points: points, &state)
            }
        }
        return y
    }
}
