import Foundation
import Tensors

/// How far the probabilities of a classifier can be believed.
package struct Calibration: Sendable {
    /// Rows whose highest probability lies within an interval.
    package struct Bin: Sendable, Equatable {
        package let low: Double, high: Double
        package var count = 0
        /// Mean of the highest probabilities; NaN for an empty bin.
        package var confidence = 0.0
        /// Share of rows predicted right.
        package var accuracy = 0.0
    }

    package let bins: [Bin]
    /// Σ (rows of the bin / rows) · |accuracy − confidence| over bins of equal width (Guo et al. 2017).
    package let expectedError: Double

    /// - Parameters:
    ///   - confidences: the highest probability of each row, in [0, 1].
    ///   - isRight: whether the class with it is the row's own.
    package init(confidences: [Double], isRight: [Bool], bins count: Int = 15) {
        var bins = (0..<count).map { Bin(low: Double($0) / Double(count), high: Double($0 + 1) / Double(count)) }
        for (confidence, right) in zip(confidences, isRight) {
            let place = min(count - 1, max(0, Int((confidence * Double(count)).rounded(.up)) - 1))
            bins[place].count += 1
            bins[place].confidence += confidence
            bins[place].accuracy += right ? 1 : 0
        }
        var error = 0.0
        for place in bins.indices {
            let n = Double(bins[place].count)
            error += abs(bins[place].accuracy - bins[place].confidence) / Double(max(1, confidences.count))
            bins[place].confidence /= n
            bins[place].accuracy /= n
        }
        self.bins = bins
        expectedError = error
    }

    /// The temperature by which logits are divided so that the likelihood of the labels is highest (Guo et al. 2017): found on rows that
    /// nothing was learned from. Always within 0.05 … 20.
    ///
    /// - Parameter logits: (n, classes).
    package static func temperature(logits: Tensor<Double>, labels: [Int]) -> Double {
        let classes = logits.columns
        func loss(_ logT: Double) -> Double {
            let scale = exp(-logT)
            return logits.withUnsafeElements { z in
                var sum = 0.0
                for (row, label) in labels.enumerated() {
                    var largest = -Double.infinity, total = 0.0
                    for k in 0..<classes { largest = max(largest, z[row * classes + k] * scale) }
                    for k in 0..<classes { total += exp(z[row * classes + k] * scale - largest) }
                    sum += log(total) + largest - z[row * classes + label] * scale
                }
                return sum
            }
        }
        // The loss is convex in 1/T, so it falls and then rises along log T: golden section.
        var low = log(0.05), high = log(20.0)
        let ratio = (5.0.squareRoot() - 1) / 2
        var a = high - ratio * (high - low), b = low + ratio * (high - low), fa = loss(a), fb = loss(b)
        while high - low > 1e-7 {
            if fa <= fb {
                (high, b, fb) = (b, a, fa)
                a = high - ratio * (high - low)
                fa = loss(a)
            } else {
                (low, a, fa) = (a, b, fb)
                b = low + ratio * (high - low)
                fb = loss(b)
            }
        }
        return exp((low + high) / 2)
    }
}
