// Kernels that go from element to element, and copies.

extension TensorScalar {
    /// y = f(x).
    package static func activate(_ kind: Activation, _ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>) {
        precondition(x.count == y.count)
        kernels.c.activate(kind.kernel, x.elements, Int64(x.count), y.elements)
    }

    /// x = f(x).
    package static func activate(_ kind: Activation, inPlace x: inout MutableMatrixView<Self>) {
        kernels.c.activate(kind.kernel, x.elements, Int64(x.count), x.elements)
    }

    /// dx += dy f′(x).
    package static func activateBackward(
        _ kind: Activation, _ x: MatrixView<Self>, _ dy: MatrixView<Self>, addingTo dx: inout MutableMatrixView<Self>
    ) {
        precondition(x.count == dy.count && x.count == dx.count)
        kernels.c.activateBackward(kind.kernel, x.elements, dy.elements, Int64(x.count), dx.elements)
    }

    /// y = f(x), and the gradient of y becomes that of x, g f′(x), in the same pass.
    package static func activateBoth(
        _ kind: Activation, _ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>, gradient: inout MutableMatrixView<Self>
    ) {
        precondition(x.count == y.count && x.count == gradient.count)
        kernels.c.activateBoth(kind.kernel, x.elements, gradient.elements, Int64(x.count), y.elements, gradient.elements)
    }

    /// y = f(left half) ∘ right half of each row of x `(n, 2 × width)`.
    package static func gate(_ kind: Activation, _ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>) {
        precondition(x.columns == 2 * y.columns && x.rows == y.rows)
        kernels.c.gate(kind.kernel, x.elements, Int64(y.rows), Int64(y.columns), y.elements)
    }

    package static func gateBackward(
        _ kind: Activation, _ x: MatrixView<Self>, _ dy: MatrixView<Self>, addingTo dx: inout MutableMatrixView<Self>
    ) {
        precondition(x.columns == 2 * dy.columns && x.rows == dy.rows && dx.count == x.count)
        Scratch.with(Self.self, count: x.columns) { scratch in
            kernels.c.gateBackward(kind.kernel, x.elements, dy.elements, Int64(dy.rows), Int64(dy.columns), dx.elements, scratch)
        }
    }

    /// y = x with elements zeroed at `rate`, the others grown by 1 / (1 − rate); which ones is a function of seed and place.
    package static func dropout(_ x: MatrixView<Self>, rate: Double, seed: UInt64, into y: inout MutableMatrixView<Self>) {
        precondition(x.count == y.count)
        kernels.c.dropout(x.elements, Int64(x.count), rate, seed, y.elements)
    }

    /// x = value, everywhere.
    package static func fill(_ x: inout MutableMatrixView<Self>, with value: Self) {
        kernels.c.fill(value, Int64(x.count), x.elements)
    }

    /// y = x.
    package static func copy(_ x: MatrixView<Self>, into y: inout MutableMatrixView<Self>) {
        forEachRun(x, y) { $1.update(from: $0, count: $2) }
    }

    /// y += x.
    package static func add(_ x: MatrixView<Self>, to y: inout MutableMatrixView<Self>) {
        let kernel = kernels.c.add
        forEachRun(x, y) { kernel($0, Int64($2), $1) }
    }

    /// y += a x.
    package static func add(_ a: Self, times x: MatrixView<Self>, to y: inout MutableMatrixView<Self>) {
        let kernel = kernels.c.addScaled
        forEachRun(x, y) { kernel(a, $0, Int64($2), $1) }
    }

    /// y += a ∘ b.
    package static func addProduct(_ a: MatrixView<Self>, _ b: MatrixView<Self>, to y: inout MutableMatrixView<Self>) {
        precondition(a.count == b.count && a.count == y.count)
        kernels.c.addProduct(a.elements, b.elements, Int64(a.count), y.elements)
    }

    /// x *= a.
    package static func scale(_ x: inout MutableMatrixView<Self>, by a: Self) {
        kernels.c.scale(a, Int64(x.count), x.elements)
    }

    /// Σ x, summed in Double.
    package static func total(_ x: MatrixView<Self>) -> Double {
        let from = x.elements
        return (0..<x.count).reduce(0.0) { $0 + Double(from[$1]) }
    }

    /// Σ x y, summed in Double.
    package static func dot(_ x: MatrixView<Self>, _ y: MatrixView<Self>) -> Double {
        precondition(x.count == y.count)
        return kernels.c.dot(x.elements, y.elements, Int64(x.count))
    }

    package static func allFinite(_ x: MatrixView<Self>) -> Bool { kernels.c.allFinite(x.elements, Int64(x.count)) != 0 }

    /// Index of the maximum, the first of equal ones; 0 if the first element is NaN, and for an empty array.
    package static func indexOfLargest(_ x: MatrixView<Self>) -> Int {
        x.count > 0 ? Int(kernels.c.indexOfLargest(x.elements, Int64(x.count))) : 0
    }

    /// Places of the `wanted` largest numbers, largest first, of equals the first.
    package static func largest(_ x: MatrixView<Self>, wanted: Int) -> [Int] { largest(x.elements, count: x.count, wanted: wanted) }

    /// Rows without gaps in one stretch, others row by row.
    private static func forEachRun(
        _ x: MatrixView<Self>, _ y: borrowing MutableMatrixView<Self>,
        _ body: (UnsafePointer<Self>, UnsafeMutablePointer<Self>, Int) -> Void
    ) {
        if x.isContiguous && y.isContiguous {
            precondition(x.count == y.count, "(\(x.rows), \(x.columns)) does not fit (\(y.rows), \(y.columns))")
            return body(x.start, y.start, x.count)
        }
        precondition(x.rows == y.rows && x.columns == y.columns, "(\(x.rows), \(x.columns)) does not fit (\(y.rows), \(y.columns))")
        for r in 0..<x.rows { body(x.start + r * x.stride, y.start + r * y.stride, x.columns) }
    }
}
