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
}

extension Tensor where Scalar == Float {
    /// ln Σ p over some columns of the softmax of each row.
    ///
    /// - Parameters:
    ///   - columns: the columns, at least one.
    ///   - targets: a column of each row, with `logProbabilities` of them.
    func logMasses(of columns: [Int32], targets: [Int32], logProbabilities: [Double]) -> [Double] {
        var masses: [Double] = []
        masses.reserveCapacity(rows)
        for range in Parallel.chunks(rows, size: 64) {
            var part = Tensor(uninitialized: [range.count, columns.count])
            withUnsafeElements { base in
                part.withUnsafeMutableElements { part in
                    for (place, row) in range.enumerated() {
                        let logits = base + row * self.columns, kept = part + place * columns.count
                        for (i, column) in columns.enumerated() { kept[i] = logits[Int(column)] }
                    }
                }
            }
            // The logarithm of a sum of exponentials is a logit minus the logarithm of its softmax.
            let found = Float.tokenScores(part.view, targets: [Int32](repeating: 0, count: range.count)).logProbabilities
            withUnsafeElements { base in
                for (place, row) in range.enumerated() {
                    let logits = base + row * self.columns
                    let sum = Double(logits[Int(columns[0])]) - found[place]
                    masses.append(sum - (Double(logits[Int(targets[row])]) - logProbabilities[row]))
                }
            }
        }
        return masses
    }

    /// Calls `body` with the elements of each row.
    func forEachRow(_ body: (Int, UnsafeBufferPointer<Float>) -> Void) {
        let (rows, columns) = (rows, columns)
        withUnsafeElements { base in
            for row in 0..<rows { body(row, UnsafeBufferPointer(start: base + row * columns, count: columns)) }
        }
    }
}
