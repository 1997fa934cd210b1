import Tensors

/// f(x), element by element.
public func activated<S: TensorScalar>(_ x: Variable<S>, _ kind: Activation, on tape: Tape<S>?) -> Variable<S> {
    if kind == .identity { return x }
    var y = Tensor<S>(uninitialized: x.shape)
    let count = x.value.count
    x.value.withUnsafeElements { from in y.withUnsafeMutableElements { S.activate(kind, from, count: count, into: $0) } }
    guard let tape else { return Variable(y) }
    return tape.record(y) { tape, gradient in
        x.value.withUnsafeElements { from in
            gradient.withUnsafeElements { g in
                tape.addGradient(of: x) { S.activateBackward(kind, from, g, count: count, addingTo: $0) }
            }
        }
    }
}

/// x + y.
public func sum<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
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
public func product<S: TensorScalar>(_ x: Variable<S>, _ y: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    precondition(x.shape == y.shape, "shapes \(x.shape) and \(y.shape) do not multiply element by element")
    var result = Tensor<S>(shape: x.shape)
    let count = result.count
    func addProduct(_ a: Tensor<S>, _ b: Tensor<S>, to out: UnsafeMutablePointer<S>) {
        a.withUnsafeElements { a in b.withUnsafeElements { S.addProduct(a, $0, count: count, to: out) } }
    }
    result.withUnsafeMutableElements { addProduct(x.value, y.value, to: $0) }
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: x) { addProduct(gradient, y.value, to: $0) }
        tape.addGradient(of: y) { addProduct(gradient, x.value, to: $0) }
    }
}

/// a x.
public func scaled<S: TensorScalar>(_ x: Variable<S>, by a: S, on tape: Tape<S>?) -> Variable<S> {
    var result = x.value
    let count = result.count
    result.withUnsafeMutableElements { S.scale($0, by: a, count: count) }
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in tape.addGradient(of: place) { S.add(a, times: g, count: count, to: $0) } }
    }
}

/// Columns `range` of every row.
public func columns<S: TensorScalar>(_ x: Variable<S>, _ range: Range<Int>, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, width = x.value.columns, part = range.count
    precondition(range.lowerBound >= 0 && range.upperBound <= width, "columns \(range) of \(width)")
    var result = Tensor<S>(uninitialized: [rows, part])
    x.value.withUnsafeElements { from in
        result.withUnsafeMutableElements { to in
            for r in 0..<rows { (to + r * part).update(from: from + r * width + range.lowerBound, count: part) }
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            tape.addGradient(of: place) { dx in
                for r in 0..<rows { S.add(g + r * part, count: part, to: dx + r * width + range.lowerBound) }
            }
        }
    }
}
