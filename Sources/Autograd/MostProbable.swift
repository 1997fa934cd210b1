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
    let blockColumns = 512, blockRows = 256
    let blocks = weight.packedBlocks(precision, columns: blockColumns), operand = ProductOperand(x, precision: precision)
    let stride = S.operandStride(precision)
    var best = [Int32](repeating: -1, count: rows)
    var top = [S](repeating: -.infinity, count: rows), total = [S](repeating: 0, count: rows), at = total
    Scratch.with(S.self, count: min(blockRows, rows) * blockColumns) { scores in
        operand.withOperand { x in
            withOptionalElements(bias?.value) { bias in
                for first in Swift.stride(from: 0, to: rows, by: blockRows) {
                    let count = min(blockRows, rows - first)
                    var column = 0
                    for block in blocks {
                        S.multiply(operand: x + first * size * stride, rows: count, by: block, bias: bias.map { $0 + column }, into: scores)
                        wanted.withUnsafeBufferPointer { wanted in
                            top.withUnsafeMutableBufferPointer { top in
                                total.withUnsafeMutableBufferPointer { total in
                                    best.withUnsafeMutableBufferPointer { best in
                                        at.withUnsafeMutableBufferPointer { at in
                                            guard let wanted = wanted.baseAddress, let top = top.baseAddress, let total = total.baseAddress,
                                                  let best = best.baseAddress, let at = at.baseAddress else { return }
                                            S.scanScores(scores, rows: count, columns: block.outputs, first: column, wanted: wanted + first,
                                                         top: top + first, total: total + first, best: best + first, at: at + first)
                                        }
                                    }
                                }
                            }
                        }
                        column += block.outputs
                    }
                }
            }
        }
    }
    return (best, (0..<rows).map { r in Double(wanted[r] < 0 ? top[r] : at[r]) - Double(top[r]) - log(Double(total[r])) })
}
