// Matrix products as operations call them. Goals in order: the same row gives the same bits in every batch; speed; memory.
//
// Each number type has its own way (`ProductTable`): Float goes to oneDNN, one library thread per worker thread (COneDNN); Double goes to
// OpenBLAS, held to one thread too: with several, its sums are split by thread count.

/// A weight matrix prepared for repeated products: in oneDNN's own layout for `Float`, plain for `Double`.
package final class PackedMatrix<Scalar: TensorScalar>: @unchecked Sendable {
    // Sendable: everything is immutable after `init`, but for what lies behind `handle` and `plain`, which `repack` alone changes; its
    // caller holds the only reference then (`Parameter.giveBack` asks `isKnownUniquelyReferenced`), so there are no readers.
    /// Length of an input row.
    package let inputs: Int
    /// Length of an output row.
    package let outputs: Int
    /// What products with it compute in.
    package let precision: Precision
    let layout: MatrixLayout
    /// `kd_matrix` for Float, nil for Double.
    let handle: OpaquePointer?
    /// Row-major (inputs, outputs), for Double.
    let plain: TensorStorage<Scalar>?
    /// For int8: the value of one step in each output column, (outputs).
    let scales: TensorStorage<Float>?
    /// For int8: the sum of each column of the weights as their integers stand for them, (outputs).
    let columnSums: TensorStorage<Float>?
    /// Whoever keeps the memory of a matrix that was mapped.
    private let owner: AnyObject?
    /// True for a matrix that lies in a file: it cannot take other values.
    package var isView: Bool { owner != nil }

    init(
        _ layout: MatrixLayout, precision: Precision, handle: OpaquePointer? = nil, plain: TensorStorage<Scalar>? = nil,
        scales: TensorStorage<Float>? = nil, columnSums: TensorStorage<Float>? = nil, owner: AnyObject? = nil
    ) {
        inputs = layout.inputs
        outputs = layout.outputs
        self.layout = layout
        self.precision = precision
        self.handle = handle
        self.plain = plain
        self.scales = scales
        self.columnSums = columnSums
        self.owner = owner
    }

    deinit { releasePacked(handle) }
}

/// Where the elements of a weight matrix lie: (input, output) at `input × inputStride + output × outputStride`.
struct MatrixLayout: Sendable {
    var inputs: Int
    var outputs: Int
    var inputStride: Int
    var outputStride: Int

    /// Every element lies within this reach, whatever the strides.
    var reach: Int { inputs == 0 || outputs == 0 ? 0 : (inputs - 1) * inputStride + (outputs - 1) * outputStride + 1 }
}

/// c (m, n) = op(a) · op(b) [+ c]; a transposed operand lies in memory as its transpose, with rows `aStride` or `bStride` apart.
struct ProductShape: Sendable {
    var m: Int
    var n: Int
    var k: Int
    var aTransposed = false
    var bTransposed = false
    var aStride: Int
    var bStride: Int
    var cStride: Int
    var accumulates = false
}

/// How a number type multiplies.
struct ProductTable<S: TensorScalar>: Sendable {
    typealias In = UnsafePointer<S>
    typealias Out = UnsafeMutablePointer<S>

    let pack: @Sendable (In, MatrixLayout, Precision) -> PackedMatrix<S>
    /// Puts new values, lying as they did for `pack`, into a matrix's layout.
    let repack: @Sendable (PackedMatrix<S>, In) -> Void
    /// y (rows, outputs) = x (rows, inputs) · matrix + bias, x being of the type that `ProductOperand` makes for the matrix's precision.
    let multiply: @Sendable (UnsafeRawPointer, Int, PackedMatrix<S>, In?, Out) -> Void
    /// a and b are operands of the precision.
    let product: @Sendable (ProductShape, UnsafeRawPointer, UnsafeRawPointer, Out, Precision) -> Void
    /// y = f(x · matrix + bias) in 8-bit integers; nil if the type has none.
    let multiplyQuantized: (@Sendable (In, Int, PackedMatrix<S>, In?, Activation, Out) -> Void)?
    let feedForwardQuantized: (@Sendable (In, Int, FeedForwardWeights<S>, Out) -> Void)?
}

/// The weights of f(x W₁ + b₁) W₂ + b₂, or with a gate of (f(left half) ∘ right half of x W₁ + b₁) W₂ + b₂.
package struct FeedForwardWeights<Scalar: TensorScalar>: Sendable {
    package let up: PackedMatrix<Scalar>
    package let upBias: Tensor<Scalar>?
    package let activation: Activation
    package let isGated: Bool
    package let down: PackedMatrix<Scalar>
    package let downBias: Tensor<Scalar>?

    package init(
        up: PackedMatrix<Scalar>, upBias: Tensor<Scalar>?, activation: Activation, isGated: Bool, down: PackedMatrix<Scalar>,
        downBias: Tensor<Scalar>?
    ) {
        precondition(down.inputs * (isGated ? 2 : 1) == up.outputs, "\(up.outputs) outputs do not fit \(down.inputs) inputs")
        precondition((upBias == nil || upBias!.count == up.outputs) && (downBias == nil || downBias!.count == down.outputs))
        self.up = up
        self.upBias = upBias
        self.activation = activation
        self.isGated = isGated
        self.down = down
        self.downBias = downBias
    }
}

/// Two tiles of 64 rows: a middle layer of 1,536 columns in f32 then still fits the second-level cache.
private let blockRows = 128

extension TensorScalar {
    // MARK: Packing

    /// The matrix that takes `(n, inputs)` to `(n, outputs)`, from weights `(outputs, inputs)`; `transposed` takes outputs back to inputs.
    package static func pack(_ weights: MatrixView<Self>, transposed: Bool = false, precision: Precision) -> PackedMatrix<Self> {
        let layout =
            transposed
            ? MatrixLayout(inputs: weights.rows, outputs: weights.columns, inputStride: weights.stride, outputStride: 1)
            : MatrixLayout(inputs: weights.columns, outputs: weights.rows, inputStride: 1, outputStride: weights.stride)
        return kernels.products.pack(weights.start, layout, precision)
    }

    /// Puts the new values of the same weights into their layout, reusing its memory.
    ///
    /// - Precondition: the caller's reference is the only one.
    package static func repack(_ matrix: inout PackedMatrix<Self>, _ weights: MatrixView<Self>) {
        precondition(isKnownUniquelyReferenced(&matrix), "a matrix that others may be multiplying by does not change")
        precondition(weights.count == matrix.inputs * matrix.outputs)
        kernels.products.repack(matrix, weights.elements)
    }

    // MARK: By packed weights

    /// y = x W + b.
    package static func multiply(
        _ x: ProductOperand<Self>, by matrix: PackedMatrix<Self>, plus bias: MatrixView<Self>? = nil, into y: inout MutableMatrixView<Self>
    ) {
        precondition(x.columns == matrix.inputs && y.rows == x.rows && y.columns == matrix.outputs)
        precondition(bias == nil || bias!.count == matrix.outputs)
        guard x.rows > 0 else { return }
        guard matrix.precision != .int8 || kernels.products.multiplyQuantized == nil else {
            guard let exact = x.exact else { preconditionFailure("an int8 product takes floats and rounds them itself") }
            return multiply(exact, by: matrix, plus: bias, activation: .identity, into: &y)
        }
        precondition(x.halves == nil || matrix.precision == .bf16)
        precondition(x.exact == nil || Self.self != Float.self || matrix.precision == .f32)
        kernels.products.multiply(x.start, x.rows, matrix, bias?.elements, y.elements)
    }

    /// y = f(x W + b), the way that inference is fastest: in blocks of rows so small that what lies between stays in the cache.
    package static func multiply(
        _ x: MatrixView<Self>, by matrix: PackedMatrix<Self>, plus bias: MatrixView<Self>?, activation: Activation,
        into y: inout MutableMatrixView<Self>
    ) {
        precondition(x.columns == matrix.inputs && y.rows == x.rows && y.columns == matrix.outputs)
        precondition(bias == nil || bias!.count == matrix.outputs)
        if matrix.precision == .int8, let multiplyQuantized = kernels.products.multiplyQuantized {
            return multiplyQuantized(x.elements, x.rows, matrix, bias?.elements, activation, y.elements)
        }
        for range in Parallel.chunks(x.rows, size: activation == .identity ? max(1, x.rows) : blockRows) {
            let operand = ProductOperand(x[rows: range], precision: matrix.precision)
            let part = y.elements + range.lowerBound * matrix.outputs
            kernels.products.multiply(operand.start, range.count, matrix, bias?.elements, part)
            if activation != .identity { kernels.c.activate(activation.kernel, part, Int64(range.count * matrix.outputs), part) }
        }
    }

    /// y = f(x W₁ + b₁) W₂ + b₂, the way that inference is fastest.
    package static func feedForward(_ x: MatrixView<Self>, _ weights: FeedForwardWeights<Self>, into y: inout MutableMatrixView<Self>) {
        let up = weights.up, down = weights.down
        precondition(x.columns == up.inputs && y.rows == x.rows && y.columns == down.outputs)
        if up.precision == .int8, down.precision == .int8, let feedForwardQuantized = kernels.products.feedForwardQuantized {
            return feedForwardQuantized(x.elements, x.rows, weights, y.elements)
        }
        var wide = Tensor<Self>(uninitialized: [blockRows, up.outputs])
        var halved = Tensor<Self>(uninitialized: [weights.isGated ? blockRows : 0, down.inputs])
        for range in Parallel.chunks(x.rows, size: blockRows) {
            let rows = 0..<range.count
            multiply(x[rows: range], by: up, plus: weights.upBias?.view, activation: .identity, into: &wide[rows: rows])
            if weights.isGated {
                gate(weights.activation, wide.view[rows: rows], into: &halved[rows: rows])
            } else {
                activate(weights.activation, inPlace: &wide[rows: rows])
            }
            var part = y.part(range)
            multiply(
                (weights.isGated ? halved : wide).view[rows: rows], by: down, plus: weights.downBias?.view, activation: .identity,
                into: &part)
        }
    }

    // MARK: Of two matrices

    /// c = op(a) · op(b) [+ c], either transposed first.
    package static func product(
        _ a: MatrixView<Self>, transposed aTransposed: Bool = false, _ b: MatrixView<Self>, transposed bTransposed: Bool = false,
        into c: inout MutableMatrixView<Self>, accumulating: Bool = false, precision: Precision = .f32
    ) {
        let m = aTransposed ? a.columns : a.rows, k = aTransposed ? a.rows : a.columns, n = bTransposed ? b.rows : b.columns
        precondition(
            k == (bTransposed ? b.columns : b.rows) && c.rows == m && c.columns == n,
            "(\(a.rows), \(a.columns)) and (\(b.rows), \(b.columns)) do not multiply to (\(c.rows), \(c.columns))")
        product(
            a.start, transposed: aTransposed, b.start, transposed: bTransposed, m: m, n: n, k: k, lda: a.stride, ldb: b.stride,
            into: c.start, ldc: c.stride, accumulate: accumulating, precision: precision)
    }

    /// c (a columns, b columns) += aᵀ b; `overwriting` sets c instead.
    ///
    /// Rows are taken in blocks of a few fixed heights, the last one filled up with zeros, so that oneDNN makes few kernels for a layer
    /// and not one for every number of tokens.
    package static func addTransposedProduct(
        _ a: ProductOperand<Self>, _ b: ProductOperand<Self>, to c: inout MutableMatrixView<Self>, overwriting: Bool = false
    ) {
        precondition(a.rows == b.rows && c.rows == a.columns && c.columns == b.columns && a.precision == b.precision)
        let block = 256, whole = a.rows / block * block, left = a.rows - whole
        let out = c.elements
        var overwriting = overwriting
        func add(_ a: ProductOperand<Self>, _ b: ProductOperand<Self>) {
            let shape = ProductShape(
                m: a.columns, n: b.columns, k: a.rows, aTransposed: true, aStride: a.columns, bStride: b.columns,
                cStride: b.columns, accumulates: !overwriting)
            if shape.m > 0, shape.n > 0 { kernels.products.product(shape, a.start, b.start, out, a.precision) }
            overwriting = false
        }
        for first in stride(from: 0, to: whole, by: block) { add(a[rows: first..<first + block], b[rows: first..<first + block]) }
        guard left > 0 else {
            if overwriting { fill(&c, with: 0) }
            return
        }
        let height = (left + 63) / 64 * 64
        add(a[rows: whole..<a.rows].filledUp(to: height), b[rows: whole..<b.rows].filledUp(to: height))
    }
}

extension MutableMatrixView {
    /// Some of its rows; the caller uses the view itself again only when it is done with them.
    func part(_ range: Range<Int>) -> MutableMatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return MutableMatrixView(storage, offset: offset + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }
}

/// a · b of matrices (m, k) and (k, n), either transposed first.
package func matrixProduct<S: TensorScalar>(
    _ a: Tensor<S>, transposed aTransposed: Bool = false, _ b: Tensor<S>, transposed bTransposed: Bool = false, precision: Precision = .f32
) -> Tensor<S> {
    let m = aTransposed ? a.columns : a.rows, k = aTransposed ? a.rows : a.columns
    let n = bTransposed ? b.rows : b.columns
    precondition(k == (bTransposed ? b.columns : b.rows), "shapes \(a.shape) and \(b.shape) do not multiply")
    if k == 0 { return Tensor(shape: [m, n]) }
    var c = Tensor<S>(uninitialized: [m, n])
    S.product(a.view, transposed: aTransposed, b.view, transposed: bTransposed, into: &c.target, precision: precision)
    return c
}
