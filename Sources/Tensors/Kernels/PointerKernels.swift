// The few kernels that rooms above still call over pointers of their own (blocks of a file, tiles of scores); row-major and contiguous.
// Whoever calls them answers for the lifetime. Operations of networks go through views instead.

extension TensorScalar {
    package typealias Input = UnsafePointer<Self>
    package typealias Output = UnsafeMutablePointer<Self>

    package static func fill(_ x: Output, with value: Self, count: Int) { kernels.c.fill(value, Int64(count), x) }
    /// y += x
    package static func add(_ x: Input, count: Int, to y: Output) { kernels.c.add(x, Int64(count), y) }
    /// y += a x
    package static func add(_ a: Self, times x: Input, count: Int, to y: Output) { kernels.c.addScaled(a, x, Int64(count), y) }
    /// y += a ∘ b
    package static func addProduct(_ a: Input, _ b: Input, count: Int, to y: Output) { kernels.c.addProduct(a, b, Int64(count), y) }
    /// x *= a
    package static func scale(_ x: Output, by a: Self, count: Int) { kernels.c.scale(a, Int64(count), x) }
    /// Σ x y, summed in Double.
    package static func dot(_ x: Input, _ y: Input, count: Int) -> Double { kernels.c.dot(x, y, Int64(count)) }
    package static func allFinite(_ x: Input, count: Int) -> Bool { kernels.c.allFinite(x, Int64(count)) != 0 }
    package static func addColumnSums(_ x: Input, rows: Int, columns: Int, to sums: Output) {
        kernels.c.addColumnSums(x, Int64(rows), Int64(columns), sums)
    }
    package static func addRowVector(_ vector: Input, rows: Int, columns: Int, to x: Output) {
        kernels.c.addRowVector(vector, Int64(rows), Int64(columns), x)
    }
    /// Places of the largest values, largest first, of equals the first.
    package static func largest(_ x: Input, count: Int, wanted: Int) -> [Int] {
        var places = [Int64](repeating: 0, count: wanted)
        let found = Int(kernels.c.largest(x, Int64(count), Int64(wanted), &places))
        return places.prefix(found).map(Int.init)
    }

    /// Packs a weight matrix, element (input, output) at `source[input * inputStride + output * outputStride]`.
    package static func pack(
        _ source: Input, inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision
    ) -> PackedMatrix<Self> {
        kernels.products.pack(
            source, MatrixLayout(inputs: inputs, outputs: outputs, inputStride: inputStride, outputStride: outputStride), precision)
    }

    /// Puts another matrix of the same shape and strides in this one's place, without new memory.
    ///
    /// - Precondition: the caller's reference is the only one.
    package static func repack(_ matrix: inout PackedMatrix<Self>, _ source: Input) {
        precondition(isKnownUniquelyReferenced(&matrix), "a matrix that others may be multiplying by does not change")
        kernels.products.repack(matrix, source)
    }

    /// y (rows, outputs) = x (rows, inputs) · matrix + bias, in f32 or int8.
    package static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Self>, bias: Input?, into y: Output) {
        precondition(matrix.precision != .bf16)
        if matrix.precision == .int8, let multiplyQuantized = kernels.products.multiplyQuantized {
            multiplyQuantized(x, rows, matrix, bias, .identity, y)
        } else if rows > 0 {
            kernels.products.multiply(UnsafeRawPointer(x), rows, matrix, bias, y)
        }
    }

    /// c (m, n) = op(a) · op(b) [+ c], a transposed operand lying in memory as its transpose.
    package static func product(
        _ a: Input, transposed aTransposed: Bool, _ b: Input, transposed bTransposed: Bool, m: Int, n: Int, k: Int, lda: Int, ldb: Int,
        into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    ) {
        guard m > 0, n > 0 else { return }
        let shape = ProductShape(
            m: m, n: n, k: k, aTransposed: aTransposed, bTransposed: bTransposed, aStride: lda, bStride: ldb,
            cStride: ldc, accumulates: accumulate)
        guard precision == .bf16, Self.self == Float.self else {
            return kernels.products.product(shape, UnsafeRawPointer(a), UnsafeRawPointer(b), c, .f32)
        }
        func floats(_ x: Input) -> UnsafePointer<Float> { UnsafeRawPointer(x).assumingMemoryBound(to: Float.self) }
        withHalves(of: floats(a), count: (aTransposed ? k : m) * lda) { a in
            withHalves(of: floats(b), count: (bTransposed ? n : k) * ldb) { b in
                kernels.products.product(shape, UnsafeRawPointer(a), UnsafeRawPointer(b), c, .bf16)
            }
        }
    }

    /// The loss of a structural probe over one sentence, and the gradient of `projected` (words, rank).
    package static func probeLoss(
        ofDistances: Bool, _ projected: Input, words: Int, rank: Int, gold: UnsafePointer<Float>, weight: Self, gradient: Output?
    ) -> Double {
        (ofDistances ? kernels.c.probeDistanceLoss : kernels.c.probeDepthLoss)(projected, Int64(words), Int64(rank), gold, weight, gradient)
    }
}
