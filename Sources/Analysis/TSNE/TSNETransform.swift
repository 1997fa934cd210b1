import CKernels
import FileFormats
import Foundation
import Tensors

/// New points on an existing map.
package struct TSNEPlacement: Sendable {
    /// (new points, dimensions), inside the map's bounds.
    package let coordinates: Tensor<Float>
    /// Mean over the new points of KL(p_i‖q_i) between their affinities to the map's points in the two spaces.
    package let meanDivergence: Double
}

extension TSNE {
    /// Places new vectors on a map whose points stay where they are (Poličar, Stražar & Zupan 2019).
    ///
    /// Each new point has affinities of its own to its nearest reference vectors, starts at their middle and moves until its
    /// neighbourhood on the map resembles that among the vectors. It does not feel the other new points: where it ends does not depend on
    /// what else is placed with it.
    ///
    /// - Parameters:
    ///   - new: vectors (new points, columns).
    ///   - reference: the vectors of the map (points, columns), before normalization, as they were given to `fit`.
    ///   - map: the map's coordinates (points, dimensions).
    ///   - perplexity: effective number of neighbours of a new point; a few place it best.
    ///   - iterations: steps of gradient descent; 0 leaves the points at the middle of their neighbours.
    /// - Throws: `DataError` when shapes do not fit, for NaN or infinity, and for fewer reference points than 3 · perplexity.
    package func transform(
        _ new: Tensor<Float>, reference: Tensor<Float>, map: Tensor<Float>, perplexity: Double = 5, iterations: Int = 250
    ) throws -> TSNEPlacement {
        guard map.shape.count == 2, map.rows == reference.rows, map.columns == 1 || map.columns == 2 else {
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
        guard perplexity.isFinite, perplexity >= 1, Int(3 * perplexity) <= reference.rows else {
            throw DataError(
                .usage,
                "perplexity \(perplexity) needs at least "
                    + "\(perplexity.isFinite ? Int(min(1e9, 3 * max(1, perplexity))) : 3) points on the map; there are \(reference.rows), so "
                    + "use at most \(max(1, reference.rows / 3))")
        }
        guard iterations >= 0 else { throw DataError(.usage, "the number of iterations cannot be negative") }
        try checkFinite(new, "the new vectors")
        try checkFinite(map, "the map")
        let m = new.rows, k = max(1, Int(3 * perplexity))
        guard m > 0 else { return TSNEPlacement(coordinates: Tensor(shape: [0, map.columns]), meanDivergence: 0) }
        let table = try NearestNeighbors.euclidean(of: prepared(new), among: prepared(reference), count: k, threads: threads)
        var columns = table.rows, p = table.scores
        _ = conditional(
            &columns, &p, rows: m, neighbors: k, perplexities: [perplexity], largest: perplexity, sorted: false, threads: threads)

        let fixed = MapArrays(count: map.rows, dimensions: map.columns), moving = MapArrays(count: m, dimensions: map.columns)
        fixed.coordinates = map
        moving.coordinates = start(columns, p, neighbors: k, points: m, map: map)
        for gain in [moving.gainX, moving.gainY] { gain?.update(repeating: 1, count: m) }
        let offsets = (0...m).map { Int64($0 * k) }
        let placement = Placement(
            fixed: fixed, moving: moving, offsets: offsets, columns: columns, p: p, alpha: degreesOfFreedom, threads: threads)
        // Every pair where that is quick, else the map's potential on a grid, which is computed once: the map does not move.
        if Double(m) * Double(map.rows) * Double(max(1, iterations)) > 2e10 {
            let grid = FFTInterpolation(points: map.rows, alpha: degreesOfFreedom, spacing: min(spacing, 0.25), threads: threads)
            let done: Void? = grid.withPotential(of: fixed) { placement.run(iterations: iterations, potential: $0) }
            guard done != nil else { throw DataError(.badData, "the map is too large to be interpolated on a grid") }
        } else {
            placement.run(iterations: iterations, potential: nil)
        }
        return TSNEPlacement(coordinates: moving.coordinates, meanDivergence: placement.divergence())
    }

    /// The median of the neighbours' places, weighted by their affinities: between two clusters a point starts in the likelier one.
    private func start(_ columns: [Int32], _ p: [Float], neighbors k: Int, points m: Int, map: Tensor<Float>) -> Tensor<Float> {
        let dimensions = map.columns
        var result = Tensor<Float>(uninitialized: [m, dimensions])
        result.withUnsafeMutableElements { to in
            map.withUnsafeElements { from in
                for i in 0..<m {
                    for c in 0..<dimensions {
                        let places = (i * k..<(i + 1) * k).map { (from[Int(columns[$0]) * dimensions + c], Double(p[$0])) }.sorted {
                            $0.0 < $1.0
                        }
                        var passed = 0.0
                        let half = places.reduce(0) { $0 + $1.1 } / 2
                        to[i * dimensions + c] =
                            places.first {
                                passed += $0.1
                                return passed >= half
                            }?.0 ?? places[k / 2].0
                    }
                }
            }
        }
        return result
    }
}

/// Gradient descent of new points on a fixed map.
private final class Placement: Sendable {
    private let fixed: MapArrays
    private let moving: MapArrays
    private let offsets: [Int64]
    private let columns: [Int32]
    private let p: [Float]
    private let alpha: Double
    private let threads: Int
    private let chunks: [Range<Int>]
    private let order: [Int32]
    private let sums: TensorStorage<Double>
    private var z: UnsafeMutablePointer<Double> { sums.elements }

    init(fixed: MapArrays, moving: MapArrays, offsets: [Int64], columns: [Int32], p: [Float], alpha: Double, threads: Int) {
        self.fixed = fixed
        self.moving = moving
        self.offsets = offsets
        self.columns = columns
        self.p = p
        self.alpha = alpha
        self.threads = threads
        chunks = Parallel.chunks(moving.count, size: 64)
        order = (0..<moving.count).map(Int32.init)
        sums = TensorStorage([Double](repeating: 1, count: moving.count))
    }

    /// Points are independent, so each chunk runs all its iterations on one thread.
    func run(iterations: Int, potential: Potential?) {
        let low = (bound(fixed.x, min), fixed.y.map { bound($0, min) } ?? 0),
            high = (bound(fixed.x, max), fixed.y.map { bound($0, max) } ?? 0)
        let schedule = kt_tsne_schedule(exaggeration: 1, inverse_z: 1, momentum: 0.8, rate: 0.5, least_gain: 0.01, longest_step: 1)
        Parallel.forEach(chunks.count, threads: threads) { item, _ in
            let chunk = self.chunks[item], first = chunk.lowerBound, map = self.moving
            func at(_ array: UnsafeMutablePointer<Float>?) -> UnsafeMutablePointer<Float>? { array.map { $0 + first } }
            var sums = [0.0, 0.0, 0.0]
            for _ in 0..<iterations {
                self.forces(chunk, potential)
                for i in chunk {
                    let inverse = Float(1 / max(self.z[i], 1e-30))
                    map.repulsionX[i] *= inverse
                    map.repulsionY?[i] *= inverse
                }
                kt_tsne_step(
                    schedule, Int64(chunk.count), map.attractionX + first, at(map.attractionY), map.repulsionX + first, at(map.repulsionY),
                    map.x + first, at(map.y), map.updateX + first, at(map.updateY), map.gainX + first, at(map.gainY), &sums)
                for i in chunk {
                    map.x[i] = max(low.0, min(high.0, map.x[i]))
                    if let y = map.y { y[i] = max(low.1, min(high.1, y[i])) }
                }
            }
            // Normalizations at the places reached, over every pair: for the divergence.
            self.forces(chunk, nil)
        }
    }

    private func bound(_ x: UnsafePointer<Float>, _ choose: (Float, Float) -> Float) -> Float {
        var best = x[0]
        for i in 1..<max(1, fixed.count) { best = choose(best, x[i]) }
        return best
    }

    private func forces(_ chunk: Range<Int>, _ potential: Potential?) {
        let first = Int64(chunk.lowerBound), last = Int64(chunk.upperBound)
        kt_tsne_attraction(
            moving.x, moving.y, first, last, offsets, columns, p, fixed.x, fixed.y, Float(alpha), moving.attractionX, moving.attractionY)
        guard let potential else {
            kt_tsne_repulsion(
                moving.x, moving.y, first, last, fixed.x, fixed.y, Int64(fixed.count), 0, Float(alpha), moving.repulsionX,
                moving.repulsionY, z)
            return
        }
        if let y = moving.y, let forceY = moving.repulsionY {
            _ = kt_spline_gather(
                order, first, last, moving.x, y, potential.left, potential.bottom, potential.perUnit, Int64(potential.stride),
                potential.field.pointer, moving.repulsionX, forceY, z)
        } else {
            let from = chunk.lowerBound
            _ = kt_spline_gather_line(
                Int64(chunk.count), moving.x + from, potential.left, potential.perUnit, potential.field.pointer,
                moving.repulsionX + from, z + from)
        }
        for i in chunk { z[i] += potential.constant }
    }

    /// Mean of Σ_j p_j|i log(p_j|i / q_j|i).
    func divergence() -> Double {
        var total = 0.0
        for i in 0..<moving.count {
            var row = 0.0
            for e in Int(offsets[i])..<Int(offsets[i + 1]) where p[e] > 0 { row += Double(p[e]) * log(Double(p[e])) }
            row += kt_tsne_attraction_energy(moving.x, moving.y, Int64(i), Int64(i + 1), offsets, columns, p, fixed.x, fixed.y, alpha)
            total += row + log(z[i])
        }
        return total / Double(moving.count)
    }
}
