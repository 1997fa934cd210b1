import Tensors

/// y = f(x Wᵀ + b).
///
/// - Parameters:
///   - x: `(n, inputs)`.
///   - weight: `(outputs, inputs)`.
///   - bias: `(outputs)` or none.
///   - activation: f.
///   - precision: what the product computes in when there is no tape; with one, the tape's own precision counts.
/// - Returns: `(n, outputs)`.
package func linear<S: TensorScalar>(
    _ x: Variable<S>, weight: Parameter<S>, bias: Parameter<S>?, activation: Activation = .identity,
    precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1]), rows = x.value.rows
    precondition(x.value.columns == inputs, "a linear layer of \(inputs) inputs got \(x.shape)")
    var z = Tensor<S>(uninitialized: [rows, outputs])
    guard let tape else {
        S.multiply(x.value.view, by: weight.packed(precision), plus: bias?.value.view, activation: activation, into: &z.target)
        return Variable(z)
    }

    let input = ProductOperand(x.value, precision: tape.precision), place = x.place
    S.multiply(input, by: weight.packed(tape.precision), plus: bias?.value.view, into: &z.target)
    guard activation != .identity else {
        return tape.record(z) { tape, dz in
            linearBackward(dz, input: input, weight: weight, bias: bias, addingTo: place, tape)
        }
    }
    var y = Tensor<S>(uninitialized: z.shape)
    S.activate(activation, z.view, into: &y.target)
    let before = z
    return tape.record(y) { tape, dy in
        var dz = Tensor<S>(shape: before.shape)
        S.activateBackward(activation, before.view, dy.view, addingTo: &dz.target)
        linearBackward(dz, input: input, weight: weight, bias: bias, addingTo: place, tape)
    }
}

/// Of z = x Wᵀ + b: db = Σ dz, dW = dzᵀ x, dx = dz W.
private func linearBackward<S: TensorScalar>(
    _ dz: Tensor<S>, input: ProductOperand<S>, weight: Parameter<S>, bias: Parameter<S>?, addingTo place: Place, _ tape: Tape<S>
) {
    if let bias { tape.addGradient(of: bias) { db in S.addColumnSums(dz.view, to: &db.target) } }
    let operand = ProductOperand(dz, precision: tape.precision)
    tape.addGradient(of: weight) { dw, isFirst in S.addTransposedProduct(operand, input, to: &dw.target, overwriting: isFirst) }
    guard place.isRecorded else { return }
    var dx = Tensor<S>(uninitialized: [dz.rows, input.columns])
    S.multiply(operand, by: weight.packed(tape.precision, transposed: true), into: &dx.target)
    tape.addGradient(of: place, dx)
}

/// The two linear layers of a Transformer block with the nonlinearity between them: f(x W₁ᵀ + b₁) W₂ᵀ + b₂.
///
/// The same numbers as two calls of `linear`, in blocks of rows small enough that the wide middle stays in the cache. Of the middle only
/// x W₁ᵀ + b₁ is kept for the derivative, which computes f and f′ from it in one pass.
///
/// - Parameters:
///   - x: `(n, inputs)`.
///   - up: `(hidden, inputs)`; upBias: `(hidden)`.
///   - down: `(outputs, hidden)`; downBias: `(outputs)`.
///   - precision: as in `linear`.
/// - Returns: `(n, outputs)`.
package func feedForward<S: TensorScalar>(
    _ x: Variable<S>, up: Parameter<S>, upBias: Parameter<S>?, activation: Activation, down: Parameter<S>, downBias: Parameter<S>?,
    precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let (hidden, inputs) = (up.shape[0], up.shape[1]), outputs = down.shape[0], rows = x.value.rows
    precondition(x.value.columns == inputs && down.shape[1] == hidden, "feed-forward weights \(up.shape) and \(down.shape) got \(x.shape)")
    guard let tape else {
        return Variable(
            feedForward(
                x.value, up: up, upBias: upBias, activation: activation, gated: false, down: down, downBias: downBias,
                precision: precision))
    }
    let precision = tape.precision, input = ProductOperand(x.value, precision: precision), place = x.place
    let first = up.packed(precision), second = down.packed(precision), b1 = upBias?.value, b2 = downBias?.value
    var y = Tensor<S>(uninitialized: [rows, outputs]), z = Tensor<S>(uninitialized: [rows, hidden])
    let block = 128
    var f = Tensor<S>(uninitialized: [block, hidden])
    for range in Parallel.chunks(rows, size: block) {
        let part = 0..<range.count
        // z = x W₁ᵀ + b₁, y = f(z) W₂ᵀ + b₂
        S.multiply(input[rows: range], by: first, plus: b1?.view, into: &z[rows: range])
        S.activate(activation, z.view[rows: range], into: &f[rows: part])
        S.multiply(ProductOperand(f.view[rows: part], precision: precision), by: second, plus: b2?.view, into: &y[rows: range])
    }
    let before = z
    return tape.record(y) { tape, gradient in
        if let downBias { tape.addGradient(of: downBias) { db in S.addColumnSums(gradient.view, to: &db.target) } }
        let dy = ProductOperand(gradient, precision: precision)
        let downBack = down.packed(precision, transposed: true), upBack = place.isRecorded ? up.packed(precision, transposed: true) : nil
        var dx = Tensor<S>(uninitialized: [place.isRecorded ? rows : 0, inputs])
        let block = 256
        var f = Tensor<S>(uninitialized: [block, hidden]), dz = Tensor<S>(uninitialized: [block, hidden])
        for range in Parallel.chunks(rows, size: block) {
            let part = 0..<range.count
            // df = dy W₂, dz = df f′(z), and f(z) again in the same pass
            S.multiply(dy[rows: range], by: downBack, into: &dz[rows: part])
            S.activateBoth(activation, before.view[rows: range], into: &f[rows: part], gradient: &dz[rows: part])
            if let upBias { tape.addGradient(of: upBias) { db in S.addColumnSums(dz.view[rows: part], to: &db.target) } }
            // dW₂ = dyᵀ f, dW₁ = dzᵀ x, dx = dz W₁
            let fz = ProductOperand(f.view[rows: part], precision: precision),
                dzs = ProductOperand(dz.view[rows: part], precision: precision)
            tape.addGradient(of: down) { dw, isFirst in S.addTransposedProduct(dy[rows: range], fz, to: &dw.target, overwriting: isFirst) }
            tape.addGradient(of: up) { dw, isFirst in S.addTransposedProduct(dzs, input[rows: range], to: &dw.target, overwriting: isFirst)
            }
            if let upBack { S.multiply(dzs, by: upBack, into: &dx[rows: range]) }
        }
        tape.addGradient(of: place, dx)
    }
}

/// Feed-forward layers without a tape, in any precision.
///
/// - Parameter gated: `up` makes twice as many columns as `down` takes: those that go through f, then those they are multiplied with.
package func feedForward<S: TensorScalar>(
    _ x: Tensor<S>, up: Parameter<S>, upBias: Parameter<S>?, activation: Activation, gated: Bool, down: Parameter<S>,
    downBias: Parameter<S>?,
    precision: Precision
) -> Tensor<S> {
    precondition(x.columns == up.shape[1], "feed-forward weights \(up.shape) and \(down.shape) got \(x.shape)")
    let weights = FeedForwardWeights(
        up: up.packed(precision), upBias: upBias?.value, activation: activation, isGated: gated,
        down: down.packed(precision), downBias: downBias?.value)
    var y = Tensor<S>(uninitialized: [x.rows, weights.down.outputs])
    S.feedForward(x.view, weights, into: &y.target)
    return y
}
