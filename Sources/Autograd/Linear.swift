import Tensors

/// y = f(x Wᵀ + b).
///
/// - Parameters:
///   - x: `(n, inputs)`.
///   - weight: `(outputs, inputs)`.
///   - bias: `(outputs)` or none.
///   - activation: f.
///   - precision: what the product computes in when there is no tape; with one, the tape's own precision counts.
/// - Returns: `(n, outputs)`.
public func linear<S: TensorScalar>(
    _ x: Variable<S>, weight: Parameter<S>, bias: Parameter<S>?, activation: Activation = .identity,
    precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let rows = x.value.rows, inputs = weight.value.columns, outputs = weight.value.rows
    precondition(x.value.columns == inputs, "a linear layer of \(inputs) inputs got \(x.shape)")
    guard let tape else {
        let packed = weight.packed(precision)
        var y = Tensor<S>(uninitialized: [rows, outputs])
        x.value.withUnsafeElements { x in
            withOptionalElements(bias?.value) { bias in
                y.withUnsafeMutableElements { S.multiply(x, rows: rows, by: packed, bias: bias, activation: activation, into: $0) }
            }
        }
        return Variable(y)
    }

    let operand = ProductOperand(x.value, precision: tape.precision)
    var product = Tensor<S>(uninitialized: [rows, outputs])
    operand.withOperand { x in
        withOptionalElements(bias?.value) { bias in
            product.withUnsafeMutableElements { S.multiply(operand: x, rows: rows, by: weight.packed(tape.precision), bias: bias, into: $0) }
        }
    }
    let place = x.place
    guard activation != .identity else {
        return tape.record(product) { tape, gradient in
            linearBackward(gradient, input: operand, weight: weight, bias: bias, addingTo: place, tape)
        }
    }
    var y = Tensor<S>(uninitialized: product.shape)
    product.withUnsafeElements { from in y.withUnsafeMutableElements { S.activate(activation, from, count: rows * outputs, into: $0) } }
    let before = product
    return tape.record(y) { tape, gradient in
        var dz = Tensor<S>(shape: before.shape)
        before.withUnsafeElements { z in
            gradient.withUnsafeElements { dy in
                dz.withUnsafeMutableElements { S.activateBackward(activation, z, dy, count: rows * outputs, addingTo: $0) }
            }
        }
        linearBackward(dz, input: operand, weight: weight, bias: bias, addingTo: place, tape)
    }
}

/// Gradients of bias, weight and input of x Wᵀ + b from that of its result.
private func linearBackward<S: TensorScalar>(
    _ dy: Tensor<S>, input: ProductOperand<S>, weight: Parameter<S>, bias: Parameter<S>?, addingTo place: Place, _ tape: Tape<S>
) {
    let rows = dy.rows, inputs = weight.value.columns, outputs = weight.value.rows
    if let bias {
        dy.withUnsafeElements { dy in
            tape.addGradient(of: bias) { S.addColumnSums(dy, rows: rows, columns: outputs, to: $0) }
        }
    }
    let operand = ProductOperand(dy, precision: tape.precision)
    operand.withOperand { dy in
        input.withOperand { x in
            tape.addGradient(of: weight) { dw, isFirst in
                addTransposedProduct(dy, columns: outputs, x, columns: inputs, rows: rows, to: dw, overwriting: isFirst,
                                     of: S.self, precision: tape.precision)
            }
        }
        guard place.isRecorded else { return }
        var dx = Tensor<S>(uninitialized: [rows, inputs])
        dx.withUnsafeMutableElements {
            S.multiply(operand: dy, rows: rows, by: weight.packed(tape.precision, transposed: true), bias: nil, into: $0)
        }
        tape.addGradient(of: place, dx)
    }
}

/// The two linear layers of a Transformer block with the nonlinearity between them: f(x W₁ᵀ + b₁) W₂ᵀ + b₂.
///
/// The same numbers as two calls of `linear`, in blocks of rows small enough that the wide middle stays in the cache. Of the middle only
/// x W₁ᵀ + b₁ is kept for the derivative, which computes f and f′ from it in one pass.
///
/// - Parameters:
///   - x: `(n, inputs)`.
///   - up: `(hidden, inputs)`; upBias: `(hidden)`.
///   - down: `(outputs, hidden)`; downBias: `(outputs)`.
///   - precision: as in `linear`.
/// - Returns: `(n, outputs)`.
public func feedForward<S: TensorScalar>(
    _ x: Variable<S>, up: Parameter<S>, upBias: Parameter<S>?, activation: Activation, down: Parameter<S>, downBias: Parameter<S>?,
    precision: Precision = .f32, on tape: Tape<S>?
) -> Variable<S> {
    let rows = x.value.rows, inputs = up.value.columns, hidden = up.value.rows, outputs = down.value.rows
    precondition(x.value.columns == inputs && down.value.columns == hidden,
                 "feed-forward weights \(up.shape) and \(down.shape) got \(x.shape)")
    guard let tape else {
        let y = feedForward(x.value, up: up, upBias: upBias, activation: activation, gated: false, down: down, downBias: downBias, precision: precision)
        return Variable(y)
    }
    let precision = tape.precision
    let size = S.operandStride(precision), block = 128
    let first = up.packed(precision), second = down.packed(precision)
    let operand = ProductOperand(x.value, precision: precision)
    var y = Tensor<S>(uninitialized: [rows, outputs])
    var middle = Tensor<S>(uninitialized: [rows, hidden])
    operand.withOperand { x in
        withOptionalElements(upBias?.value) { upBias in
            withOptionalElements(downBias?.value) { downBias in
                y.withUnsafeMutableElements { y in
                    middle.withUnsafeMutableElements { middle in
                        Scratch.with(S.self, count: block * hidden) { active in
                            Scratch.with(UInt8.self, count: block * hidden * size) { halves in
                                for start in stride(from: 0, to: rows, by: block) {
                                    let count = min(block, rows - start)
                                    let z = middle + start * hidden
                                    S.multiply(operand: x + start * inputs * size, rows: count, by: first, bias: upBias, into: z)
                                    S.activate(activation, z, count: count * hidden, into: active)
                                    let input = UnsafeRawPointer.operand(active, count: count * hidden, precision, halves)
                                    S.multiply(operand: input, rows: count, by: second, bias: downBias, into: y + start * outputs)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    let place = x.place, before = middle
    return tape.record(y) { tape, gradient in
        if let downBias {
            gradient.withUnsafeElements { dy in
                tape.addGradient(of: downBias) { S.addColumnSums(dy, rows: rows, columns: outputs, to: $0) }
            }
        }
        let dyOperand = ProductOperand(gradient, precision: precision)
        var dx = Tensor<S>(uninitialized: [place.isRecorded ? rows : 0, inputs])
        let downBack = down.packed(precision, transposed: true)
        let upBack = place.isRecorded ? up.packed(precision, transposed: true) : nil
        let block = 256
        dyOperand.withOperand { dy in
            operand.withOperand { x in
                before.withUnsafeElements { z in
                    dx.withUnsafeMutableElements { dx in
                        Scratch.with(S.self, count: 2 * block * hidden) { scratch in
                            Scratch.with(UInt8.self, count: 2 * block * hidden * size) { halves in
                                let active = scratch, dz = scratch + block * hidden
                                for start in stride(from: 0, to: rows, by: block) {
                                    let count = min(block, rows - start), elements = count * hidden
                                    let dyPart = dy + start * outputs * size, xPart = x + start * inputs * size
                                    S.multiply(operand: dyPart, rows: count, by: downBack, bias: nil, into: dz)
                                    S.activateBoth(activation, z + start * hidden, dz, count: elements, into: active, dz)
                                    if let upBias { tape.addGradient(of: upBias) { S.addColumnSums(dz, rows: count, columns: hidden, to: $0) } }
                                    let f = UnsafeRawPointer.operand(active, count: elements, precision, halves)
                                    tape.addGradient(of: down) { dw, isFirst in
                                        addTransposedProduct(dyPart, columns: outputs, f, columns: hidden, rows: count, to: dw,
                                                             overwriting: isFirst, of: S.self, precision: precision)
                                    }
                                    let dzOperand = UnsafeRawPointer.operand(dz, count: elements, precision, halves + block * hidden * size)
                                    tape.addGradient(of: up) { dw, isFirst in
                                        addTransposedProduct(dzOperand, columns: hidden, xPart, columns: inputs, rows: count, to: dw,
                                                             overwriting: isFirst, of: S.self, precision: precision)
                                    }
                                    if let upBack { S.multiply(operand: dzOperand, rows: count, by: upBack, bias: nil, into: dx + start * inputs) }
                                }
                            }
                        }
                    }
                }
            }
        }
        tape.addGradient(of: place, dx)
    }
}

/// Feed-forward layers without a tape, in any precision.
///
/// - Parameter gated: `up` makes twice as many columns as `down` takes: those that go through f, then those they are multiplied with.
package func feedForward<S: TensorScalar>(
    _ x: Tensor<S>, up: Parameter<S>, upBias: Parameter<S>?, activation: Activation, gated: Bool, down: Parameter<S>, downBias: Parameter<S>?,
    precision: Precision
) -> Tensor<S> {
    let first = up.packed(precision), second = down.packed(precision)
    precondition(x.columns == first.inputs && second.inputs * (gated ? 2 : 1) == first.outputs,
                 "feed-forward weights \(up.shape) and \(down.shape) got \(x.shape)")
    var y = Tensor<S>(uninitialized: [x.rows, second.outputs])
    let rows = x.rows
    x.withUnsafeElements { x in
        withOptionalElements(upBias?.value) { upBias in
            withOptionalElements(downBias?.value) { downBias in
                y.withUnsafeMutableElements {
                    S.feedForward(x, rows: rows, up: first, upBias: upBias, activation: activation, gated: gated, down: second, downBias: downBias, into: $0)
                }
            }
        }
    }
    return y
}

extension UnsafeRawPointer {
    /// Values as an operand: themselves, or rounded into `halves`.
    fileprivate static func operand<S: TensorScalar>(
        _ values: UnsafePointer<S>, count: Int, _ precision: Precision, _ halves: UnsafeMutableRawPointer
    ) -> UnsafeRawPointer {
        guard S.operandStride(precision) != MemoryLayout<S>.stride else { return UnsafeRawPointer(values) }
        S.convertOperand(values, count: count, precision: precision, into: halves)
        return UnsafeRawPointer(halves)
    }
}

/// c (a columns, b columns) += aᵀ b, where a and b are operands (`convertOperand`) of `rows` rows; `overwriting` sets c instead.
///
/// Rows are taken in blocks of a few fixed heights, the last one filled up with zeros, so that oneDNN makes few kernels for a layer and
/// not one for every number of tokens.
package func addTransposedProduct<S: TensorScalar>(
    _ a: UnsafeRawPointer, columns aColumns: Int, _ b: UnsafeRawPointer, columns bColumns: Int, rows: Int,
    to c: UnsafeMutablePointer<S>, overwriting: Bool = false, of type: S.Type, precision: Precision
) {
    let block = 256, size = S.operandStride(precision)
    var overwriting = overwriting
    func add(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, height: Int) {
        S.product(operand: a, transposed: true, operand: b, transposed: false, m: aColumns, n: bColumns, k: height, lda: aColumns, ldb: bColumns,
                  into: c, ldc: bColumns, accumulate: !overwriting, precision: precision)
        overwriting = false
    }
    let whole = rows / block * block
    for first in stride(from: 0, to: whole, by: block) { add(a + first * aColumns * size, b + first * bColumns * size, height: block) }
    let left = rows - whole
    guard left > 0 else {
        if overwriting { S.fill(c, with: 0, count: aColumns * bColumns) }
        return
    }
    let height = (left + 63) / 64 * 64
    if left == height { return add(a + whole * aColumns * size, b + whole * bColumns * size, height: height) }
    // The zero bits are the number zero in every operand type.
    Scratch.with(UInt8.self, count: height * (aColumns + bColumns) * size) { scratch in
        func filledUp(_ source: UnsafeRawPointer, _ columns: Int, into target: UnsafeMutablePointer<UInt8>) {
            let bytes = left * columns * size
            UnsafeMutableRawPointer(target).copyMemory(from: source + whole * columns * size, byteCount: bytes)
            (target + bytes).update(repeating: 0, count: height * columns * size - bytes)
        }
        let lastB = scratch + height * aColumns * size
        filledUp(a, aColumns, into: scratch)
        filledUp(b, bColumns, into: lastB)
        add(scratch, lastB, height: height)
    }
}

/// Calls `body` with the elements of a tensor that may not be there.
package func withOptionalElements<S: TensorScalar, Result>(_ tensor: Tensor<S>?, _ body: (UnsafePointer<S>?) -> Result) -> Result {
    if let tensor { tensor.withUnsafeElements { body($0) } } else { body(nil) }
}
