import Tensors

/// Σ x, as a tensor of one element. Summed in Double.
public func total<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> { weightedTotal(x, by: 1, on: tape) }

/// The mean of all elements, as a tensor of one element. Summed in Double.
public func mean<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    weightedTotal(x, by: 1 / S(Swift.max(1, x.value.count)), on: tape)
}

private func weightedTotal<S: TensorScalar>(_ x: Variable<S>, by factor: S, on tape: Tape<S>?) -> Variable<S> {
    let count = x.value.count, shape = x.shape
    let total = x.value.withUnsafeElements { x in (0..<count).reduce(0.0) { $0 + Double(x[$1]) } }
    let result = Tensor<S>([S(total * Double(factor))], shape: [1])
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place, Tensor(repeating: gradient[0] * factor, shape: shape))
    }
}

/// The mean over all elements of (x − y)², as `torch.nn.functional.mse_loss`: a tensor of one element.
///
/// - Parameter divisor: what the sum of squares is divided by, where that is not the number of elements (a shard of a batch).
public func meanSquaredError<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, divisor: S? = nil, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) cannot be compared")
    let count = x.value.count, divisor = divisor ?? S(Swift.max(1, count))
    var difference = x.value
    difference.withUnsafeMutableElements { d in y.value.withUnsafeElements { S.add(-1, times: $0, count: count, to: d) } }
    let result = Tensor<S>([S(difference.squaredNorm / Double(divisor))], shape: [1])
    guard let tape else { return Variable(result) }
    let places = (x.place, y.place), kept = difference
    return tape.record(result) { tape, gradient in
        let slope = 2 * gradient[0] / divisor
        kept.withUnsafeElements { d in
            tape.addGradient(of: places.0) { S.add(slope, times: d, count: count, to: $0) }
            tape.addGradient(of: places.1) { S.add(-slope, times: d, count: count, to: $0) }
        }
    }
}
