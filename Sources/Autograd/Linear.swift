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
    let packed = weight.packed(tape?.precision ?? precision)
    var product = Tensor<S>(uninitialized: [rows, outputs])
    x.value.withUnsafeElements { x in
        withOptionalElements(bias?.value) { bias in
            product.withUnsafeMutableElements { y in
                guard tape == nil && activation != .identity else {
                    S.multiply(x, rows: rows, by: packed, bias: bias, into: y)
                    return
                }
                // A few tiles at a time, so that the activation finds the products still in the cache.
                let block = 128
                for first in stride(from: 0, to: rows, by: block) {
                    let count = min(block, rows - first), part = y + first * outputs
                    S.multiply(x + first * inputs, rows: count, by: packed, bias: bias, into: part)
                    S.activate(activation, part, count: count * outputs, into: part)
                }
            }
        }
    }
    guard let tape else { return Variable(product) }
    return recordLinear(x, weight, bias, activation, product, tape)
}

private func recordLinear<S: TensorScalar>(
    _ x: Variable<S>, _ weight: Parameter<S>, _ bias: Parameter<S>?, _ activation: Activation, _ product: Tensor<S>, _ tape: Tape<S>
) -> Variable<S> {
    let rows = x.value.rows, inputs = weight.value.columns, outputs = weight.value.rows
    var y = product
    if activation != .identity {
        y = Tensor(uninitialized: product.shape)
        product.withUnsafeElements { from in y.withUnsafeMutableElements { S.activate(activation, from, count: rows * outputs, into: $0) } }
    }
    return tape.record(y) { tape, gradient in
        var dy = gradient
        if activation != .identity {
            dy = Tensor(shape: product.shape)
            product.withUnsafeElements { z in
                gradient.withUnsafeElements { g in
                    dy.withUnsafeMutableElements { S.activateBackward(activation, z, g, count: rows * outputs, addingTo: $0) }
                }
            }
        }
        dy.withUnsafeElements { dy in
            if let bias {
                tape.addGradient(of: bias) { S.addColumnSums(dy, rows: rows, columns: outputs, to: $0) }
            }
            x.value.withUnsafeElements { x in
                tape.addGradient(of: weight) {
                    addTransposedProduct(dy, columns: outputs, x, columns: inputs, rows: rows, to: $0, precision: tape.precision)
                }
            }
            if tape.follows(x) {
                var dx = Tensor<S>(uninitialized: x.shape)
                dx.withUnsafeMutableElements {
                    S.multiply(dy, rows: rows, by: weight.packed(tape.precision, transposed: true), bias: nil, into: $0)
                }
                tape.addGradient(of: x, dx)
            }
        }
    }
}

/// c (a columns, b columns) += aᵀ b, where a and b have `rows` rows.
///
/// Rows are taken in blocks of one fixed height, the last one filled up with zeros, so that oneDNN makes one kernel for a layer and not one
/// for every number of tokens.
package func addTransposedProduct<S: TensorScalar>(
    _ a: UnsafePointer<S>, columns aColumns: Int, _ b: UnsafePointer<S>, columns bColumns: Int, rows: Int,
    to c: UnsafeMutablePointer<S>, precision: Precision
) {
    let block = 256
    func add(_ a: UnsafePointer<S>, _ b: UnsafePointer<S>, height: Int) {
        S.product(a, transposed: true, b, transposed: false, m: aColumns, n: bColumns, k: height, lda: aColumns, ldb: bColumns,
                  into: c, ldc: bColumns, accumulate: true, precision: precision)
    }
    let whole = rows / block * block
    for first in stride(from: 0, to: whole, by: block) { add(a + first * aColumns, b + first * bColumns, height: block) }
    let left = rows - whole
    guard left > 0 else { return }
    let height = left <= 64 ? 64 : block
    Scratch.with(S.self, count: height * (aColumns + bColumns)) { scratch in
        let lastA = scratch, lastB = scratch + height * aColumns
        lastA.update(from: a + whole * aColumns, count: left * aColumns)
        (lastA + left * aColumns).update(repeating: 0, count: (height - left) * aColumns)
        lastB.update(from: b + whole * bColumns, count: left * bColumns)
        (lastB + left * bColumns).update(repeating: 0, count: (height - left) * bColumns)
        add(lastA, lastB, height: height)
    }
}

/// Calls `body` with the elements of a tensor that may not be there.
package func withOptionalElements<S: TensorScalar, Result>(_ tensor: Tensor<S>?, _ body: (UnsafePointer<S>?) -> Result) -> Result {
    if let tensor { tensor.withUnsafeElements { body($0) } } else { body(nil) }
}
