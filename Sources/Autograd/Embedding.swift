import Tensors

/// Rows of a table: row i of the result is `table[rows[i]]`.
///
/// - Parameters:
///   - table: `(vocabulary, size)`.
///   - rows: each in `0 ..< vocabulary`.
/// - Returns: `(rows.count, size)`.
public func embedding<S: TensorScalar>(_ rows: [Int32], table: Parameter<S>, on tape: Tape<S>?) -> Variable<S> {
    embeddingSum([(rows, table)], on: tape)
}

/// The sum of rows of several tables, as words + positions + segments of BERT: row i is Σ `table[rows[i]]`.
public func embeddingSum<S: TensorScalar>(_ lookups: [(rows: [Int32], table: Parameter<S>)], on tape: Tape<S>?) -> Variable<S> {
    let count = lookups[0].rows.count, size = lookups[0].table.value.columns
    var sum = Tensor<S>(uninitialized: [count, size])
    sum.withUnsafeMutableElements { out in
        for (which, lookup) in lookups.enumerated() {
            precondition(lookup.rows.count == count && lookup.table.value.columns == size)
            let vocabulary = lookup.table.value.rows
            precondition(lookup.rows.allSatisfy { $0 >= 0 && Int($0) < vocabulary }, "a row outside a table of \(vocabulary)")
            lookup.table.value.withUnsafeElements { S.gatherRows($0, width: size, lookup.rows, adding: which > 0, into: out) }
        }
    }
    guard let tape else { return Variable(sum) }
    return tape.record(sum) { tape, gradient in
        for lookup in lookups { tape.addRowGradient(of: lookup.table, rows: lookup.rows, gradient) }
    }
}

/// Rows of a value: row i of the result is `x[rows[i]]`.
public func gatherRows<S: TensorScalar>(_ x: Variable<S>, _ rows: [Int], on tape: Tape<S>?) -> Variable<S> {
    let size = x.value.columns, available = x.value.rows
    var result = Tensor<S>(uninitialized: [rows.count] + x.shape.dropFirst())
    x.value.withUnsafeElements { from in
        result.withUnsafeMutableElements { to in
            for (i, row) in rows.enumerated() {
                precondition(row >= 0 && row < available, "row \(row) of \(available)")
                (to + i * size).update(from: from + row * size, count: size)
            }
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        gradient.withUnsafeElements { g in
            tape.addGradient(of: place) { dx in
                for (i, row) in rows.enumerated() { S.add(g + i * size, count: size, to: dx + row * size) }
            }
        }
    }
}
