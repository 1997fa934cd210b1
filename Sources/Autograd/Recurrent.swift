import Tensors

/// The cell of a recurrent network, with PyTorch's equations and order of gates.
///
/// - `lstm` (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000): i, f, g, o = σ, σ, tanh, σ of W x + b + U h + b′;
///   c′ = f ∘ c + i ∘ g; h′ = o ∘ tanh c′. The state is h beside c.
/// - `gru` (Cho et al. 2014): r, z = σ(…); n = tanh(W x + b + r ∘ (U h + b′)); h′ = (1 − z) ∘ n + z ∘ h. The state is h.
public enum RecurrentCell: String, Sendable, CaseIterable {
    case lstm, gru

    /// Blocks of `hiddenSize` rows in each weight matrix.
    public var gates: Int { self == .lstm ? 4 : 3 }
    /// Blocks of `hiddenSize` columns in a state.
    public var stateParts: Int { self == .lstm ? 2 : 1 }
}

/// Runs a recurrent cell along packed sequences.
///
/// - Parameters:
///   - x: W x + b of every token, `(tokens, gates × hiddenSize)`.
///   - offsets: rows of sequence s are `offsets[s] ..< offsets[s + 1]`. A sequence of one token makes one step of a decoder.
///   - initial: states before the first token, `(sequences, stateParts × hiddenSize)`; zeros when nil.
///   - weight: U, `(gates × hiddenSize, hiddenSize)`.
///   - bias: b′, `(gates × hiddenSize)`.
///   - reversed: from each sequence's last token to its first.
/// - Returns: the state after each token, `(tokens, stateParts × hiddenSize)`; its first `hiddenSize` columns are the outputs.
public func recurrent<S: TensorScalar>(
    _ x: Variable<S>, cell: RecurrentCell, offsets: [Int64], initial: Variable<S>?, weight: Parameter<S>, bias: Parameter<S>?,
    reversed: Bool = false, on tape: Tape<S>?
) -> Variable<S> {
    let size = weight.value.columns, width = cell.stateParts * size, gateWidth = cell.gates * size
    precondition(weight.value.rows == gateWidth && x.value.columns == gateWidth, "a \(cell) of size \(size) got \(x.shape)")
    let plan = RecurrentSchedule(offsets: offsets, reversed: reversed)
    precondition(plan.tokens == x.value.rows && (initial == nil || initial!.shape == [plan.sequences, width]))

    var states = Tensor<S>(uninitialized: [plan.tokens, width])
    var gates = Tensor<S>(uninitialized: [plan.tokens, 4 * size])
    var state = plan.ordered(initial?.value, width: width)
    let packed = weight.packed(tape?.precision ?? .f32)
    x.value.withUnsafeElements { x in
        withOptionalElements(bias?.value) { bias in
            states.withUnsafeMutableElements { states in
                gates.withUnsafeMutableElements { gates in
                    state.withUnsafeMutableElements { state in
                        Scratch.with(S.self, count: plan.sequences * (size + gateWidth)) { scratch in
                            let output = scratch, product = scratch + plan.sequences * size
                            for rows in plan.steps {
                                for s in 0..<rows.count { (output + s * size).update(from: state + s * width, count: size) }
                                S.multiply(output, rows: rows.count, by: packed, bias: bias, into: product)
                                switch cell {
                                case .lstm: S.lstm(rows.count, size: size, rows: rows, fromInput: x, fromState: product, state: state, gates: gates, states: states)
                                case .gru: S.gru(rows.count, size: size, rows: rows, fromInput: x, fromState: product, state: state, gates: gates, states: states)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    guard let tape else { return Variable(states) }
    let result = states, kept = gates
    return tape.record(states) { tape, gradient in
        recurrentBackward(gradient, states: result, gates: kept, x: x, initial: initial, weight: weight, bias: bias, cell: cell, plan: plan, tape)
    }
}

private func recurrentBackward<S: TensorScalar>(
    _ gradient: Tensor<S>, states: Tensor<S>, gates: Tensor<S>, x: Variable<S>, initial: Variable<S>?, weight: Parameter<S>,
    bias: Parameter<S>?, cell: RecurrentCell, plan: RecurrentSchedule, _ tape: Tape<S>
) {
    let size = weight.value.columns, width = cell.stateParts * size, gateWidth = cell.gates * size
    let packed = weight.packed(tape.precision, transposed: true)
    let first = plan.ordered(initial?.value, width: width)
    var dx = Tensor<S>(uninitialized: x.shape)
    // Gradients of U h + b′ and the h they belong to, step after step, so that the weight's gradient is one product.
    var products = Tensor<S>(uninitialized: x.shape), outputs = Tensor<S>(uninitialized: [plan.tokens, size])
    var dstate = Tensor<S>(shape: [plan.sequences, width])
    states.withUnsafeElements { states in
        gates.withUnsafeElements { gates in
            gradient.withUnsafeElements { gradient in
                first.withUnsafeElements { first in
                    dx.withUnsafeMutableElements { dx in
                        products.withUnsafeMutableElements { products in
                            outputs.withUnsafeMutableElements { outputs in
                                dstate.withUnsafeMutableElements { dstate in
                                    Scratch.with(S.self, count: plan.sequences * (width + size)) { scratch in
                                        let previous = scratch, through = scratch + plan.sequences * width
                                        var end = plan.tokens
                                        for t in plan.steps.indices.reversed() {
                                            let rows = plan.steps[t], n = rows.count
                                            let start = end - n
                                            for s in 0..<n {
                                                let from = t == 0 ? first + s * width : states + Int(plan.steps[t - 1][s]) * width
                                                (previous + s * width).update(from: from, count: width)
                                                (outputs + (start + s) * size).update(from: from, count: size)
                                            }
                                            let dproducts = products + start * gateWidth
                                            switch cell {
                                            case .lstm:
                                                S.lstmBackward(n, size: size, rows: rows, gates: gates, states: states, previous: previous, gradient,
                                                               dstate: dstate, dgates: dx, dproducts: dproducts)
                                            case .gru:
                                                S.gruBackward(n, size: size, rows: rows, gates: gates, previous: previous, gradient,
                                                              dstate: dstate, dgates: dx, dproducts: dproducts)
                                            }
                                            S.multiply(dproducts, rows: n, by: packed, bias: nil, into: through)
                                            for s in 0..<n { S.add(through + s * size, count: size, to: dstate + s * width) }
                                            end = start
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    if let bias {
        products.withUnsafeElements { products in
            tape.addGradient(of: bias) { S.addColumnSums(products, rows: plan.tokens, columns: gateWidth, to: $0) }
        }
    }
    let left = ProductOperand(products, precision: tape.precision), right = ProductOperand(outputs, precision: tape.precision)
    left.withOperand { products in
        right.withOperand { outputs in
            tape.addGradient(of: weight) { dw, isFirst in
                addTransposedProduct(products, columns: gateWidth, outputs, columns: size, rows: plan.tokens, to: dw, overwriting: isFirst,
                                     of: S.self, precision: tape.precision)
            }
        }
    }
    tape.addGradient(of: x, dx)
    if let initial {
        dstate.withUnsafeElements { dstate in
            tape.addGradient(of: initial) { to in
                for (s, sequence) in plan.order.enumerated() { S.add(dstate + s * width, count: width, to: to + sequence * width) }
            }
        }
    }
}

/// Which rows of a packed batch make step t: sequences in order of decreasing length, so that those still running are always the
/// first ones.
private struct RecurrentSchedule: Sendable {
    let order: [Int]
    let steps: [[Int64]]
    let tokens: Int
    var sequences: Int { order.count }

    init(offsets: [Int64], reversed: Bool) {
        let lengths = zip(offsets, offsets.dropFirst()).map { Int($1 - $0) }
        tokens = Int(offsets.last ?? 0)
        order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
        var steps: [[Int64]] = []
        for t in 0..<(lengths.max() ?? 0) {
            steps.append(order.prefix { lengths[$0] > t }.map { reversed ? offsets[$0 + 1] - 1 - Int64(t) : offsets[$0] + Int64(t) })
        }
        self.steps = steps
    }

    /// States by sequence in the schedule's order; zeros without any.
    func ordered<S: TensorScalar>(_ states: Tensor<S>?, width: Int) -> Tensor<S> {
        var result = Tensor<S>(shape: [sequences, width])
        guard let states else { return result }
        result.withUnsafeMutableElements { to in
            states.withUnsafeElements { from in
                for (s, sequence) in order.enumerated() { (to + s * width).update(from: from + sequence * width, count: width) }
            }
        }
        return result
    }
}
