import FileFormats
import Foundation
import Tensors

// t-distributed stochastic neighbour embedding (van der Maaten & Hinton 2008). Goals in order: a map as good as the best peer's (KL
// divergence); the same bits for a seed, whatever the number of threads; speed; memory.
//
// Every sum over points is either wholly one thread's or a sum of fixed chunks in a fixed order. Coordinates and forces are Float;
// the normalization Z, the KL divergence, means and norms are Double.

/// A map of vectors on which near neighbours stay near: settings, and `fit`.
public struct TSNE: Sendable {
    /// How the points' repulsion is computed. All approximate the same sum.
    package enum Gradient: String, Sendable, CaseIterable {
        /// By the number of points: `exact` for few, `interpolation` for many.
        case automatic
        /// Every pair.
        case exact
        /// A quadtree whose distant cells count as one point (Barnes & Hut 1986; van der Maaten 2014).
        case barnesHut
        /// A potential on a grid, convolved by FFT, and its gradient between the grid's nodes (after Linderman et al. 2019).
        case interpolation
    }

    /// Where the points start.
    package enum Initialization: Sendable, Equatable {
        /// The first principal components, scaled to a standard deviation of 1e-4 (Kobak & Berens 2019).
        case pca
        /// Normal with standard deviation 1e-4.
        case random
        /// Coordinates (points, dimensions), as they are.
        case given(Tensor<Float>)
    }

    /// Effective number of neighbours; several are averaged. Empty: `Affinities.usualPerplexity`, which is 30 from 91 points on.
    public var perplexities: [Double] = []
    /// Between which points affinities are taken.
    package var pairs = Affinities.Pairs.automatic
    /// 1 or 2.
    package var dimensions = 2
    /// Scales vectors to unit length first, so that Euclidean distance grows with the angle between them.
    public var normalizesVectors = true
    /// Where the points start.
    package var initialization = Initialization.pca
    /// Factor on the affinities in the first iterations, which lets clusters find each other.
    ///
    /// nil: 12, the usual value; but where that much attraction draws the whole map into a point (few points, or affinities without clear
    /// clusters), the start is repeated with half of it, until the map has a radius of at least 1.5 after 50 iterations. A collapsed map
    /// forgets its initialization and ends in a worse minimum. `TSNEMap.settings` holds the value that was used.
    package var earlyExaggeration: Double?
    /// Iterations under early exaggeration.
    package var earlyIterations = 250
    /// Factor on the affinities afterwards; above 1 draws clusters together.
    package var exaggeration = 1.0
    /// Iterations after the early ones.
    public var iterations = 500
    /// nil: points / exaggeration of the phase (Belkina et al. 2019), without a least value: few points under strong exaggeration would
    /// swing instead of settling. The gradient is taken without its factor of 4 here.
    package var learningRate: Double?
    package var earlyMomentum = 0.8
    package var momentum = 0.8
    /// Longest way of a point in one iteration.
    package var longestStep = 5.0
    /// α of the map's kernel (1 + d²/α)^−α: below 1 heavier tails and finer clusters (Kobak et al. 2019); 1 is Student's t with one degree.
    package var degreesOfFreedom = 1.0
    package var gradient = Gradient.automatic
    /// For `barnesHut`: a cell counts as one point where its side / distance is below this.
    package var angle = 0.5
    /// For `interpolation`: distance between the grid's nodes, in the map's units.
    package var spacing = 0.4
    /// Ends the run early if the KL divergence has not decreased for this many iterations (looked at every `reportEvery`); nil: never.
    package var patience: Int?
    /// Ends the run early when the gradient's norm is below this; 0: never, so that all iterations are done.
    package var leastGradientNorm = 0.0
    /// Iterations between two reports.
    package var reportEvery = 50
    /// Seed of random starts and of the solver of principal components; it fixes the map.
    public var seed: UInt64 = 0
    /// Number of worker threads; results do not depend on it.
    public var threads = Parallel.availableThreads

    /// Perplexity 30, 250 + 500 iterations, unit vectors, a start from principal components.
    public init() {}

    /// Points up to which `automatic` computes every pair: measured, where interpolation becomes faster.
    package static let exactLimit = 6000

    /// The method that `automatic` stands for.
    package func method(points: Int) -> Gradient {
        gradient != .automatic ? gradient : points <= Self.exactLimit ? .exact : .interpolation
    }

    /// Iterations after which an early exaggeration is judged.
    static let trialIterations = 50
    package static let usualEarlyExaggeration = 12.0

    /// The requested perplexities, or the usual one for this many points.
    package func perplexities(points: Int) -> [Double] {
        perplexities.isEmpty ? [Affinities.usualPerplexity(points: points)] : perplexities
    }

    /// Learning rate in a phase with this exaggeration.
    func rate(points: Int, exaggeration: Double) -> Double { learningRate ?? Double(points) / max(1, exaggeration) }

    // MARK: Fitting

    /// The map of the rows of `x` (points, columns).
    ///
    /// - Throws: `DataError` for fewer points than 3 · perplexity + 1 (with the largest perplexity allowed), vectors that are all equal,
    ///   NaN or infinity, settings that make no sense.
    public func fit(_ x: Tensor<Float>) throws -> TSNEMap { try fit(x, from: nil) }

    /// The map of the rows of `x` (points, columns).
    ///
    /// - Parameters:
    ///   - checkpoint: continues a run that was made with the same vectors and settings; the result equals an undisturbed run's.
    ///   - progress: called every `reportEvery` iterations; an error that it throws ends the run.
    /// - Throws: `DataError` for fewer points than 3 · perplexity + 1 (with the largest perplexity allowed), vectors that are all equal,
    ///   NaN or infinity, settings that make no sense, a checkpoint of another run.
    package func fit(
        _ x: Tensor<Float>, from checkpoint: TSNECheckpoint? = nil, progress: ((TSNEProgress) throws -> Void)? = nil
    ) throws -> TSNEMap {
        try check(points: x.rows)
        try x.checkShape("the vectors")
        try checkFinite(x)
        let vectors = prepared(x)
        let start = try checkpoint.map { $0.iteration >= Self.trialIterations } == true ? nil : initialCoordinates(vectors)
        let perplexities = perplexities(points: x.rows)
        let affinities = try Affinities(vectors, perplexities: perplexities, pairs: pairs, threads: threads)
        var map = try fit(affinities, initial: start, from: checkpoint, progress: progress)
        if affinities.pairs == .nearest, x.rows < Affinities.allPairsLimit {
            let all = try Affinities(vectors, perplexities: perplexities, pairs: .all, threads: threads)
            map.divergenceOverAllPairs = try divergence(all, at: map.coordinates)
        }
        return map
    }

    /// The vectors as distances are taken between: of unit length, if `normalizesVectors`.
    func prepared(_ x: Tensor<Float>) -> Tensor<Float> { normalizesVectors ? normalizedRows(x, threads: threads) : x }

    /// The map for affinities that are known already.
    ///
    /// - Parameter initial: coordinates (points, dimensions); not needed with a checkpoint of at least 50 iterations.
    package func fit(
        _ affinities: Affinities, initial: Tensor<Float>?, from checkpoint: TSNECheckpoint? = nil,
        progress: ((TSNEProgress) throws -> Void)? = nil
    ) throws -> TSNEMap {
        try check(points: affinities.count)
        let run = try TSNERun(self, affinities, initial: initial, checkpoint: checkpoint)
        return try run.optimize(progress)
    }

    /// KL(P‖Q) of a map and its gradient by every coordinate, both by the method of these settings.
    ///
    /// - Parameter coordinates: (points, dimensions).
    package func divergenceAndGradient(
        _ affinities: Affinities, at coordinates: Tensor<Float>
    ) throws -> (divergence: Double, gradient: Tensor<Double>) {
        try check(points: affinities.count)
        return try TSNERun(self, affinities, initial: coordinates, checkpoint: nil).divergenceAndGradient()
    }

    /// KL(P‖Q) of a map, every pair counted in Q's normalization.
    ///
    /// - Parameter coordinates: (points, dimensions).
    package func divergence(_ affinities: Affinities, at coordinates: Tensor<Float>) throws -> Double {
        var exact = self
        exact.gradient = .exact
        return try exact.divergenceAndGradient(affinities, at: coordinates).divergence
    }

    /// Throws for settings that make no sense.
    func check(points: Int) throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw DataError(.usage, message()) }
        }
        try require(dimensions == 1 || dimensions == 2, "a map has 1 or 2 dimensions, not \(dimensions)")
        try Affinities.check(perplexities(points: points), points: points)
        let early = earlyExaggeration ?? 12
        try require(
            early >= 1 && exaggeration > 0 && early.isFinite && exaggeration.isFinite,
            "early exaggeration must be at least 1 and exaggeration above 0, not \(early) and \(exaggeration)")
        try require(
            earlyIterations >= 0 && iterations >= 0 && reportEvery > 0,
            "the number of iterations cannot be negative, and reports come every 1 or more")
        try require(learningRate.map { $0 > 0 && $0 <= 1e9 } ?? true, "the learning rate must be above 0 and at most 1e9")
        try require(
            (0..<1).contains(earlyMomentum) && (0..<1).contains(momentum),
            "momentum must be at least 0 and below 1, not \(earlyMomentum) and \(momentum)")
        try require(
            degreesOfFreedom >= 0.1 && degreesOfFreedom <= 100, "degrees of freedom must be between 0.1 and 100, not \(degreesOfFreedom)")
        try require(longestStep > 0 && longestStep <= 1e6, "the longest step must be above 0 and at most 1e6")
        try require(spacing >= 0.05 && spacing <= 2, "the spacing of the grid must be between 0.05 and 2, not \(spacing)")
        try require(angle >= 0 && angle <= 1, "the angle must be between 0 and 1, not \(angle)")
    }

    /// Where the points start (points, dimensions).
    ///
    /// A hundredth of noise is added to principal components, so that copies of one vector do not lie on top of one another, and a
    /// dimension without variance is not empty.
    func initialCoordinates(_ x: Tensor<Float>) throws -> Tensor<Float> {
        let n = x.rows, deviation = 1e-4
        var random = RandomSource(seed: seed).split(1)
        switch initialization {
        case .given(let coordinates):
            guard coordinates.shape == [n, dimensions] else {
                throw DataError(.badData, "the initial coordinates have shape \(coordinates.shape); expected [\(n), \(dimensions)]")
            }
            guard coordinates.isFinite else { throw DataError(.badData, "the initial coordinates contain NaN or infinity") }
            return coordinates
        case .random:
            return Tensor((0..<n * dimensions).map { _ in Float(random.normal() * deviation) }, shape: [n, dimensions])
        case .pca:
            let kept = min(dimensions, x.columns)
            let model = try PCA(
                components: .count(kept), solver: min(n, x.columns) > 4096 ? .randomized : .automatic, seed: seed, threads: threads
            ).fit(x)
            let principal = try model.transform(x, threads: threads)
            let scale = deviation / model.explainedVariance[0].squareRoot()
            let places = (0..<n * dimensions).map { place in
                let (row, c) = place.quotientAndRemainder(dividingBy: dimensions)
                let value = c < kept ? Double(principal[row, c]) * scale : 0
                return Float(value + 0.01 * deviation * random.normal())
            }
            return Tensor(places, shape: [n, dimensions])
        }
    }
}

/// How far a run has come.
package struct TSNEProgress: Sendable {
    /// Iterations done, of `total`.
    package let iteration: Int
    package let total: Int
    /// Whether the affinities are exaggerated still.
    package let isEarly: Bool
    /// KL(P‖Q) of the true affinities, with the method's own normalization.
    package let kullbackLeiblerDivergence: Double
    /// Euclidean norm of the gradient (of the exaggerated affinities).
    package let gradientNorm: Double
    /// Root mean square of the points' distances from the map's middle.
    package let spread: Double
    /// The state from which `fit` can continue.
    package let makeCheckpoint: @Sendable () -> TSNECheckpoint
}

/// A fitted map.
public struct TSNEMap: Sendable {
    /// (points, dimensions), mean 0.
    public let coordinates: Tensor<Float>
    /// KL(P‖Q) in nats over the affinities that the map was made from, `pairs`; every pair counted in Q's normalization where `isExact`.
    public let kullbackLeiblerDivergence: Double
    /// KL(P‖Q) in nats with affinities over all pairs, by which maps of several programs compare; nil if it was not computed
    /// (`nearest` for `Affinities.allPairsLimit` points or more).
    package internal(set) var divergenceOverAllPairs: Double?
    /// Between which points affinities were taken: `all`, or each point and its `neighbors` `nearest`.
    package let pairs: Affinities.Pairs
    package let neighbors: Int
    /// Whether the divergence's normalization was summed over every pair, not interpolated (up to 100,000 points).
    package let isExact: Bool
    /// The settings that made it; `perplexities`, `pairs`, `gradient` and `earlyExaggeration` as chosen.
    package let settings: TSNE
    /// Iterations done: all that were asked for, unless `patience` or `leastGradientNorm` ended the run.
    public let iterations: Int
    /// Mean over the points of the perplexity that the affinities reached.
    package let realizedPerplexity: Double
    /// Norm of the gradient in the last iteration.
    package let gradientNorm: Double
}
