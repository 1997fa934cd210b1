import Foundation
import Tensors

/// log(1 + Σ exp(xᵢ − xⱼ)) over all (i, j) with labelᵢ < labelⱼ: small when x is in the order of the labels. Summed in Double.
///
/// - Parameters:
///   - x: `(n)`.
///   - labels: n.
/// - Returns: a tensor of one element.
package func rankedSoftPlus<S: TensorScalar>(_ x: Variable<S>, labels: [Double], on tape: Tape<S>?) -> Variable<S> {
    let count = x.value.count
    precondition(labels.count == count, "\(labels.count) labels for \(count) values")
    let values = x.value.elements.map { Double($0) }
    // The largest difference is taken out of the exponentials, 0 standing for the 1.
    var largest = 0.0
    for i in 0..<count { for j in 0..<count where labels[i] < labels[j] { largest = max(largest, values[i] - values[j]) } }
    var total = exp(-largest)
    var slopes = [Double](repeating: 0, count: count)
    for i in 0..<count {
        for j in 0..<count where labels[i] < labels[j] {
            let e = exp(values[i] - values[j] - largest)
            total += e
            slopes[i] += e
            slopes[j] -= e
        }
    }
    let result = Tensor<S>([S(largest + log(total))], shape: [1])
    guard let tape else { return Variable(result) }
    let place = x.place, shape = x.shape, kept = slopes.map { $0 / total }
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place, Tensor(kept.map { S($0) * gradient[0] }, shape: shape))
    }
}

/// ‖xᵢ − yᵢ‖ of each row. Where it is 0, no gradient flows.
package func rowDistances<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) have no rows in common")
    let rows = x.value.rows
    var difference = x.value
    S.add(-1, times: y.value.view, to: &difference.target)
    let kept = difference, lengths = (0..<rows).map { S(S.dot(kept.view[$0], kept.view[$0]).squareRoot()) }
    let result = Tensor<S>(lengths, shape: [rows])
    guard let tape else { return Variable(result) }
    let places = (x.place, y.place)
    return tape.record(result) { tape, gradient in
        func pass(to place: Place, sign: S) {
            tape.addGradient(of: place) { out in
                for r in 0..<rows where lengths[r] > 0 {
                    S.add(sign * gradient[r] / lengths[r], times: kept.view[r], to: &out[rows: r..<r + 1])
                }
            }
        }
        pass(to: places.0, sign: 1)
        pass(to: places.1, sign: -1)
    }
}
