// Steps of recurrent cells, and the attention of recurrent decoders.

/// The cell of a recurrent network, with PyTorch's equations and order of gates.
///
/// - `lstm` (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000): i, f, g, o = σ, σ, tanh, σ of W x + b + U h + b′;
///   c′ = f ∘ c + i ∘ g; h′ = o ∘ tanh c′. The state is h beside c.
/// - `gru` (Cho et al. 2014): r, z = σ(…); n = tanh(W x + b + r ∘ (U h + b′)); h′ = (1 − z) ∘ n + z ∘ h. The state is h.
package enum RecurrentCell: String, Sendable, CaseIterable {
    case lstm, gru

    /// Blocks of `hiddenSize` rows in each weight matrix.
    package var gates: Int { self == .lstm ? 4 : 3 }
    /// Blocks of `hiddenSize` columns in a state.
    package var stateParts: Int { self == .lstm ? 2 : 1 }
}

/// A step of a recurrent cell for several sequences at once: sequence s, a row of the state, reads row `rows[s]` of the packed batch.
package struct RecurrentStep: Sendable {
    package let cell: RecurrentCell
    /// Of the hidden state.
    package let size: Int
    package let rows: [Int64]

    package init(cell: RecurrentCell, size: Int, rows: [Int64]) {
        self.cell = cell
        self.size = size
        self.rows = rows
    }

    package var count: Int { rows.count }
    package var stateWidth: Int { cell.stateParts * size }
    package var gateWidth: Int { cell.gates * size }
}

extension TensorScalar {
    /// The state before the step becomes the state after it.
    ///
    /// - Parameters:
    ///   - fromInput: W x + b of every token, `(tokens, gateWidth)`.
    ///   - fromState: U h + b′ of the step's sequences, `(count, gateWidth)`.
    ///   - state: `(≥ count, stateWidth)`.
    ///   - gates: after their nonlinearities, of every token, `(tokens, 4 × size)`, for the derivative.
    ///   - states: of every token, `(tokens, stateWidth)`.
    package static func advance(
        _ step: RecurrentStep, fromInput: Tensor<Self>, fromState: MatrixView<Self>, state: inout Tensor<Self>, gates: inout Tensor<Self>,
        states: inout Tensor<Self>
    ) {
        precondition(fromInput.columns == step.gateWidth && fromState.columns == step.gateWidth && fromState.rows >= step.count)
        precondition(state.columns == step.stateWidth && state.rows >= step.count && states.columns == step.stateWidth)
        precondition(gates.columns == 4 * step.size && gates.rows == states.rows && states.rows == fromInput.rows)
        precondition(step.rows.allSatisfy { $0 >= 0 && Int($0) < fromInput.rows })
        let kernel = step.cell == .lstm ? kernels.c.lstm : kernels.c.gru
        kernel(
            Int64(step.count), Int64(step.size), step.rows, fromInput.pointer, fromState.elements, state.mutablePointer,
            gates.mutablePointer, states.mutablePointer)
    }

    /// The derivative of a step.
    ///
    /// - Parameters:
    ///   - previous: the state before the step, `(count, stateWidth)`.
    ///   - dstates: gradients of the states of every token.
    ///   - dstate: comes in as the gradient from the later step and leaves as that of the state before, without what goes through U.
    ///   - dgates: gradients of `fromInput`, of every token.
    ///   - dproducts: gradients of `fromState`, `(count, gateWidth)`.
    package static func retreat(
        _ step: RecurrentStep, gates: Tensor<Self>, states: Tensor<Self>, previous: MatrixView<Self>, _ dstates: Tensor<Self>,
        dstate: inout Tensor<Self>, dgates: inout Tensor<Self>, dproducts: inout MutableMatrixView<Self>
    ) {
        precondition(gates.columns == 4 * step.size && states.columns == step.stateWidth && dstates.shape == states.shape)
        precondition(gates.rows == states.rows && dgates.rows == states.rows && dgates.columns == step.gateWidth)
        precondition(previous.rows >= step.count && previous.columns == step.stateWidth && dstate.rows >= step.count)
        precondition(dproducts.rows == step.count && dproducts.columns == step.gateWidth && dstate.columns == step.stateWidth)
        precondition(step.rows.allSatisfy { $0 >= 0 && Int($0) < states.rows })
        let n = Int64(step.count), size = Int64(step.size)
        switch step.cell {
        case .lstm:
            kernels.c.lstmBackward(
                n, size, step.rows, gates.pointer, states.pointer, previous.elements, dstates.pointer,
                dstate.mutablePointer, dgates.mutablePointer, dproducts.elements)
        case .gru:
            kernels.c.gruBackward(
                n, size, step.rows, gates.pointer, previous.elements, dstates.pointer, dstate.mutablePointer,
                dgates.mutablePointer, dproducts.elements)
        }
    }
}

/// The shape of a recurrent decoder's attention: sequence s has the queries `queryOffsets[s] ..< queryOffsets[s + 1]` and likewise its
/// keys.
package struct AlignmentShape: Sendable {
    package let queryOffsets: [Int64]
    package let keyOffsets: [Int64]

    package init(queryOffsets: [Int64], keyOffsets: [Int64]) {
        precondition(queryOffsets.count == keyOffsets.count && !queryOffsets.isEmpty)
        self.queryOffsets = queryOffsets
        self.keyOffsets = keyOffsets
    }

    var segments: Int { queryOffsets.count - 1 }
    /// As many as each query has keys, one query after the other.
    var weights: Int {
        (0..<segments).reduce(0) { $0 + Int(queryOffsets[$1 + 1] - queryOffsets[$1]) * Int(keyOffsets[$1 + 1] - keyOffsets[$1]) }
    }

    func check<S>(_ q: Tensor<S>, _ k: Tensor<S>, _ v: Tensor<S>?, _ values: Tensor<S>) {
        precondition(q.columns == k.columns && (v == nil || v!.count == k.columns))
        precondition(Int(queryOffsets[segments]) == q.rows && Int(keyOffsets[segments]) <= k.rows && k.rows == values.rows)
    }
}

/// Gradients of a recurrent decoder's attention.
package struct AlignmentGradients<Scalar: TensorScalar>: Sendable {
    package fileprivate(set) var queries: Tensor<Scalar>
    package fileprivate(set) var keys: Tensor<Scalar>
    package fileprivate(set) var values: Tensor<Scalar>
    package fileprivate(set) var additive: Tensor<Scalar>?
}

extension TensorScalar {
    /// softmax(score) · values in each sequence, score = v · tanh(q + k), or q · k without a v.
    ///
    /// - Parameters:
    ///   - q, k: `(queries, size)`, `(keys, size)`; v: size numbers.
    ///   - values: `(keys, valueSize)`.
    /// - Returns: `(queries, valueSize)`, and the weights.
    package static func alignment(
        _ shape: AlignmentShape, _ q: Tensor<Self>, _ k: Tensor<Self>, _ v: Tensor<Self>?, values: Tensor<Self>
    ) -> (out: Tensor<Self>, weights: Tensor<Self>) {
        shape.check(q, k, v, values)
        var out = Tensor<Self>(uninitialized: [q.rows, values.columns]), weights = Tensor<Self>(uninitialized: [shape.weights])
        kernels.c.alignment(
            Int64(shape.segments), shape.queryOffsets, shape.keyOffsets, Int64(k.columns), Int64(values.columns), q.pointer,
            k.pointer, v?.pointer, values.pointer, weights.mutablePointer, out.mutablePointer)
        return (out, weights)
    }

    package static func alignmentBackward(
        _ shape: AlignmentShape, _ q: Tensor<Self>, _ k: Tensor<Self>, _ v: Tensor<Self>?, values: Tensor<Self>, weights: Tensor<Self>,
        out: Tensor<Self>, _ dout: Tensor<Self>
    ) -> AlignmentGradients<Self> {
        shape.check(q, k, v, values)
        precondition(weights.count == shape.weights && out.count == q.rows * values.columns && dout.count == out.count)
        var d = AlignmentGradients(
            queries: Tensor<Self>(shape: q.shape), keys: Tensor(shape: k.shape), values: Tensor(shape: values.shape),
            additive: v.map { Tensor(shape: $0.shape) })
        kernels.c.alignmentBackward(
            Int64(shape.segments), shape.queryOffsets, shape.keyOffsets, Int64(k.columns), Int64(values.columns),
            q.pointer, k.pointer, v?.pointer, values.pointer, weights.pointer, out.pointer, dout.pointer,
            d.queries.mutablePointer, d.keys.mutablePointer, d.additive?.mutablePointer, d.values.mutablePointer)
        return d
    }
}
