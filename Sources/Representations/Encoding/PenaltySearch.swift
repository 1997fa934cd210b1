import FileFormats
import Foundation
import Tensors

/// Which penalty, and with several bands of features which weights of them, predict left-out rows best: one choice per voxel.
///
/// - Complexity: one decomposition per fold and weighting; beyond it the products of left-out rows with responses, once per penalty.
package struct PenaltySearch: Sendable {
    package var penalties: [Double]
    /// Weights of the bands that are tried, each summing to 1; one weighting of 1 for a single band.
    package var weightings: [[Double]]
    package var bands: [Range<Int>]
    package var standardizes: Bool
    package var threads: Int

    package init(
        penalties: [Double], bands: [Range<Int>] = [], weightings: [[Double]] = [[1]], standardizes: Bool = true,
        threads: Int = Parallel.availableThreads
    ) {
        (self.penalties, self.bands, self.weightings, self.standardizes, self.threads) = (
            penalties, bands, weightings, standardizes, threads
        )
    }

    /// The choice of each voxel: places in `weightings` and `penalties`.
    package struct Choice: Sendable, Equatable {
        package var weighting: Int, penalty: Int
    }

    /// Factors of the features that a weighting stands for: the root of their band's weight.
    func factors(_ weighting: Int, features: Int) -> [Double]? {
        guard bands.count > 1 else { return nil }
        var result = [Double](repeating: 1, count: features)
        for (band, range) in bands.enumerated() { for k in range { result[k] = weightings[weighting][band].squareRoot() } }
        return result
    }

    /// Sums over folds of squared errors in left-out rows, (weightings, penalties, voxels).
    ///
    /// - Parameters:
    ///   - folds: left-out rows of each fold.
    ///   - rows: all rows that take part.
    ///   - voxels: columns of y.
    package func losses(_ x: Tensor<Float>, _ y: Tensor<Float>, rows: [Int], folds: [[Int]], voxels: [Int]) throws -> [Double] {
        let count = weightings.count * penalties.count
        var sums = [Double](repeating: 0, count: count * voxels.count)
        let trains = folds.map { fold -> [Int] in
            let left = Set(fold)
            return rows.filter { !left.contains($0) }
        }
        for weighting in weightings.indices {
            let weights = factors(weighting, features: x.columns)
            let parts = try Parallel.map(folds.count, threads: threads) { fold, _ in
                let spectrum = try RidgeSpectrum(x, rows: trains[fold], standardizes: standardizes, weights: weights)
                return (spectrum: spectrum, new: spectrum.projected(x, rows: folds[fold]))
            }
            for (fold, test) in folds.enumerated() {
                let (spectrum, new) = parts[fold], blocks = ResponseBlock.blocks(voxels)
                // The division by e + α goes to the few left-out rows instead of to all responses.
                let divided = penalties.map { spectrum.divided(new, $0) }
                sums.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    let out = Shared(base)
                    Parallel.forEach(blocks.count, threads: threads) { place, _ in
                        let block = ResponseBlock(spectrum, y, rows: trains[fold], voxels: blocks[place])
                        let measured = block.centred(y, rows: test)
                        var predicted = Tensor<Float>(uninitialized: measured.shape)
                        for p in penalties.indices {
                            Float.product(
                                divided[p].view, transposed: false, block.projected.view, transposed: false, into: &predicted.target,
                                precision: .f32)
                            let to = out.pointer + (weighting * penalties.count + p) * voxels.count + place * 256
                            for (k, value) in ResponseBlock.squaredErrors(predicted, measured).enumerated() { to[k] += value }
                        }
                    }
                }
            }
        }
        return sums
    }

    /// The best of `losses`; among equals the first weighting and the smallest place of a penalty.
    package func best(_ x: Tensor<Float>, _ y: Tensor<Float>, rows: [Int], folds: [[Int]], voxels: [Int]) throws -> [Choice] {
        guard weightings.count * penalties.count > 1 else { return voxels.map { _ in Choice(weighting: 0, penalty: 0) } }
        let losses = try losses(x, y, rows: rows, folds: folds, voxels: voxels), v = voxels.count
        return (0..<v).map { k in
            let place = (0..<weightings.count * penalties.count).min { (losses[$0 * v + k], $0) < (losses[$1 * v + k], $1) } ?? 0
            return Choice(weighting: place / penalties.count, penalty: place % penalties.count)
        }
    }

    /// Predictions for a block of voxels.
    struct Prediction: Sendable {
        let voxels: [Int]
        /// (new rows, voxels), without intercept.
        let values: Tensor<Float>
        /// Means of the training responses: the intercepts.
        let means: [Double]
        /// With several bands the part of each in `values`.
        let parts: [Tensor<Float>]
    }

    /// Predictions of new rows for each voxel by its own choice, learned from `train`.
    func predict(
        _ x: Tensor<Float>, _ y: Tensor<Float>, train: [Int], new rows: [Int], voxels: [Int], _ choices: [Choice]
    ) throws -> [Prediction] {
        try weightings.indices.flatMap { weighting -> [Prediction] in
            let members = voxels.indices.filter { choices[$0].weighting == weighting }
            guard !members.isEmpty else { return [] }
            let spectrum = try RidgeSpectrum(x, rows: train, standardizes: standardizes, weights: factors(weighting, features: x.columns))
            let new = spectrum.projected(x, rows: rows),
                parts = bands.count > 1 ? bands.map { spectrum.projected(x, rows: rows, band: $0) } : []
            let blocks = ResponseBlock.blocks(members)
            return Parallel.map(blocks.count, threads: threads) { place, _ in
                let own = blocks[place].map { voxels[$0] }, block = ResponseBlock(spectrum, y, rows: train, voxels: own)
                let shrunk = block.shrunk(spectrum, penalties: blocks[place].map { penalties[choices[$0].penalty] })
                return Prediction(
                    voxels: own, values: matrixProduct(new, shrunk), means: block.means, parts: parts.map { matrixProduct($0, shrunk) })
            }
        }
    }

    /// Coefficients (features, voxels) of all rows for the choice of each voxel; zero where a weighting leaves a band out.
    package func coefficients(
        _ x: Tensor<Float>, _ y: Tensor<Float>, rows: [Int], voxels: [Int], _ choices: [Choice]
    ) throws -> Tensor<Float> {
        let v = voxels.count, p = x.columns
        var result = [Float](repeating: 0, count: p * v)
        for weighting in weightings.indices {
            let members = voxels.indices.filter { choices[$0].weighting == weighting }
            guard !members.isEmpty else { continue }
            let spectrum = try RidgeSpectrum(x, rows: rows, standardizes: standardizes, weights: factors(weighting, features: p)),
                blocks = ResponseBlock.blocks(members)
            result.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let out = Shared(base)
                Parallel.forEach(blocks.count, threads: threads) { place, _ in
                    let own = blocks[place], block = ResponseBlock(spectrum, y, rows: rows, voxels: own.map { voxels[$0] })
                    let part = spectrum.coefficients(block.shrunk(spectrum, penalties: own.map { penalties[choices[$0].penalty] }))
                    part.withUnsafeElements { from in
                        for k in 0..<p { for (c, voxel) in own.enumerated() { out.pointer[k * v + voxel] = from[k * own.count + c] } }
                    }
                }
            }
        }
        return Tensor(result, shape: [p, v])
    }

    /// Weightings of `bands` bands: all alike, each alone, then `samples` drawn evenly from the simplex (Dirichlet with concentration 1).
    package static func weightings(bands: Int, samples: Int, seed: UInt64) -> [[Double]] {
        guard bands > 1 else { return [[1]] }
        var random = RandomSource(seed: seed)
        let alike = [Double](repeating: 1 / Double(bands), count: bands),
            alone = (0..<bands).map { band in (0..<bands).map { $0 == band ? 1.0 : 0 } }
        return [alike] + alone
            + (0..<samples).map { _ in
                let parts = (0..<bands).map { _ in -log(1 - random.uniform()) }, sum = parts.reduce(0, +)
                return parts.map { $0 / sum }
            }
    }
}
