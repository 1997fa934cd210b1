import Tensors

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
package func recurrent<S: TensorScalar>(
    _ x: Variable<S>, cell: RecurrentCell, offsets: [Int64], initial: Variable<S>?, weight: Parameter<S>, bias: Parameter<S>?,
    reversed: Bool = false, on tape: Tape<S>?
) -> Variable<S> {
    let size = weight.shape[1], width = cell.stateParts * size, gateWidth = cell.gates * size
    precondition(weight.shape[0] == gateWidth && x.value.columns == gateWidth, "a \(cell) of size \(size) got \(x.shape)")
    let plan = RecurrentSchedule(offsets: offsets, reversed: reversed)
    precondition(plan.tokens == x.value.rows && (initial == nil || initial!.shape == [plan.sequences, width]))

    var states = Tensor<S>(uninitialized: [plan.tokens, width]), gates = Tensor<S>(uninitialized: [plan.tokens, 4 * size])
    var state = plan.ordered(initial?.value, width: width)
    var h = Tensor<S>(uninitialized: [plan.sequences, size]), uh = Tensor<S>(uninitialized: [plan.sequences, gateWidth])
    let u = weight.packed(tape?.precision ?? .f32), shift = bias?.value
    for rows in plan.steps {
        let running = 0..<rows.count
        // U h + b′ of the sequences that still run, then the cell.
        S.copy(state.view[rows: running][columns: 0..<size], into: &h[rows: running])
        S.multiply(h.view[rows: running], by: u, plus: shift?.view, activation: .identity, into: &uh[rows: running])
        S.advance(
            RecurrentStep(cell: cell, size: size, rows: rows), fromInput: x.value, fromState: uh.view, state: &state, gates: &gates,
            states: &states)
    }
    guard let tape else { return Variable(states) }
    let result = states, kept = gates
    return tape.record(states) { tape, gradient in
        recurrentBackward(
            gradient, states: result, gates: kept, x: x, initial: initial, weight: weight, bias: bias, cell: cell, plan: plan, tape)
    }
}

private func recurrentBackward<S: TensorScalar>(
    _ dstates: Tensor<S>, states: Tensor<S>, gates: Tensor<S>, x: Variable<S>, initial: Variable<S>?, weight: Parameter<S>,
    bias: Parameter<S>?, cell: RecurrentCell, plan: RecurrentSchedule, _ tape: Tape<S>
) {
    let size = weight.shape[1], width = cell.stateParts * size
    let back = weight.packed(tape.precision, transposed: true), first = plan.ordered(initial?.value, width: width)
    var dx = Tensor<S>(uninitialized: x.shape)
    // Gradients of U h + b′ and the h they belong to, step after step, so that the weight's gradient is one product.
    var products = Tensor<S>(uninitialized: x.shape), outputs = Tensor<S>(uninitialized: [plan.tokens, size])
    var dstate = Tensor<S>(shape: [plan.sequences, width])
    var previous = Tensor<S>(uninitialized: [plan.sequences, width]), dh = Tensor<S>(uninitialized: [plan.sequences, size])
    var end = plan.tokens
    for t in plan.steps.indices.reversed() {
        let step = RecurrentStep(cell: cell, size: size, rows: plan.steps[t])
        let running = 0..<step.count, place = end - step.count..<end
        if t == 0 {
            S.copy(first.view[rows: running], into: &previous[rows: running])
        } else {
            S.gatherRows(states.view, plan.steps[t - 1].prefix(step.count).map(Int32.init), into: &previous[rows: running])
        }
        S.copy(previous.view[rows: running][columns: 0..<size], into: &outputs[rows: place])
        S.retreat(
            step, gates: gates, states: states, previous: previous.view, dstates, dstate: &dstate, dgates: &dx,
            dproducts: &products[rows: place])
        S.multiply(products.view[rows: place], by: back, plus: nil, activation: .identity, into: &dh[rows: running])
        for s in running { S.add(dh.view[s], to: &dstate[row: s, columns: 0..<size]) }
        end = place.lowerBound
    }
    if let bias { tape.addGradient(of: bias) { db in S.addColumnSums(products.view, to: &db.target) } }
    let left = ProductOperand(products, precision: tape.precision), right = ProductOperand(outputs, precision: tape.precision)
    tape.addGradient(of: weight) { dw, isFirst in S.addTransposedProduct(left, right, to: &dw.target, overwriting: isFirst) }
    tape.addGradient(of: x, dx)
    if let initial {
        tape.addGradient(of: initial) { to in
            S.scatterRows(dstate.view, plan.order.map(Int32.init), within: 0..<plan.sequences, addingTo: &to.target)
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
        if let states { S.gatherRows(states.view, order.map(Int32.init), into: &result.target) }
        return result
    }
}
