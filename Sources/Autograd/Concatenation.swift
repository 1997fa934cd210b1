import Tensors

/// Matrices side by side: `(n, a)`, `(n, b)`, … → `(n, a + b + …)`.
public func concatenatedColumns<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    if parts.count == 1 { return parts[0] }
    let rows = parts[0].value.rows, width = parts.reduce(0) { $0 + $1.value.columns }
    var result = Tensor<S>(uninitialized: [rows, width])
    result.withUnsafeMutableElements { to in
        var column = 0
        for part in parts {
            let size = part.value.columns
            precondition(part.value.rows == rows, "matrices of \(rows) and \(part.value.rows) rows do not lie side by side")
            part.value.withUnsafeElements { from in
                for r in 0..<rows { (to + r * width + column).update(from: from + r * size, count: size) }
            }
            column += size
        }
    }
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            var column = 0
            for part in parts {
                let size = part.value.columns, first = column
                tape.addGradient(of: part) { d in
                    for r in 0..<rows { S.add(g + r * width + first, count: size, to: d + r * size) }
                }
                column += size
            }
        }
    }
}

/// Matrices one above the other: `(a, n)`, `(b, n)`, … → `(a + b + …, n)`.
public func concatenatedRows<S: TensorScalar>(_ parts: [Variable<S>], on tape: Tape<S>?) -> Variable<S> {
    if parts.count == 1 { return parts[0] }
    let width = parts[0].value.columns, rows = parts.reduce(0) { $0 + $1.value.rows }
    var result = Tensor<S>(uninitialized: [rows, width])
    result.withUnsafeMutableElements { to in
        var row = 0
        for part in parts {
            precondition(part.value.columns == width, "matrices of \(width) and \(part.value.columns) columns do not lie above each other")
            part.value.withUnsafeElements { (to + row * width).update(from: $0, count: part.value.count) }
            row += part.value.rows
        }
    }
    guard let tape else { return Variable(result) }
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            var row = 0
            for part in parts {
                let first = row, count = part.value.count
                tape.addGradient(of: part) { S.add(g + first * width, count: count, to: $0) }
                row += part.value.rows
            }
        }
    }
}
