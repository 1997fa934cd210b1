import Tensors

/// −log softmax(x)[target] of each row, as `torch.nn.functional.cross_entropy(reduction="none")`.
///
/// - Parameters:
///   - logits: `(n, classes)`.
///   - targets: n classes; a negative one is left out: its loss is 0 and nothing flows back.
///   - smoothing: ε of label smoothing (Szegedy et al. 2016): the target has 1 − ε + ε / classes, the others ε / classes.
/// - Returns: `(n)`.
public func crossEntropy<S: TensorScalar>(
    _ logits: Variable<S>, targets: [Int32], smoothing: S = 0, on tape: Tape<S>?
) -> Variable<S> {
    let rows = logits.value.rows, classes = logits.value.columns
    precondition(targets.count == rows && targets.allSatisfy { $0 < classes }, "\(targets.count) targets for logits \(logits.shape)")
    var losses = Tensor<S>(uninitialized: [rows])
    var slopes = Tensor<S>(uninitialized: [tape == nil ? 0 : rows, classes])
    logits.value.withUnsafeElements { x in
        losses.withUnsafeMutableElements { losses in
            slopes.withUnsafeMutableElements { slopes in
                S.crossEntropy(x, rows: rows, columns: classes, targets: targets, smoothing: smoothing, loss: losses,
                               gradient: tape == nil ? nil : slopes)
            }
        }
    }
    guard let tape else { return Variable(losses) }
    let place = logits.place, kept = slopes
    return tape.record(losses) { tape, gradient in
        var dx = kept
        gradient.withUnsafeElements { g in
            dx.withUnsafeMutableElements { dx in for r in 0..<rows { S.scale(dx + r * classes, by: g[r], count: classes) } }
        }
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
public func linearCrossEntropy<S: TensorScalar>(
    _ x: Variable<S>, weight: Parameter<S>, bias: Parameter<S>?, targets: [Int32], smoothing: S = 0, divisor: S,
    precision: Precision = .f32, on tape: Tape<S>?
) -> (loss: Variable<S>, correct: Int) {
    let rows = x.value.rows, size = x.value.columns, classes = weight.value.rows
    precondition(weight.value.columns == size && targets.count == rows && targets.allSatisfy { $0 < classes })
    let precision = tape?.precision ?? precision
    let forward = weight.packed(precision)
    let backward = tape.map { $0.follows(x) ? weight.packed(precision, transposed: true) : nil } ?? nil
    let operand = ProductOperand(x.value, precision: precision)
    let stride = S.operandStride(precision)
    let block = min(256, max(64, rows))
    var total = 0.0
    var correct = 0
    var dx = Tensor<S>(uninitialized: [backward == nil ? 0 : rows, size])
    // Gradients of this call alone; they wait for the factor that comes from above, which is 1 where the loss is the end.
    var dw = Tensor<S>(shape: [tape != nil && weight.isTrainable ? classes : 0, size])
    var db = Tensor<S>(shape: [tape != nil && bias?.isTrainable == true ? classes : 0])
    let wantsWeights = dw.count > 0, wantsBias = db.count > 0
    Scratch.with(S.self, count: block * (classes + 1)) { logits in
        Scratch.with(UInt8.self, count: block * classes * stride) { halves in
            let losses = logits + block * classes
            operand.withOperand { x in
                withOptionalElements(bias?.value) { bias in
                    for first in Swift.stride(from: 0, to: rows, by: block) {
                        let count = min(block, rows - first)
                        S.multiply(operand: x + first * size * stride, rows: count, by: forward, bias: bias, into: logits)
                        for r in 0..<count where targets[first + r] >= 0 {
                            if S.indexOfLargest(logits + r * classes, count: classes) == Int(targets[first + r]) { correct += 1 }
                        }
                        targets.withUnsafeBufferPointer {
                            S.crossEntropy(logits, rows: count, columns: classes, targets: $0.baseAddress! + first, smoothing: smoothing,
                                           loss: losses, gradient: tape == nil ? nil : logits)
                        }
                        for r in 0..<count { total += Double(losses[r]) }
                        guard tape != nil else { continue }
                        S.scale(logits, by: 1 / divisor, count: count * classes)
                        if wantsBias { db.withUnsafeMutableElements { S.addColumnSums(logits, rows: count, columns: classes, to: $0) } }
                        var slopes = UnsafeRawPointer(logits)
                        if stride != MemoryLayout<S>.stride {
                            S.convertOperand(logits, count: count * classes, precision: precision, into: halves)
                            slopes = UnsafeRawPointer(halves)
                        }
                        if wantsWeights {
                            dw.withUnsafeMutableElements {
                                addTransposedProduct(slopes, columns: classes, x + first * size * stride, columns: size, rows: count, to: $0,
                                                     overwriting: first == 0, of: S.self, precision: precision)
                            }
                        }
                        if let backward {
                            dx.withUnsafeMutableElements { S.multiply(operand: slopes, rows: count, by: backward, bias: nil, into: $0 + first * size) }
                        }
                    }
                }
            }
        }
    }
    let loss = Tensor<S>([S(total / Double(divisor))], shape: [1])
    guard let tape else { return (Variable(loss), correct) }
    let place = x.place
    var kept: (dx: Tensor<S>, dw: Tensor<S>, db: Tensor<S>)? = (dx, dw, db)
    return (tape.record(loss) { tape, gradient in
        guard var slopes = kept else { return }
        kept = nil
        let factor = gradient[0]
        func scale(_ tensor: inout Tensor<S>) {
            let count = tensor.count
            if factor != 1 && count > 0 { tensor.withUnsafeMutableElements { S.scale($0, by: factor, count: count) } }
        }
        scale(&slopes.dx)
        scale(&slopes.dw)
        scale(&slopes.db)
        if slopes.dw.count > 0 { tape.addGradient(of: weight, slopes.dw) }
        if slopes.db.count > 0, let bias { tape.addGradient(of: bias, slopes.db) }
        if place.isRecorded { tape.addGradient(of: place, slopes.dx) }
    }, correct)
}

/// log softmax of each row.
public func logSoftmax<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, columns = x.value.columns
    var result = Tensor<S>(uninitialized: x.shape)
    x.value.withUnsafeElements { x in
        result.withUnsafeMutableElements { y in
            S.logSoftmax(x, rows: rows, columns: columns, into: y)
        }
    }
    guard let tape else { return Variable(result) }
    let place = x.place, y = result
    return tape.record(result) { tape, gradient in
        var dx = gradient
        var softmax = [S](repeating: 0, count: columns)
        y.withUnsafeElements { y in
            dx.withUnsafeMutableElements { dx in
                for r in 0..<rows {
                    S.softmax(y + r * columns, rows: 1, columns: columns, into: &softmax)
                    let total = (0..<columns).reduce(S(0)) { $0 + dx[r * columns + $1] }
                    S.add(-total, times: softmax, count: columns, to: dx + r * columns)
                }
            }
        }
        tape.addGradient(of: place, dx)
    }
}

/// Softmax of each row.
public func softmax<S: TensorScalar>(_ x: Variable<S>, on tape: Tape<S>?) -> Variable<S> {
    let rows = x.value.rows, columns = x.value.columns
    var result = Tensor<S>(uninitialized: x.shape)
    x.value.withUnsafeElements { x in result.withUnsafeMutableElements { S.softmax(x, rows: rows, columns: columns, into: $0) } }
    guard let tape else { return Variable(result) }
    let place = x.place, y = result
    return tape.record(result) { tape, gradient in
        var dx = Tensor<S>(shape: y.shape)
        y.withUnsafeElements { y in
            gradient.withUnsafeElements { g in
                dx.withUnsafeMutableElements { dx in
                    for r in 0..<rows {
                        let row = y + r * columns, along = S(S.dot(row, g + r * columns, count: columns))
                        for c in 0..<columns { dx[r * columns + c] = row[c] * (g[r * columns + c] - along) }
                    }
                }
            }
        }
        tape.addGradient(of: place, dx)
    }
}
