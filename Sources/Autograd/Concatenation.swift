import Tensors

/// Matrices one below the other: `(n₁ + n₂ + …, size)`.
public func concatenatedRows<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    precondition(!parts.isEmpty)
    let size = parts[0].value.columns
    precondition(parts.allSatisfy { $0.value.columns == size }, "rows of \(parts.map(\.shape)) differ in length")
    let counts = parts.map(\.value.rows)
    var result = Tensor<S>(uninitialized: [counts.reduce(0, +)] + parts[0].shape.dropFirst())
    result.withUnsafeMutableElements { to in
        var at = to
        for part in parts {
            part.value.withUnsafeElements { at.update(from: $0, count: part.value.count) }
            at += part.value.count
        }
    }
    guard let tape else { return Variable(result) }
    let places = parts.map(\.place)
    return tape.record(result) { tape, gradient in
        var first = 0
        for (place, count) in zip(places, counts) {
            if place.isRecorded { tape.addGradient(of: place, gradient.rows(first..<first + count)) }
            first += count
        }
    }
}

/// Matrices side by side: `(n, size₁ + size₂ + …)`.
public func concatenatedColumns<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    precondition(!parts.isEmpty)
    let rows = parts[0].value.rows, widths = parts.map(\.value.columns), width = widths.reduce(0, +)
    precondition(parts.allSatisfy { $0.value.rows == rows }, "columns of \(parts.map(\.shape)) differ in length")
    var result = Tensor<S>(uninitialized: [rows, width])
    result.withUnsafeMutableElements { to in
        var column = 0
        for (part, size) in zip(parts, widths) {
            part.value.withUnsafeElements { from in for r in 0..<rows { (to + r * width + column).update(from: from + r * size, count: size) } }
            column += size
        }
    }
    guard let tape else { return Variable(result) }
    let places = parts.map(\.place)
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            var column = 0
            for (place, size) in zip(places, widths) {
                tape.addGradient(of: place) { d in for r in 0..<rows { S.add(g + r * width + column, count: size, to: d + r * size) } }
                column += size
            }
        }
    }
}

/// Rows `range` of x.
public func rows<S: TensorScalar>(_ x: Variable<S>, _ range: Range<Int>, on tape: Tape<S>?) -> Variable<S> {
    let part = x.value.rows(range), size = x.value.columns
    guard let tape else { return Variable(part) }
    let place = x.place
    return tape.record(part) { tape, gradient in
        gradient.withUnsafeElements { g in
            tape.addGradient(of: place) { S.add(g, count: range.count * size, to: $0 + range.lowerBound * size) }
        }
    }
}
