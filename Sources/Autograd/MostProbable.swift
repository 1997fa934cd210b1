import Foundation
import Tensors

/// What softmax(x Wᵀ + b) makes of each row of x: the most probable class, and log p of it or of a requested class.
///
/// The scores are never held all at once: a block of columns is multiplied and looked through while it is in the cache. For output layers
/// over a vocabulary, where a row of scores is far longer than the state it comes from.
///
/// - Parameters:
///   - x: `(n, size)`.
///   - weight: `(classes, size)`; bias: `(classes)`.
///   - wanted: for each row the class whose log-probability is requested, or -1 for the most probable one; empty for −1 everywhere.
///   - precision: what the product computes in.
/// - Returns: for each row the most probable class (the first of equal ones) and the log-probability.
public func mostProbable<S: TensorScalar>(
    _ x: Tensor<S>, weight: Parameter<S>, bias: Parameter<S>?, wanted: [Int32] = [], precision: Precision = .f32
) -> (classes: [Int32], logProbabilities: [Double]) {
    let rows = x.rows, size = x.columns, classes = weight.shape[0]
    let wanted = wanted.isEmpty ? [Int32](repeating: -1, count: rows) : wanted
    precondition(weight.shape[1] == size && wanted.count == rows && wanted.allSatisfy { $0 < classes })
    let blocks = weight.packedBlocks(precision, columns: 512), operand = ProductOperand(x, precision: precision)
    let shift = bias?.value.reshaped([1, classes])
    var chosen: [Int32] = [], logProbabilities: [Double] = []
    for part in Parallel.chunks(rows, size: 256) {
        let asked = Array(wanted[part]), all = 0..<part.count
        var scan = SoftmaxScan<S>(rows: part.count), column = 0
        var scores = Tensor<S>(uninitialized: [part.count * (blocks.first?.outputs ?? 0)])
        for block in blocks {
            let columns = column..<column + block.outputs
            S.multiply(operand[rows: part], by: block, plus: shift?.view[columns: columns], into: &scores[rows: all, width: block.outputs])
            S.scanScores(scores.view(of: Stretch(tensor: 0, rows: all, width: block.outputs)), first: column, wanted: asked, into: &scan)
            column = columns.upperBound
        }
        chosen += scan.best
        logProbabilities += asked.indices.map { i in
            Double(asked[i] < 0 ? scan.top[i] : scan.at[i]) - Double(scan.top[i]) - log(Double(scan.total[i]))
        }
    }
    return (chosen, logProbabilities)
}
