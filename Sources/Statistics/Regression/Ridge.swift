import FileFormats
import Foundation
import Tensors

/// Ridge regression of any number of responses on the same predictors: one singular value decomposition serves every penalty.
///
/// With centred X = U·diag(s)·Vᵀ the coefficients are V·diag(s/(s² + α))·Uᵀ·Y, which minimize ‖Y − Xβ‖² + α‖β‖² (Hoerl & Kennard 1970;
/// scikit-learn's `Ridge`). It is the kernel form as well: with fewer rows than columns the decomposition is of the rows' size. The
/// decomposition is in Double, products are in `Scalar`.
package struct Ridge<Scalar: TensorScalar>: Sendable {
    /// Column means of the predictors, which were subtracted; zeros without an intercept.
    package let means: [Double]
    /// Whether an intercept is estimated.
    package let hasIntercept: Bool
    /// Left singular vectors (n, r).
    package let u: Tensor<Scalar>
    /// Singular values, descending (r); those that are rounding errors are 0.
    package let singular: [Double]
    /// Right singular vectors as rows (r, p).
    package let v: Tensor<Scalar>

    /// - Parameter x: predictors (n, p), finite.
    /// - Complexity: O(n p min(n, p)), once.
    package init(_ x: Tensor<Scalar>, intercept: Bool = true) throws {
        let n = x.rows, p = x.columns
        guard n > 0, p > 0 else {
            throw DataError(.badData, "ridge regression needs rows and predictors; the predictors have shape \(x.shape)")
        }
        guard x.isFinite else { throw DataError(.badData, "the predictors of a ridge regression contain NaN or infinity") }
        var centred = x.converted(to: Double.self)
        var middle = [Double](repeating: 0, count: p)
        if intercept { middle = Self.removeMeans(&centred) }
        let parts = try singularValues(centred)
        let floor = (parts.s.first ?? 0) * Double(max(n, p)) * 2.220446049250313e-16
        (means, hasIntercept) = (middle, intercept)
        singular = parts.s.map { $0 > floor ? $0 : 0 }
        u = parts.u.converted(to: Scalar.self)
        v = parts.v.converted(to: Scalar.self)
    }

    /// Responses as the decomposition sees them.
    package struct Target: Sendable {
        /// Uᵀ(Y − mean) (r, v).
        package let projected: Tensor<Scalar>
        /// Means of the responses (v), zeros without an intercept.
        package let means: [Double]

        /// Responses already multiplied with Uᵀ, and their means.
        package init(projected: Tensor<Scalar>, means: [Double]) {
            self.projected = projected
            self.means = means
        }
    }

    /// - Parameter y: responses (n, v), finite.
    package func target(_ y: Tensor<Scalar>) throws -> Target {
        guard y.rows == u.rows else {
            throw DataError(.badData, "ridge regression has \(u.rows) rows of predictors and \(y.rows) of responses")
        }
        guard y.isFinite else { throw DataError(.badData, "the responses of a ridge regression contain NaN or infinity") }
        // Centred columns of U sum to 0, so Uᵀ removes the mean of Y by itself; subtracting it first keeps the digits.
        let columns = y.columns
        var middle = [Double](repeating: 0, count: columns), centred = y
        if hasIntercept {
            let n = y.rows
            centred.withUnsafeMutableElements { e in
                for row in 0..<n { for column in 0..<columns { middle[column] += Double(e[row * columns + column]) } }
                for column in 0..<columns { middle[column] /= Double(n) }
                for row in 0..<n { for column in 0..<columns { e[row * columns + column] -= Scalar(middle[column]) } }
            }
        }
        return Target(projected: matrixProduct(u, transposed: true, centred), means: middle)
    }

    /// s/(s² + α) of each singular value; 0 where the singular value is.
    package func shrinkage(_ penalty: Double) -> [Double] { singular.map { $0 > 0 ? $0 / ($0 * $0 + penalty) : 0 } }

    /// Coefficients (p, v) and intercepts (v) for one penalty α ≥ 0; α = 0 gives the least-squares solution of smallest norm.
    package func coefficients(_ target: Target, penalty: Double) throws -> (weights: Tensor<Scalar>, intercepts: [Double]) {
        try Self.check(penalty)
        let weights = matrixProduct(v, transposed: true, Self.scaled(target.projected, by: shrinkage(penalty)))
        var intercepts = target.means
        if hasIntercept {
            let columns = weights.columns
            weights.withUnsafeElements { w in
                for (row, middle) in means.enumerated() {
                    for column in 0..<columns { intercepts[column] -= middle * Double(w[row * columns + column]) }
                }
            }
        }
        return (weights, intercepts)
    }

    /// New rows in the coordinates of the decomposition: (X − means)·V, shape (rows, r).
    package func projected(_ x: Tensor<Scalar>) throws -> Tensor<Scalar> {
        guard x.columns == v.columns else {
            throw DataError(.badData, "the ridge regression was fitted with \(v.columns) predictors; these rows have \(x.columns)")
        }
        var centred = x
        if hasIntercept {
            let rows = x.rows, columns = x.columns
            centred.withUnsafeMutableElements { e in
                for row in 0..<rows { for column in 0..<columns { e[row * columns + column] -= Scalar(means[column]) } }
            }
        }
        return matrixProduct(centred, transposed: false, v, transposed: true)
    }

    /// Predictions (rows, v) for rows in the coordinates of the decomposition.
    package func predictions(_ rows: Tensor<Scalar>, _ target: Target, penalty: Double) throws -> Tensor<Scalar> {
        try Self.check(penalty)
        // The smaller of the two sides is scaled.
        let shrinkage = shrinkage(penalty)
        var scaled = rows
        let r = rows.columns, count = rows.rows
        scaled.withUnsafeMutableElements { e in
            for row in 0..<count { for k in 0..<r { e[row * r + k] *= Scalar(shrinkage[k]) } }
        }
        var result = matrixProduct(scaled, target.projected)
        let columns = result.columns
        if hasIntercept {
            result.withUnsafeMutableElements { e in
                for row in 0..<count { for column in 0..<columns { e[row * columns + column] += Scalar(target.means[column]) } }
            }
        }
        return result
    }

    private static func check(_ penalty: Double) throws {
        guard penalty >= 0, penalty.isFinite else { throw DataError(.usage, "a ridge penalty must be at least 0, not \(penalty)") }
    }

    private static func removeMeans(_ x: inout Tensor<Double>) -> [Double] {
        let rows = x.rows, columns = x.columns
        var middle = [Double](repeating: 0, count: columns)
        x.withUnsafeMutableElements { e in
            for row in 0..<rows { for column in 0..<columns { middle[column] += e[row * columns + column] } }
            for column in 0..<columns { middle[column] /= Double(rows) }
            for row in 0..<rows { for column in 0..<columns { e[row * columns + column] -= middle[column] } }
        }
        return middle
    }

    private static func scaled(_ x: Tensor<Scalar>, by factors: [Double]) -> Tensor<Scalar> {
        var result = x
        let columns = x.columns
        result.withUnsafeMutableElements { e in
            for (row, factor) in factors.enumerated() { for column in 0..<columns { e[row * columns + column] *= Scalar(factor) } }
        }
        return result
    }
}
