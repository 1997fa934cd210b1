import CKernels
import FileFormats
import Foundation
import Synchronization
import Tensors

/// Coordinates and what gradient descent remembers, one array a dimension; `y` arrays are absent in one dimension.
final class MapArrays: Sendable {
    let count: Int
    let dimensions: Int
    private let block: TensorStorage<Float>
    private let stride: Int

    /// Arrays of `count` zeros for each name, padded so that none shares a cache line with another.
    init(count: Int, dimensions: Int) {
        self.count = count
        self.dimensions = dimensions
        stride = (count + 31) / 16 * 16
        block = TensorStorage(uninitializedCount: 10 * stride)
        block.elements.update(repeating: 0, count: 10 * stride)
    }

    private func array(_ index: Int) -> UnsafeMutablePointer<Float> { block.elements + index * stride }
    private func plane(_ index: Int) -> UnsafeMutablePointer<Float>? { dimensions == 2 ? array(index) : nil }
    var x: UnsafeMutablePointer<Float> { array(0) }
    var y: UnsafeMutablePointer<Float>? { plane(1) }
    var updateX: UnsafeMutablePointer<Float> { array(2) }
    var updateY: UnsafeMutablePointer<Float>? { plane(3) }
    var gainX: UnsafeMutablePointer<Float> { array(4) }
    var gainY: UnsafeMutablePointer<Float>? { plane(5) }
    var attractionX: UnsafeMutablePointer<Float> { array(6) }
    var attractionY: UnsafeMutablePointer<Float>? { plane(7) }
    var repulsionX: UnsafeMutablePointer<Float> { array(8) }
    var repulsionY: UnsafeMutablePointer<Float>? { plane(9) }

    /// Root mean square of the points' distances from 0, their mean.
    var spread: Double {
        var total = Float.dot(x, x, count: count)
        if let y { total += Float.dot(y, y, count: count) }
        return (total / Double(max(1, count))).squareRoot()
    }

    /// (count, dimensions)
    var coordinates: Tensor<Float> {
        get {
            var result = Tensor<Float>(uninitialized: [count, dimensions])
            result.withUnsafeMutableElements { to in
                for i in 0..<count {
                    to[i * dimensions] = x[i]
                    if let y { to[i * dimensions + 1] = y[i] }
                }
            }
            return result
        }
        set {
            newValue.withUnsafeElements { from in
                for i in 0..<count {
                    x[i] = from[i * dimensions]
                    if let y { y[i] = from[i * dimensions + 1] }
                }
            }
        }
    }
}

/// A way to compute how the points of a map push each other apart.
protocol Repulsion: AnyObject {
    /// Fills `repulsionX/Y` with Σ_j w_ij (1 + d_ij²/α)⁻¹ (y_i − y_j) and returns Z = Σ_i Σ_(j≠i) w_ij, for w = (1 + d²/α)^−α.
    func compute(_ map: MapArrays) -> Double
}

/// Every pair.
final class ExactRepulsion: Repulsion {
    private let alpha: Float
    private let threads: Int
    private var z: [Double]

    init(points: Int, alpha: Double, threads: Int) {
        self.alpha = Float(alpha)
        // Handing out work costs more than it saves where an iteration takes some hundred microseconds.
        self.threads = points < 700 ? 1 : threads
        z = [Double](repeating: 0, count: points)
    }

    func compute(_ map: MapArrays) -> Double {
        let n = map.count, chunks = Parallel.chunks(n, size: 64), alpha = self.alpha
        return z.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            let z = Shared(base)
            Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                kt_tsne_repulsion(
                    map.x, map.y, Int64(chunks[chunk].lowerBound), Int64(chunks[chunk].upperBound), map.x, map.y, Int64(n), 1, alpha,
                    map.repulsionX, map.repulsionY, z.pointer)
            }
            return buffer.reduce(0, +)
        }
    }
}

/// One optimization.
final class TSNERun {
    private let settings: TSNE
    private let affinities: Affinities
    private let map: MapArrays
    private let repulsion: any Repulsion
    private let chunks: [Range<Int>]
    private let threads: Int
    private let negativeEntropy: Double
    private let initial: Tensor<Float>?
    private var earlyExaggeration: Double
    private var iteration = 0
    private var best = Double.infinity
    private var bestIteration = 0
    private var gradientNorm = 0.0

    static let exactDivergenceLimit = 100_000

    init(_ settings: TSNE, _ affinities: Affinities, initial: Tensor<Float>?, checkpoint: TSNECheckpoint?) throws {
        let n = affinities.count
        self.settings = settings
        self.affinities = affinities
        map = MapArrays(count: n, dimensions: settings.dimensions)
        repulsion = Self.repulsion(settings, points: n)
        threads = n < 700 ? 1 : settings.threads
        chunks = Parallel.chunks(n, size: affinities.pairs == .all ? 64 : 512)
        negativeEntropy = affinities.negativeEntropy(threads: settings.threads)
        self.initial = initial
        earlyExaggeration = settings.earlyExaggeration ?? TSNE.usualEarlyExaggeration
        if let checkpoint {
            try checkpoint.restore(into: map, settings: settings)
            (iteration, best, bestIteration) = (checkpoint.iteration, checkpoint.best, checkpoint.bestIteration)
            earlyExaggeration = checkpoint.earlyExaggeration
        } else {
            try start()
        }
    }

    private func start() throws {
        let n = map.count
        guard let initial, initial.shape == [n, settings.dimensions] else {
            throw DataError(.usage, "a map of \(n) points needs initial coordinates of shape [\(n), \(settings.dimensions)]")
        }
        map.coordinates = initial
        for update in [map.updateX, map.updateY] { update?.update(repeating: 0, count: n) }
        for gain in [map.gainX, map.gainY] { gain?.update(repeating: 1, count: n) }
        iteration = 0
    }

    /// Whether the early exaggeration has drawn the map into a point and a lower one should be tried. A map that stays small
    /// even without exaggeration is left alone.
    private var hasCollapsed: Bool {
        settings.earlyExaggeration == nil && iteration == TSNE.trialIterations && iteration <= settings.earlyIterations
            && map.spread < 1.5 && earlyExaggeration > max(1.5, settings.exaggeration)
    }

    static func repulsion(_ settings: TSNE, points: Int) -> any Repulsion {
        switch settings.method(points: points) {
        case .interpolation:
            FFTInterpolation(points: points, alpha: settings.degreesOfFreedom, spacing: settings.spacing, threads: settings.threads)
        case .barnesHut: BarnesHut(points: points, alpha: settings.degreesOfFreedom, angle: settings.angle, threads: settings.threads)
        case .exact, .automatic: ExactRepulsion(points: points, alpha: settings.degreesOfFreedom, threads: settings.threads)
        }
    }

    func optimize(_ progress: ((TSNEProgress) throws -> Void)?) throws -> TSNEMap {
        let total = settings.earlyIterations + settings.iterations
        while iteration < total {
            let early = iteration < settings.earlyIterations
            let exaggeration = early ? earlyExaggeration : settings.exaggeration
            attract()
            let z = repulsion.compute(map)
            let looks = (iteration + 1) % settings.reportEvery == 0 || iteration + 1 == total
            let divergence = looks ? self.divergence(z: z) : 0
            step(z: z, exaggeration: exaggeration, momentum: early ? settings.earlyMomentum : settings.momentum)
            iteration += 1
            guard divergence.isFinite, gradientNorm.isFinite else {
                throw DataError(.usage, "t-SNE diverged in iteration \(iteration); lower the learning rate")
            }
            if hasCollapsed {
                earlyExaggeration /= 2
                try start()
                continue
            }
            guard looks else { continue }
            if iteration == settings.earlyIterations { (best, bestIteration) = (.infinity, iteration) }
            if divergence < best { (best, bestIteration) = (divergence, iteration) }
            if let progress {
                let checkpoint = TSNECheckpoint(
                    map, settings: settings, earlyExaggeration: earlyExaggeration, iteration: iteration, best: best,
                    bestIteration: bestIteration)
                try progress(
                    TSNEProgress(
                        iteration: iteration, total: total, isEarly: early, kullbackLeiblerDivergence: divergence,
                        gradientNorm: gradientNorm, spread: map.spread, makeCheckpoint: { checkpoint }))
            }
            if !early && (settings.patience.map { iteration - bestIteration >= $0 } == true || gradientNorm < settings.leastGradientNorm) {
                break
            }
        }
        return finished()
    }

    func divergenceAndGradient() -> (Double, Tensor<Double>) {
        attract()
        let z = repulsion.compute(map), dimensions = map.dimensions
        var gradient = Tensor<Double>(uninitialized: [map.count, dimensions])
        gradient.withUnsafeMutableElements { to in
            for i in 0..<map.count {
                to[i * dimensions] = 4 * (Double(map.attractionX[i]) - Double(map.repulsionX[i]) / z)
                if let attraction = map.attractionY, let repulsion = map.repulsionY {
                    to[i * dimensions + 1] = 4 * (Double(attraction[i]) - Double(repulsion[i]) / z)
                }
            }
        }
        return (divergence(z: z), gradient)
    }

    private func finished() -> TSNEMap {
        let exact = map.count <= Self.exactDivergenceLimit
        let z =
            exact
            ? ExactRepulsion(points: map.count, alpha: settings.degreesOfFreedom, threads: settings.threads).compute(map)
            : repulsion.compute(map)
        var made = settings
        made.gradient = settings.method(points: map.count)
        (made.perplexities, made.pairs) = (affinities.perplexities, affinities.pairs)
        made.earlyExaggeration = earlyExaggeration
        let divergence = self.divergence(z: z)
        return TSNEMap(
            coordinates: map.coordinates, kullbackLeiblerDivergence: divergence,
            divergenceOverAllPairs: exact && affinities.pairs == .all ? divergence : nil, pairs: affinities.pairs,
            neighbors: affinities.neighbors,
            isExact: exact, settings: made, iterations: iteration, realizedPerplexity: affinities.realizedPerplexity,
            gradientNorm: gradientNorm)
    }

    // MARK: One iteration

    private func attract() {
        let map = self.map, chunks = self.chunks, alpha = Float(settings.degreesOfFreedom)
        guard affinities.pairs != .all else {
            return affinities.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                let p = Shared(base)
                Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                    kt_tsne_attraction_all(
                        map.x, map.y, Int64(chunks[chunk].lowerBound), Int64(chunks[chunk].upperBound), Int64(map.count), p.pointer, alpha,
                        map.attractionX, map.attractionY)
                }
            }
        }
        withAffinities { p in
            Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                kt_tsne_attraction(
                    map.x, map.y, Int64(chunks[chunk].lowerBound), Int64(chunks[chunk].upperBound), p.offsets.pointer, p.columns.pointer,
                    p.values.pointer, map.x, map.y, alpha, map.attractionX, map.attractionY)
            }
        }
    }

    /// KL(P‖Q) = Σ p log p − Σ p log w + log Z.
    private func divergence(z: Double) -> Double {
        let map = self.map, chunks = self.chunks, alpha = settings.degreesOfFreedom
        var sums = [Double](repeating: 0, count: chunks.count)
        sums.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base)
            guard affinities.pairs != .all else {
                return affinities.values.withUnsafeBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    let p = Shared(base)
                    Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                        out.pointer[chunk] = kt_tsne_attraction_all_energy(
                            map.x, map.y, Int64(chunks[chunk].lowerBound), Int64(chunks[chunk].upperBound),
                            Int64(map.count), p.pointer, alpha)
                    }
                }
            }
            withAffinities { p in
                Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                    out.pointer[chunk] = kt_tsne_attraction_energy(
                        map.x, map.y, Int64(chunks[chunk].lowerBound), Int64(chunks[chunk].upperBound),
                        p.offsets.pointer, p.columns.pointer, p.values.pointer, map.x, map.y, alpha)
                }
            }
        }
        return negativeEntropy + sums.reduce(0, +) + log(z)
    }

    private struct SharedAffinities: Sendable {
        let offsets: Shared<Int64>
        let columns: Shared<Int32>
        let values: Shared<Float>
    }

    private func withAffinities(_ body: (SharedAffinities) -> Void) {
        affinities.offsets.withUnsafeBufferPointer { offsets in
            affinities.columns.withUnsafeBufferPointer { columns in
                affinities.values.withUnsafeBufferPointer { values in
                    guard let o = offsets.baseAddress, let c = columns.baseAddress, let v = values.baseAddress else { return }
                    body(SharedAffinities(offsets: Shared(o), columns: Shared(c), values: Shared(v)))
                }
            }
        }
    }

    private func step(z: Double, exaggeration: Double, momentum: Double) {
        let map = self.map, chunks = self.chunks, n = map.count
        let schedule = kt_tsne_schedule(
            exaggeration: Float(exaggeration), inverse_z: Float(1 / z), momentum: Float(momentum),
            rate: Float(settings.rate(points: n, exaggeration: exaggeration)), least_gain: 0.01, longest_step: Float(settings.longestStep))
        var sums = [Double](repeating: 0, count: 3 * chunks.count)
        sums.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = Shared(base)
            Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                let first = chunks[chunk].lowerBound
                func at(_ array: UnsafeMutablePointer<Float>?) -> UnsafeMutablePointer<Float>? { array.map { $0 + first } }
                kt_tsne_step(
                    schedule, Int64(chunks[chunk].count), map.attractionX + first, at(map.attractionY), map.repulsionX + first,
                    at(map.repulsionY),
                    map.x + first, at(map.y), map.updateX + first, at(map.updateY), map.gainX + first, at(map.gainY),
                    out.pointer + 3 * chunk)
            }
        }
        var total = (x: 0.0, y: 0.0, squares: 0.0)
        for chunk in 0..<chunks.count {
            total = (total.x + sums[3 * chunk], total.y + sums[3 * chunk + 1], total.squares + sums[3 * chunk + 2])
        }
        // A NaN coordinate shows in the sums.
        gradientNorm = total.x.isFinite && total.y.isFinite ? 4 * total.squares.squareRoot() : .nan
        let meanX = Float(total.x / Double(n)), meanY = Float(total.y / Double(n))
        kt_tsne_center(Int64(n), meanX, meanY, map.x, map.y)
    }
}
