import Tensors

/// −log softmax(x)[target] of each row, as `torch.nn.functional.cross_entropy(reduction="none")`.
///
/// - Parameters:
///   - logits: `(n, classes)`.
///   - targets: n classes; a negative one is left out: its loss is 0 and nothing flows back.
///   - smoothing: ε of label smoothing (Szegedy et al. 2016): the target has 1 − ε + ε / classes, the others ε / classes.
/// - Returns: `(n)`.
package func crossEntropy<S: TensorScalar>(
    _ logits: Variable<S>, targets: [Int32], smoothing: S = 0, on tape: Tape<S>?
) -> Variable<S> {
    let rows = logits.value.rows, classes = logits.value.columns
    precondition(targets.count == rows && targets.allSatisfy { $0 < classes }, "\(targets.count) targets for logits \(logits.shape)")
    let found = targets[...]
    guard let tape else {
        return Variable(Tensor(S.crossEntropy(logits.value.view, targets: found, smoothing: smoothing), shape: [rows]))
    }
    var slopes = Tensor<S>(uninitialized: [rows, classes])
    let losses = Tensor(S.crossEntropy(logits.value.view, targets: found, smoothing: smoothing, gradient: &slopes.target), shape: [rows])
    let place = logits.place, kept = slopes
    return tape.record(losses) { tape, gradient in
        var dx = kept
        for r in 0..<rows { S.scale(&dx[rows: r..<r + 1], by: gradient[r]) }
        tape.addGradient(of: place, dx)
    }
}

/// Softmax cross-entropy of x Wᵀ + b, without ever holding all its logits: rows pass in blocks through product, softmax and both
/// derivatives while they are in the cache. For output layers over a vocabulary.
///
/// - Parameters:
///   - x: `(n, size)`.
///   - weight: `(classes, size)`; bias: `(classes)`.
///   - targets, smoothing: as in `crossEntropy`.
///   - divisor: the loss is the sum over rows divided by this: the number of targets that count, of the whole batch.
/// - Returns: the loss, `(1)`, and how many counted rows had their target as the largest logit.
package func linearCrossEntropy<S: TensorScalar>(
    _ x: Variable<S>, weight: Parameter<S>, bias: Parameter<S>?, targets: [Int32], smoothing: S = 0, divisor: S,
    precision: Precision = .f32, on tape: Tape<S>?
) -> (loss: Variable<S>, correct: Int) {
    let rows = x.value.rows, size = x.value.columns, classes = weight.value.rows
    precondition(weight.value.columns == size && targets.count == rows && targets.allSatisfy { $0 < classes })
    let precision = tape?.precision ?? precision
    let forward = weight.packed(precision)
    let backward = tape.map { $0.follows(x) ? weight.packed(precision, transposed: true) : nil } ?? nil
    let operand = ProductOperand(x.value, precision: precision), shift = bias?.value
    let block = min(256, max(64, rows))
    var total = 0.0, correct = 0
    var dx = Tensor<S>(uninitialized: [backward == nil ? 0 : rows, size])
    // Gradients of this call alone; they wait for the factor that comes from above, which is 1 where the loss is the end.
    let wantsWeights = tape?.learns(weight) ?? false, wantsBias = bias.map { tape?.learns($0) ?? false } ?? false
    var dw = Tensor<S>(shape: [wantsWeights ? classes : 0, size]), db = Tensor<S>(shape: [wantsBias ? classes : 0])
    var logits = Tensor<S>(uninitialized: [block, classes])
    for range in Parallel.chunks(rows, size: block) {
        let part = 0..<range.count, wanted = targets[range]
        S.multiply(operand[rows: range], by: forward, plus: shift?.view, into: &logits[rows: part])
        for (r, target) in wanted.enumerated() where target >= 0 {
            if S.indexOfLargest(logits.view[r]) == Int(target) { correct += 1 }
        }
        guard tape != nil else {
            for loss in S.crossEntropy(logits.view[rows: part], targets: wanted, smoothing: smoothing) { total += Double(loss) }
            continue
        }
        for loss in S.crossEntropy(becomingGradient: &logits[rows: part], targets: wanted, smoothing: smoothing) { total += Double(loss) }
        S.scale(&logits[rows: part], by: 1 / divisor)
        if wantsBias { S.addColumnSums(logits.view[rows: part], to: &db.target) }
        let slopes = ProductOperand(logits.view[rows: part], precision: precision)
        if wantsWeights { S.addTransposedProduct(slopes, operand[rows: range], to: &dw.target, overwriting: range.lowerBound == 0) }
        if let backward { S.multiply(slopes, by: backward, into: &dx[rows: range]) }
    }
    let loss = Tensor<S>([S(total / Double(divisor))], shape: [1])
    guard let tape else { return (Variable(loss), correct) }
    let place = x.place
    var kept: (dx: Tensor<S>, dw: Tensor<S>, db: Tensor<S>)? = (dx, dw, db)
    return (
        tape.record(loss) { tape, gradient in
            guard var slopes = kept else { return }
            kept = nil
            let factor = gradient[0]
            func scale(_ tensor: inout Tensor<S>) {
                if factor != 1 && tensor.count > 0 { S.scale(&tensor.target, by: factor) }
            }
            scale(&slopes.dx)
            scale(&slopes.dw)
            scale(&slopes.db)
            if slopes.dw.count > 0 { tape.addGradient(of: weight, slopes.dw) }
            if slopes.db.count > 0, let bias { tape.addGradient(of: bias, slopes.db) }
            if place.isRecorded { tape.addGradient(of: place, slopes.dx) }
        }, correct
    )
}

/// log softmax of each row.
package func logSoftmax<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    var y = Tensor<S>(uninitialized: x.shape)
    S.logSoftmax(x.value.view, into: &y.target)
    guard let tape else { return Variable(y) }
    let place = x.place, kept = y
    return tape.record(y) { tape, dy in tape.addGradient(of: place, S.logSoftmaxBackward(kept, dy)) }
}

/// Softmax of each row.
package func softmax<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    var y = Tensor<S>(uninitialized: x.shape)
    S.softmax(x.value.view, into: &y.target)
    guard let tape else { return Variable(y) }
    let place = x.place, kept = y
    return tape.record(y) { tape, dy in tape.addGradient(of: place, S.softmaxBackward(kept, dy)) }
}
