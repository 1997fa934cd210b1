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
package func mostProbable<S: TensorScalar>(
    _ x: Tensor<S>, weight: Parameter<S>, bias: Parameter<S>?, wanted: [Int32] = [], precision: Precision = .f32
) -> (classes: [Int32], logProbabilities: [Double]) {
    let rows = x.rows, size = x.columns, classes = weight.shape[0]
    let wanted = wanted.isEmpty ? [Int32](repeating: -1, count: rows) : wanted
    precondition(weight.shape[1] == size && wanted.count == rows && wanted.allSatisfy { $0 < classes })
    let columns = 512
    let blocks = weight.packedBlocks(precision, columns: columns), operand = ProductOperand(x, precision: precision)
    let shift = bias?.value.reshaped([1, classes]), threads = Parallel.threadsPerItem
    var chosen: [Int32] = [], logProbabilities: [Double] = []
    for part in Parallel.chunks(rows, size: 256) {
        let asked = Array(wanted[part]), all = 0..<part.count
        var scan = SoftmaxScan<S>(rows: part.count)
        // Where this work has several threads, they multiply by as many blocks at once as have 2²¹ scores.
        let together = threads > 1 ? max(1, min(blocks.count, 4096 / part.count)) : 1
        var scores = (0..<together).map { _ in Tensor<S>(uninitialized: [part.count * (blocks.first?.outputs ?? 0)]) }
        for group in Parallel.chunks(blocks.count, size: together) {
            let places = group.map { Stretch(tensor: $0 - group.lowerBound, rows: all, width: blocks[$0].outputs) }
            Parallel.forEachStretch(places, of: &scores, threads: threads) { index, target in
                let block = blocks[group.lowerBound + index], first = (group.lowerBound + index) * columns
                S.multiply(operand[rows: part], by: block, plus: shift?.view[columns: first..<first + block.outputs], into: &target)
            }
            for (place, block) in zip(places, group) {
                let view = scores[place.tensor].view(of: Stretch(tensor: 0, rows: all, width: place.width))
                S.scanScores(view, first: block * columns, wanted: asked, into: &scan)
            }
        }
        chosen += scan.best
        logProbabilities += asked.indices.map { i in
            Double(asked[i] < 0 ? scan.top[i] : scan.at[i]) - Double(scan.top[i]) - log(Double(scan.total[i]))
        }
    }
    return (chosen, logProbabilities)
}
