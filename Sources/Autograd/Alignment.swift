import Tensors

/// What attention of a recurrent decoder found: the contexts and the weights behind them.
package struct Alignment<Scalar: TensorScalar>: Sendable {
    /// `(queries, valueSize)`.
    package let context: Variable<Scalar>
    /// For every query as many weights as its sequence has keys, one query after the other.
    package let weights: Tensor<Scalar>
}

/// Attention with one head over packed sequences, as recurrent decoders use it.
///
/// The score of query q and key k is v · tanh(q + k) where `additive` gives v — Bahdanau et al. 2014, and "concat" of Luong et al. 2015,
/// whose W [q; k] is a sum of two products — and q · k otherwise ("dot", and "general" with projected keys).
///
/// - Parameters:
///   - queries, keys: `(queries, size)` and `(keys, size)`; rows of sequence s lie in `queryOffsets[s] ..< queryOffsets[s + 1]` and
///     likewise; keys beyond the last offset are not used.
///   - values: `(keys, valueSize)`.
///   - additive: v, `(1, size)`.
package func align<S: TensorScalar>(
    queries: Variable<S>, keys: Variable<S>, values: Variable<S>, additive: Parameter<S>?, queryOffsets: [Int64], keyOffsets: [Int64],
    on tape: Tape<S>?
) -> Alignment<S> {
    let shape = AlignmentShape(queryOffsets: queryOffsets, keyOffsets: keyOffsets)
    let (context, weights) = S.alignment(shape, queries.value, keys.value, additive?.value, values: values.value)
    guard let tape else { return Alignment(context: Variable(context), weights: weights) }
    let recorded = tape.record(context) { tape, gradient in
        let d = S.alignmentBackward(
            shape, queries.value, keys.value, additive?.value, values: values.value, weights: weights, out: context, gradient)
        tape.addGradient(of: queries, d.queries)
        tape.addGradient(of: keys, d.keys)
        tape.addGradient(of: values, d.values)
        if let additive, let dv = d.additive { tape.addGradient(of: additive) { S.add(dv.view, to: &$0.target) } }
    }
    return Alignment(context: recorded, weights: weights)
}
