import Tensors

/// Σ x, as a tensor of one element. Summed in Double.
package func total<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> { weightedTotal(x, by: 1, on: tape) }

/// The mean of all elements, as a tensor of one element. Summed in Double.
package func mean<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    weightedTotal(x, by: 1 / S(Swift.max(1, x.value.count)), on: tape)
}

private func weightedTotal<S: TensorScalar>(_ x: Variable<S>, by factor: S, on tape: Tape<S>?) -> Variable<S> {
    let shape = x.shape
    let result = Tensor<S>([S(S.total(x.value.view) * Double(factor))], shape: [1])
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place, Tensor(repeating: gradient[0] * factor, shape: shape))
    }
}

/// The mean over all elements of (x − y)², as `torch.nn.functional.mse_loss`: a tensor of one element.
///
/// - Parameter divisor: what the sum of squares is divided by, where that is not the number of elements (a shard of a batch).
package func meanSquaredError<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, divisor: S? = nil, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) cannot be compared")
    let divisor = divisor ?? S(Swift.max(1, x.value.count))
    var difference = x.value
    S.add(-1, times: y.value.view, to: &difference.target)
    let result = Tensor<S>([S(difference.squaredNorm / Double(divisor))], shape: [1])
    guard let tape else { return Variable(result) }
    let places = (x.place, y.place), kept = difference
    return tape.record(result) { tape, gradient in
        let slope = 2 * gradient[0] / divisor
        tape.addGradient(of: places.0) { dx in S.add(slope, times: kept.view, to: &dx.target) }
        tape.addGradient(of: places.1) { dy in S.add(-slope, times: kept.view, to: &dy.target) }
    }
}
