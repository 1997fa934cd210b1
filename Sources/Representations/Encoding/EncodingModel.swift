import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors

/// Ridge regression from features to measurements, scored on rows that were not learned from: an encoding model (Naselaris et al. 2011).
public struct EncodingModel: Sendable {
    /// Ridge penalties to choose from.
    package var penalties: [Double]
    /// Folds of cross-validation, at least 2; each is predicted from the others.
    package var folds: Int
    /// Features scaled to mean 0 and standard deviation 1 over the training rows of each fold.
    package var standardizes: Bool
    /// Columns of feature spaces that get penalties of their own (banded ridge; Dupré la Tour et al. 2022); empty for one penalty.
    package var bands: [Range<Int>]
    /// Random weightings of the bands that are tried beside all alike and each alone.
    package var bandSamples: Int
    /// Only this many measurements, those that repeat best over the training rows of each fold.
    package var stable: Int?
    /// Permutations of rows for p-values; 0 for none.
    package var permutations: Int
    /// Seed of the random numbers; it fixes the result.
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// Five folds and 15 penalties from 0.01 to 100,000, unless stated otherwise.
    public init(
        penalties: [Double] = EncodingModel.grid(1e-2, 1e5, 15), folds: Int = 5, standardizes: Bool = true, bands: [Range<Int>] = [],
        bandSamples: Int = 20, stable: Int? = nil,
        permutations: Int = 0, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) {
        self.bands = bands
        self.bandSamples = bandSamples
        self.stable = stable
        self.penalties = penalties
        self.folds = folds
        self.standardizes = standardizes
        self.permutations = permutations
        self.seed = seed
        self.threads = threads
    }

    /// `count` penalties from `low` to `high`, equally spaced in their logarithm.
    public static func grid(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
        count == 1 ? [low] : (0..<count).map { low * pow(high / low, Double($0) / Double(count - 1)) }
    }

    /// How well held-out measurements were predicted, one value per measurement.
    public struct Scores: Sendable {
        /// Pearson's r of predicted and measured values over all held-out rows, one a measurement; NaN if constant or never selected.
        public let r: [Double]
        /// 1 − residual / variance around the training means; negative where the mean predicts better.
        public let rSquared: [Double]
        /// The part of each band in R², (measurements, bands): their sum is R² (product measure); empty for a single band.
        package let splitRSquared: [[Double]]
        /// The penalty chosen by inner folds in each outer fold in which the measurement was used, (measurements, folds).
        package let penalties: [[Double]]
        /// Weights of the bands, averaged over folds, (measurements, bands); empty for a single band.
        package let weights: [[Double]]
        /// Measurements whose penalty was at the lower or upper edge of the grid in most folds.
        package let atLowerEdge: Int, atUpperEdge: Int
        /// One-sided p of r by permuting rows within folds (groups stay together), adjusted (Benjamini & Hochberg); nil without
        /// permutations.
        public let p: [Double]?
        /// `p` adjusted over the measurements.
        public let adjustedP: [Double]?
        /// What a perfect model would reach, from repetitions; nil without.
        package let ceiling: [Double]?
    }

    /// - Parameters:
    ///   - features: (n, d), measurements: (n, v), finite.
    ///   - groups: the group of each row, as the run; groups are never split between folds. Each row is one where nil.
    ///   - repeats: repetitions whose mean the measurements are: for the ceiling, and for the selection of stable measurements.
    public func callAsFunction(
        features x: Tensor<Float>, measurements y: Tensor<Float>, groups: [Int]? = nil, repeats: Reliability? = nil
    ) throws -> Scores {
        let n = x.rows, v = y.columns
        guard n == y.rows else { throw DataError(.badData, "\(n) rows of features and \(y.rows) of measurements do not match") }
        guard x.isFinite, y.isFinite else {
            throw DataError(.badData, "features or measurements contain NaN or infinity; leave out those columns")
        }
        guard !penalties.isEmpty, penalties.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw DataError(.usage, "ridge penalties must be at least 0")
        }
        if bands.count > 1 {
            guard bands[0].lowerBound == 0, zip(bands, bands.dropFirst()).allSatisfy({ $0.upperBound == $1.lowerBound }),
                bands.allSatisfy({ !$0.isEmpty }),
                bands[bands.count - 1].upperBound == x.columns
            else { throw DataError(.usage, "bands should cover the \(x.columns) features one after another") }
        }
        if stable != nil, repeats == nil { throw DataError(.usage, "stable measurements need repetitions, and there are none") }
        if let first = repeats?.repeats.first, first.shape != [n, v] {
            throw DataError(.badData, "repetitions of shape \(first.shape) do not fit measurements of shape \([n, v])")
        }
        let search = PenaltySearch(
            penalties: penalties, bands: bands,
            weightings: PenaltySearch.weightings(bands: bands.count, samples: bandSamples, seed: seed ^ 0x6261_6e64),
            standardizes: standardizes, threads: threads)
        let outer = try folding(rows: Array(0..<n), groups: groups)
        // Held-out predictions minus the training mean, and measurements minus it; NaN if a measurement was not selected.
        var predicted = Tensor<Float>(repeating: .nan, shape: [n, v]), parts = bands.count > 1 ? bands.map { _ in predicted } : []
        var means = Tensor<Float>(repeating: 0, shape: [outer.count, v])
        var chosen = [[Double]](repeating: [], count: v),
            weights = [[Double]](repeating: [Double](repeating: 0, count: bands.count), count: bands.count > 1 ? v : 0)
        for (fold, test) in outer.enumerated() {
            let isTest = Set(test), train = (0..<n).filter { !isTest.contains($0) }
            let voxels = stable.flatMap { count in repeats.map { $0.stable(count, items: train) } } ?? Array(0..<v)
            let choices = try search.best(
                x, y, rows: train, folds: search.penalties.count * search.weightings.count > 1 ? folding(rows: train, groups: groups) : [],
                voxels: voxels)
            for block in try search.predict(x, y, train: train, new: test, voxels: voxels, choices) {
                for (k, voxel) in block.voxels.enumerated() {
                    means[fold, voxel] = Float(block.means[k])
                    for (i, row) in test.enumerated() { predicted[row, voxel] = block.values[i, k] }
                    for band in parts.indices { for (i, row) in test.enumerated() { parts[band][row, voxel] = block.parts[band][i, k] } }
                }
            }
            for (k, voxel) in voxels.enumerated() {
                chosen[voxel].append(penalties[choices[k].penalty])
                if !weights.isEmpty { for band in bands.indices { weights[voxel][band] += search.weightings[choices[k].weighting][band] } }
            }
        }
        for voxel in weights.indices { weights[voxel] = weights[voxel].map { $0 / Double(chosen[voxel].count) } }
        let low = penalties.min() ?? 0, high = penalties.max() ?? 0
        func edge(_ value: Double) -> Int { penalties.count < 2 ? 0 : chosen.count { 2 * $0.count { $0 == value } > $0.count } }
        let held = HeldOut(predicted: predicted, measured: y, means: means, folds: outer),
            scores = held.scores(parts: parts, threads: threads)
        let p = permutations > 0 ? held.permutedP(scores.r, permutations: permutations, groups: groups, seed: seed, threads: threads) : nil
        return Scores(
            r: scores.r, rSquared: scores.rSquared, splitRSquared: scores.split, penalties: chosen, weights: weights,
            atLowerEdge: edge(low), atUpperEdge: edge(high), p: p,
            adjustedP: p.map(MultipleComparisons.benjaminiHochberg.adjusted), ceiling: repeats?.ceiling())
    }

    /// Test rows of each fold: groups in a random order, dealt to the fold with the fewest rows.
    func folding(rows: [Int], groups: [Int]?) throws -> [[Int]] { try Folds(rows: rows, count: folds, groups: groups, seed: seed).tests }
}
