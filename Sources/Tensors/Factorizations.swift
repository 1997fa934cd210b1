import CLAPACK

// Matrix factorizations of LAPACK, in Double on the calling thread alone. Goals in order: the same bits in every run; LAPACK's own
// accuracy; no copies that a transposed reading of the same memory saves (a row-major matrix is the column-major transpose).

/// LAPACK could not factorize a matrix.
package struct FactorizationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The LAPACK routine.
    package let routine: String
    /// Its status: negative for an argument it refuses (NaN among them), positive where the iteration did not converge.
    package let status: Int

    package init(routine: String, status: Int) {
        self.routine = routine
        self.status = status
    }

    /// What failed, for an error message.
    package var description: String {
        status < 0
            ? "\(routine) refused its input (status \(status)); is there NaN or infinity in the matrix?"
            : "\(routine) did not converge (status \(status))"
    }
}

/// OpenBLAS with one thread, set before its first use here: with more, its sums are split by thread count.
private let singleThreaded: Void = openblas_set_num_threads(1)

/// Before LAPACK is called from another room.
package func useOneLAPACKThread() { _ = singleThreaded }

/// Largest eigenvalues of a symmetric matrix (n, n), descending, and their unit eigenvectors as the rows of (count, n).
///
/// Only the lower triangle (column ≤ row) is read.
package func symmetricEigenvectors(_ matrix: Tensor<Double>, count: Int) throws -> (values: [Double], vectors: Tensor<Double>) {
    let n = matrix.rows
    precondition(matrix.shape == [n, n] && count >= 0 && count <= n, "\(count) eigenvectors of a matrix of shape \(matrix.shape)")
    guard count > 0 else { return ([], Tensor(shape: [0, n])) }
    _ = singleThreaded
    var work = matrix, found: Int32 = 0, status: Int32 = 0
    var values = [Double](repeating: 0, count: n), support = [Int32](repeating: 0, count: 2 * n)
    var ascending = Tensor<Double>(repeating: 0, shape: [count, n])
    // Row-major lower is column-major upper.
    status = LAPACKE_dsyevr(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: count == n ? "A" : "I")), CChar(UInt8(ascii: "U")),
        Int32(n), work.mutablePointer, Int32(n), 0, 0, Int32(n - count + 1), Int32(n), 0, &found, &values,
        ascending.mutablePointer, Int32(n), &support)
    guard status == 0, Int(found) == count else { throw FactorizationError(routine: "dsyevr", status: status == 0 ? 1 : Int(status)) }
    var vectors = Tensor<Double>(uninitialized: [count, n])
    for i in 0..<count { Double.copy(ascending.view[count - 1 - i], into: &vectors[rows: i..<i + 1]) }
    return (Array(values[..<count].reversed()), vectors)
}

/// Thin singular value decomposition a = u · diag(s) · v of (m, n): u (m, r), s descending, v (r, n), r = min(m, n).
package func singularValues(_ a: Tensor<Double>) throws -> (u: Tensor<Double>, s: [Double], v: Tensor<Double>) {
    let m = a.rows, n = a.columns, r = min(m, n)
    guard r > 0 else { return (Tensor(shape: [m, 0]), [], Tensor(shape: [0, n])) }
    _ = singleThreaded
    var work = a, u = Tensor<Double>(uninitialized: [m, r]), v = Tensor<Double>(uninitialized: [r, n])
    var s = [Double](repeating: 0, count: r), status: Int32 = 0
    // In memory this is the transpose (n, m) by columns: its left vectors are our right ones.
    status = LAPACKE_dgesdd(
        LAPACK_COL_MAJOR, CChar(UInt8(ascii: "S")), Int32(n), Int32(m), work.mutablePointer, Int32(n), &s,
        v.mutablePointer, Int32(n), u.mutablePointer, Int32(r))
    guard status == 0 else { throw FactorizationError(routine: "dgesdd", status: Int(status)) }
    return (u, s, v)
}

/// An orthonormal basis of the columns of a (m, k), m ≥ k, as the columns of (m, k).
package func orthonormalBasis(_ a: Tensor<Double>) throws -> Tensor<Double> {
    let m = a.rows, k = a.columns
    precondition(m >= k, "a basis of the columns of shape \(a.shape) needs at least as many rows")
    guard k > 0 else { return a }
    _ = singleThreaded
    var q = a, status: Int32 = 0, reflectors = [Double](repeating: 0, count: k)
    // aᵀ by columns is what lies in memory: aᵀ = L·Q, and the rows of Q are the basis.
    status = LAPACKE_dgelqf(LAPACK_COL_MAJOR, Int32(k), Int32(m), q.mutablePointer, Int32(k), &reflectors)
    if status == 0 { status = LAPACKE_dorglq(LAPACK_COL_MAJOR, Int32(k), Int32(m), Int32(k), q.mutablePointer, Int32(k), reflectors) }
    guard status == 0 else { throw FactorizationError(routine: "dgelqf", status: Int(status)) }
    return q
}

extension Double {
    /// Lower triangle of c (n, n) += xᵀ · x for x (rows, n).
    package static func addGram(_ x: Input, rows: Int, columns n: Int, to c: Output) {
        guard rows > 0, n > 0 else { return }
        _ = singleThreaded
        cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, blasint(n), blasint(rows), 1, x, blasint(n), 1, c, blasint(n))
    }
}
