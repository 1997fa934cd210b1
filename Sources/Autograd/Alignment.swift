import Tensors

/// What attention of a recurrent decoder found: the contexts and the weights behind them.
public struct Alignment<Scalar: TensorScalar>: Sendable {
    /// `(queries, valueSize)`.
    public let context: Variable<Scalar>
    /// For every query as many weights as its sequence has keys, one query after the other.
    public let weights: Tensor<Scalar>
}

/// Attention with one head over packed sequences, as recurrent decoders use it.
///
/// The score of query q and key k is v · tanh(q + k) where `additive` gives v — Bahdanau et al. 2014, and "concat" of Luong et al. 2015,
/// whose W [q; k] is a sum of two products — and q · k otherwise ("dot", and "general" with projected keys).
///
/// - Parameters:
///   - queries, keys: `(queries, size)` and `(keys, size)`; rows of sequence s lie in `queryOffsets[s] ..< queryOffsets[s + 1]` and likewise;
///     keys beyond the last offset belong to nobody.
///   - values: `(keys, valueSize)`.
///   - additive: v, `(1, size)`.
public func align<S: TensorScalar>(
    queries: Variable<S>, keys: Variable<S>, values: Variable<S>, additive: Parameter<S>?, queryOffsets: [Int64], keyOffsets: [Int64],
    on tape: Tape<S>?
) -> Alignment<S> {
    let width = keys.value.columns, valueWidth = values.value.columns, segments = queryOffsets.count - 1
    precondition(queries.value.columns == width && keyOffsets.count == queryOffsets.count && (additive == nil || additive!.value.count == width))
    precondition(Int(queryOffsets[segments]) == queries.value.rows && Int(keyOffsets[segments]) <= keys.value.rows && keys.value.rows == values.value.rows)
    let weightCount = (0..<segments).reduce(0) {
        $0 + Int(queryOffsets[$1 + 1] - queryOffsets[$1]) * Int(keyOffsets[$1 + 1] - keyOffsets[$1])
    }
    var context = Tensor<S>(uninitialized: [queries.value.rows, valueWidth])
    var weights = Tensor<S>(uninitialized: [weightCount])

    func withInputs(_ body: (UnsafePointer<S>, UnsafePointer<S>, UnsafePointer<S>?, UnsafePointer<S>) -> Void) {
        queries.value.withUnsafeElements { q in
            keys.value.withUnsafeElements { k in
                values.value.withUnsafeElements { values in withOptionalElements(additive?.value) { body(q, k, $0, values) } }
            }
        }
    }
    withInputs { q, k, v, values in
        weights.withUnsafeMutableElements { weights in
            context.withUnsafeMutableElements {
                S.alignment(segments: segments, queryOffsets: queryOffsets, keyOffsets: keyOffsets, width: width, valueWidth: valueWidth,
                            q, k, v, values: values, weights: weights, into: $0)
            }
        }
    }
    guard let tape else { return Alignment(context: Variable(context), weights: weights) }
    let found = weights, result = context
    let recorded = tape.record(context) { tape, gradient in
        var dq = Tensor<S>(shape: queries.shape), dk = Tensor<S>(shape: keys.shape), dvalues = Tensor<S>(shape: values.shape)
        var dv = additive.map { Tensor<S>(shape: $0.shape) }
        withInputs { q, k, v, values in
            func run(_ dv: UnsafeMutablePointer<S>?) {
                found.withUnsafeElements { weights in
                    result.withUnsafeElements { out in
                        gradient.withUnsafeElements { dout in
                            dq.withUnsafeMutableElements { dq in
                                dk.withUnsafeMutableElements { dk in
                                    dvalues.withUnsafeMutableElements { dvalues in
                                        S.alignmentBackward(segments: segments, queryOffsets: queryOffsets, keyOffsets: keyOffsets, width: width,
                                                            valueWidth: valueWidth, q, k, v, values: values, weights: weights, out: out, dout,
                                                            addingTo: dq, dk, dv, dvalues)
                                    }
                                }
                            }
                        }
                    }
                }
            }
            if dv == nil { run(nil) } else { dv?.withUnsafeMutableElements { run($0) } }
        }
        tape.addGradient(of: queries, dq)
        tape.addGradient(of: keys, dk)
        tape.addGradient(of: values, dvalues)
        if let additive, let dv {
            let count = dv.count
            tape.addGradient(of: additive) { to in dv.withUnsafeElements { S.add($0, count: count, to: to) } }
        }
    }
    return Alignment(context: recorded, weights: weights)
}
