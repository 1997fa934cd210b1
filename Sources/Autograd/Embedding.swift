import Tensors

/// Rows of a table: row i of the result is `table[rows[i]]`.
///
/// - Parameters:
///   - table: `(vocabulary, size)`.
///   - rows: each in `0 ..< vocabulary`.
/// - Returns: `(rows.count, size)`.
package func embedding<S: TensorScalar>(_ rows: [Int32], table: Parameter<S>, on tape: Tape<S>?) -> Variable<S> {
    embeddingSum([(rows, table)], on: tape)
}

/// The sum of rows of several tables, as words + positions + segments of BERT: row i is Σ `table[rows[i]]`.
package func embeddingSum<S: TensorScalar>(_ lookups: [(rows: [Int32], table: Parameter<S>)], on tape: Tape<S>?) -> Variable<S> {
    let count = lookups[0].rows.count, size = lookups[0].table.shape.dropFirst().reduce(1, *)
    var sum = Tensor<S>(uninitialized: [count, size])
    for (which, lookup) in lookups.enumerated() {
        precondition(lookup.rows.count == count && lookup.table.shape.count == 2)
        lookup.table.gatherRows(lookup.rows, adding: which > 0, into: &sum.target)
    }
    guard let tape else { return Variable(sum) }
    return tape.record(sum) { tape, gradient in
        for lookup in lookups { tape.addRowGradient(of: lookup.table, rows: lookup.rows, gradient) }
    }
}

/// Rows of a value: row i of the result is `x[rows[i]]`.
package func gatherRows<S: TensorScalar>(_ x: Variable<S>, _ rows: [Int], on tape: Tape<S>?) -> Variable<S> {
    let indices = rows.map(Int32.init)
    var result = Tensor<S>(uninitialized: [rows.count] + x.shape.dropFirst())
    S.gatherRows(x.value.view, indices, into: &result.target)
    guard let tape else { return Variable(result) }
    let place = x.place
    return tape.record(result) { tape, gradient in
        tape.addGradient(of: place) { dx in S.scatterRows(gradient.view, indices, within: 0..<dx.rows, addingTo: &dx.target) }
    }
}
