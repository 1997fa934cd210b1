import Autograd
import Foundation
import Networks
import Tensors

extension TokenScore {
    /// How expected a token is by the scores of all tokens.
    ///
    /// - Parameters:
    ///   - logits: before any softmax, `vocabulary` of them.
    ///   - target: the token that was there.
    /// - Complexity: O(vocabulary); sums are taken in Double.
    init(logits: UnsafeBufferPointer<Float>, target: Int) {
        let (largest, sum, entropySum) = Self.sums(logits)
        let wanted = Double(logits[target]) - largest
        var above = 0
        for logit in logits where logit > logits[target] { above += 1 }
        // H = ln Σ − Σ p z, with z = logit − largest.
        self.init(logProbability: wanted - log(sum), entropy: max(0, log(sum) - entropySum / sum), rank: above + 1)
    }

    /// The largest logit, Σ exp(z) and Σ z exp(z) with z = logit − largest.
    private static func sums(_ logits: UnsafeBufferPointer<Float>) -> (largest: Double, sum: Double, weighted: Double) {
        var largest = -Float.infinity
        for logit in logits where logit > largest { largest = logit }
        var sum = 0.0, weighted = 0.0
        let shift = Double(largest)
        for logit in logits {
            let z = Double(logit) - shift, e = exp(z)
            sum += e
            weighted += e > 0 ? z * e : 0
        }
        return (shift, sum, weighted)
    }

    /// ln Σ p over some tokens.
    static func logMass(_ logits: UnsafeBufferPointer<Float>, of tokens: [Int32]) -> Double {
        let (largest, sum, _) = sums(logits)
        var mass = 0.0
        for token in tokens { mass += exp(Double(logits[Int(token)]) - largest) }
        return log(mass) - log(sum)
    }
}

extension Tensor where Scalar == Float {
    /// Calls `body` with the elements of each row.
    func forEachRow(_ body: (Int, UnsafeBufferPointer<Float>) -> Void) {
        let (rows, columns) = (rows, columns)
        withUnsafeElements { base in
            for row in 0..<rows { body(row, UnsafeBufferPointer(start: base + row * columns, count: columns)) }
        }
    }
}
