import Foundation
import Tensors

/// What softmax(x Wᵀ + b) makes of each row of x: the most probable class, and log p of it or of a class that is asked for.
///
/// The scores are never held all at once: a block of columns is multiplied and looked through while it is in the cache. For output layers
/// over a vocabulary, where a row of scores is far longer than the state it comes from.
///
/// - Parameters:
///   - x: `(n, size)`.
///   - weight: `(classes, size)`; bias: `(classes)`.
///   - wanted: for each row the class whose log-probability is asked for, or -1 for the most probable one; empty for −1 everywhere.
///   - precision: what the product computes in.
/// - Returns: for each row the most probable class (the first of equal ones) and the log-probability.
public func mostProbable<S: TensorScalar>(
    _ x: Tensor<S>, weight: Parameter<S>, bias: Parameter<S>?, wanted: [Int32] = [], precision: Precision = .f32
) -> (classes: [Int32], logProbabilities: [Double]) {
    let rows = x.rows, size = x.columns, classes = weight.value.rows
    let wanted = wanted.isEmpty ? [Int32](repeating: -1, count: rows) : wanted
    precondition(weight.value.columns == size && wanted.count == rows && wanted.allSatisfy { $0 < classes })
    let blocks = weight.packedBlocks(precision, columns: 512), operand = ProductOperand(x, precision: precision)
    let stride = S.operandStride(precision)
    var chosen: [Int32] = [], logProbabilities: [Double] = []
    for part in Parallel.chunks(rows, size: 256) {
        let asked = Array(wanted[part])
        var best = [Int32](repeating: -1, count: part.count)
        var top = [S](repeating: -.infinity, count: part.count), total = [S](repeating: 0, count: part.count), at = total
        Scratch.with(S.self, count: part.count * (blocks.first?.outputs ?? 0)) { scores in
            operand.withOperand { x in
                withOptionalElements(bias?.value) { bias in
                    var column = 0
                    for block in blocks {
                        S.multiply(operand: x + part.lowerBound * size * stride, rows: part.count, by: block, bias: bias.map { $0 + column }, into: scores)
                        S.scanScores(scores, rows: part.count, columns: block.outputs, first: column, wanted: asked, top: &top, total: &total, best: &best, at: &at)
                        column += block.outputs
                    }
                }
            }
        }
        chosen += best
        logProbabilities += part.indices.map { r in
            let i = r - part.lowerBound
            return Double(asked[i] < 0 ? top[i] : at[i]) - Double(top[i]) - log(Double(total[i]))
        }
    }
    return (chosen, logProbabilities)
}
