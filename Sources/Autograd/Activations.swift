import Tensors

/// f(x), element by element.
package func activated<S: TensorScalar>(_ x: Variable<S>, _ kind: Activation, on tape: Tape<S>?) -> Variable<S> {
    if kind == .identity { return x }
    var y = Tensor<S>(uninitialized: x.shape)
    S.activate(kind, x.value.view, into: &y.target)
    guard let tape else { return Variable(y) }
    return tape.record(y) { tape, dy in
        tape.addGradient(of: x) { dx in S.activateBackward(kind, x.value.view, dy.view, addingTo: &dx.target) }
    }
}

/// x + y.
package func sum<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) do not add")
    var result = x.value
    result += y.value
    guard let tape else { return Variable(result) }
    let places = (x.place, y.place)
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: places.0, gradient)
        tape.addGradient(of: places.1, gradient)
    }
}

/// x ∘ y, element by element.
package func product<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) do not multiply element by element")
    var result = Tensor<S>(shape: x.shape)
    S.addProduct(x.value.view, y.value.view, to: &result.target)
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: x) { dx in S.addProduct(gradient.view, y.value.view, to: &dx.target) }
        tape.addGradient(of: y) { dy in S.addProduct(gradient.view, x.value.view, to: &dy.target) }
    }
}

/// a x.
package func scaled<S: TensorScalar>(_ x: Variable<S>, by a: S, on tape: Tape<S>?) -> Variable<S> {
    var result = x.value
    S.scale(&result.target, by: a)
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place) { dx in S.add(a, times: gradient.view, to: &dx.target) }
    }
}

/// Columns `range` of every row.
package func columns<S: TensorScalar>(_ x: Variable<S>, _ range: Range<Int>, on tape: Tape<S>?) -> Variable<S> {
    var result = Tensor<S>(uninitialized: [x.value.rows, range.count])
    S.copy(x.value.view[columns: range], into: &result.target)
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place) { dx in S.add(gradient.view, to: &dx[columns: range]) }
    }
}
