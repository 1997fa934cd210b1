import Tensors

/// Matrices one below the other: `(n₁ + n₂ + …, size)`.
package func concatenatedRows<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    precondition(!parts.isEmpty)
    let size = parts[0].value.columns
    precondition(parts.allSatisfy { $0.value.columns == size }, "rows of \(parts.map(\.shape)) differ in length")
    let ranges = stretches(parts.map(\.value.rows))
    var result = Tensor<S>(uninitialized: [ranges.last?.upperBound ?? 0] + parts[0].shape.dropFirst())
    for (part, range) in zip(parts, ranges) { S.copy(part.value.view, into: &result[rows: range]) }
    guard let tape else { return Variable(result) }
    let places = parts.map(\.place)
    return tape.record(result) { tape, gradient in
        for (place, range) in zip(places, ranges) where place.isRecorded { tape.addGradient(of: place, gradient.rows(range)) }
    }
}

/// Matrices side by side: `(n, size₁ + size₂ + …)`.
package func concatenatedColumns<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    precondition(!parts.isEmpty)
    let rows = parts[0].value.rows, ranges = stretches(parts.map(\.value.columns))
    precondition(parts.allSatisfy { $0.value.rows == rows }, "columns of \(parts.map(\.shape)) differ in length")
    var result = Tensor<S>(uninitialized: [rows, ranges.last?.upperBound ?? 0])
    for (part, range) in zip(parts, ranges) { S.copy(part.value.view, into: &result[columns: range]) }
    guard let tape else { return Variable(result) }
    let places = parts.map(\.place)
    return tape.record(result) { tape, gradient in
        for (place, range) in zip(places, ranges) {
            tape.addGradient(of: place) { d in S.add(gradient.view[columns: range], to: &d.target) }
        }
    }
}

/// Rows `range` of x.
package func rows<S: TensorScalar>(_ x: Variable<S>, _ range: Range<Int>, on tape: Tape<S>?) -> Variable<S> {
    let part = x.value.rows(range)
    guard let tape else { return Variable(part) }
    let place = x.place
    return tape.record(part) { tape, gradient in
        tape.addGradient(of: place) { dx in S.add(gradient.view, to: &dx[rows: range]) }
    }
}

/// Where parts of these sizes lie one after the other.
private func stretches(_ sizes: [Int]) -> [Range<Int>] {
    var end = 0
    return sizes.map { size in
        end += size
        return end - size..<end
    }
}
