import CLAPACK
import FileFormats
import Foundation
import Tensors

/// Ordinary least squares by Householder QR with column pivoting (LAPACK dgeqp3), in Double.
///
/// What statsmodels' `OLS` reports: coefficients with standard errors, t, p and intervals, R², adjusted R², F, residuals, log-likelihood.
public struct LeastSquares: Sendable {
    /// Names of the coefficients, the intercept first if there is one.
    package let names: [String]
    /// Value, t interval and two-sided p of each coefficient.
    public let coefficients: [Estimate]
    /// Standard error of each coefficient.
    package let standardErrors: [Double]
    package let t: [Double]
    /// Observed less fitted response, one per row.
    public let residuals: [Double]
    /// n − rank.
    package let residualFreedom: Int
    /// Σ residual² / residual degrees of freedom.
    package let residualVariance: Double
    /// Share of variance explained, around the mean if there is an intercept, else around 0 (as statsmodels).
    public let rSquared: Double
    /// R² adjusted for the number of predictors.
    public let adjustedRSquared: Double
    /// F of all coefficients but the intercept, and its p-value; nil without such coefficients.
    package let f: (value: Double, p: Double)?
    package let logLikelihood: Double

    /// - Parameters:
    ///   - y: the response, one value per row.
    ///   - columns: predictors, each as long as y.
    ///   - names: their names, for messages and tables; x1, x2, … if nil.
    /// - Throws: `DataError` for unequal lengths, values that are not finite, no more rows than coefficients, or predictors that depend
    ///   linearly on others (named).
    public init(_ y: [Double], on columns: [[Double]], names: [String]? = nil, intercept: Bool = true, level: Double = 0.95) throws {
        try requireLevel(level)
        let design = try Design(columns: columns, names: names, intercept: intercept)
        guard y.count == design.rows else { throw DataError(.badData, "the response has \(y.count) values, the predictors \(design.rows)") }
        try requireFinite(y, "response")
        let n = design.rows, k = design.width
        guard n > k else { throw DataError(.badData, "\(k) coefficients cannot be tested with \(n) rows; expected at least \(k + 1)") }
        let solution = try design.solve(y)
        residuals = solution.residuals
        residualFreedom = n - k
        let unexplained = residuals.reduce(0) { $0 + $1 * $1 }
        residualVariance = unexplained / Double(n - k)
        let scale = residualVariance
        standardErrors = try design.inverseDiagonal().map { ($0 * scale).squareRoot() }
        let distribution = StudentT(freedom: Double(n - k)), reach = distribution.quantile(0.5 + level / 2)
        let errors = standardErrors
        t = solution.coefficients.indices.map { solution.coefficients[$0] / errors[$0] }
        let ts = t
        coefficients = solution.coefficients.indices.map { i in
            let value = solution.coefficients[i], half = reach * errors[i]
            return Estimate(
                value, interval: half.isFinite ? (value - half)...(value + half) : nil, level: level,
                p: ts[i].isNaN ? nil : distribution.twoSided(ts[i]), n: n,
                method: .init(interval: .studentT, test: .asymptotic(.tTest)))
        }
        self.names = design.names
        let middle = intercept ? mean(y) : 0
        let total = y.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
        rSquared = 1 - unexplained / total
        let base = intercept ? 1 : 0
        adjustedRSquared = 1 - (1 - rSquared) * Double(n - base) / Double(n - k)
        if k > base {
            let value = (total - unexplained) / Double(k - base) / scale
            f = (value, FisherF(Double(k - base), Double(n - k)).upper(value))
        } else {
            f = nil
        }
        logLikelihood = -Double(n) / 2 * (log(2 * Double.pi) + log(unexplained / Double(n)) + 1)
    }

    /// A matrix of predictors, factorized once for any number of responses.
    package struct Design: Sendable {
        package let names: [String]
        package let rows: Int
        /// Coefficients, the intercept included.
        package let width: Int
        /// dgeqp3's result by columns: R above the diagonal, reflectors below.
        private let factors: [Double]
        private let reflectors: [Double]
        /// The original column at each pivoted place.
        private let pivots: [Int]

        package init(columns: [[Double]], names: [String]? = nil, intercept: Bool = true) throws {
            let rows = columns.first?.count ?? 0, width = columns.count + (intercept ? 1 : 0)
            let given = names ?? columns.indices.map { "x\($0 + 1)" }
            guard given.count == columns.count else {
                throw DataError(.usage, "\(given.count) names do not name \(columns.count) predictors")
            }
            for (name, column) in zip(given, columns) {
                guard column.count == rows else {
                    throw DataError(.badData, "predictor '\(name)' has \(column.count) values, '\(given[0])' has \(rows)")
                }
                try requireFinite(column, "predictor '\(name)'")
            }
            guard width > 0, rows >= width else {
                throw DataError(.badData, "least squares need at least as many rows (\(rows)) as coefficients (\(width))")
            }
            self.names = (intercept ? ["(intercept)"] : []) + given
            (self.rows, self.width) = (rows, width)
            // Columns of unit length, so that rank is judged without regard to units.
            var matrix = (intercept ? [Double](repeating: 1, count: rows) : []) + columns.joined()
            var pivot = [Int32](repeating: 0, count: width), tau = [Double](repeating: 0, count: width)
            useOneLAPACKThread()
            var lengths: [Double] = []
            for column in 0..<width {
                let length = matrix[column * rows..<(column + 1) * rows].reduce(0) { $0 + $1 * $1 }.squareRoot()
                lengths.append(length > 0 ? length : 1)
                for row in 0..<rows { matrix[column * rows + row] /= lengths[column] }
            }
            let status = LAPACKE_dgeqp3(LAPACK_COL_MAJOR, Int32(rows), Int32(width), &matrix, Int32(rows), &pivot, &tau)
            guard status == 0 else { throw FactorizationError(routine: "dgeqp3", status: Int(status)) }
            let places = pivot.map { Int($0) - 1 }
            for place in 0..<width where abs(matrix[place * rows + place]) <= 1e-11 * abs(matrix[0]) || matrix[0] == 0 {
                throw DataError(.badData, "predictor '\(self.names[places[place]])' is a linear combination of the others; leave it out")
            }
            // Back to the units of the columns: R's columns are scaled again.
            for place in 0..<width {
                for row in 0...place { matrix[place * rows + row] *= lengths[places[place]] }
            }
            (factors, reflectors, pivots) = (matrix, tau, places)
        }

        /// Coefficients in the order of `names`, and residuals.
        package func solve(_ y: [Double]) throws -> (coefficients: [Double], residuals: [Double]) {
            guard y.count == rows else { throw DataError(.badData, "the response has \(y.count) values, the predictors \(rows)") }
            var work = y
            try multiply(&work, transposed: true)
            var solved = Array(work[..<width])
            for place in stride(from: width - 1, through: 0, by: -1) {
                solved[place] /= factors[place * rows + place]
                for row in 0..<place { solved[row] -= factors[place * rows + row] * solved[place] }
            }
            for row in 0..<width { work[row] = 0 }
            try multiply(&work, transposed: false)
            var coefficients = solved
            for (place, column) in pivots.enumerated() { coefficients[column] = solved[place] }
            return (coefficients, work)
        }

        /// What the predictors leave over of a response.
        package func residuals(_ y: [Double]) throws -> [Double] { try solve(y).residuals }

        /// The diagonal of (XᵀX)⁻¹, in the order of `names`.
        func inverseDiagonal() throws -> [Double] {
            // (XᵀX)⁻¹ = R⁻¹R⁻ᵀ: squared lengths of the rows of R⁻¹.
            var inverse = [Double](repeating: 0, count: width * width)
            for column in 0..<width {
                for row in stride(from: column, through: 0, by: -1) {
                    var sum = row == column ? 1.0 : 0
                    for between in stride(from: row + 1, through: column, by: 1) {
                        sum -= factors[between * rows + row] * inverse[between * width + column]
                    }
                    inverse[row * width + column] = sum / factors[row * rows + row]
                }
            }
            var diagonal = [Double](repeating: 0, count: width)
            for (place, column) in pivots.enumerated() {
                diagonal[column] = inverse[place * width..<(place + 1) * width].reduce(0) { $0 + $1 * $1 }
            }
            return diagonal
        }

        private func multiply(_ vector: inout [Double], transposed: Bool) throws {
            useOneLAPACKThread()
            let status = LAPACKE_dormqr(
                LAPACK_COL_MAJOR, CChar(UInt8(ascii: "L")), CChar(UInt8(ascii: transposed ? "T" : "N")), Int32(rows), 1,
                Int32(width), factors, Int32(rows), reflectors, &vector, Int32(rows))
            guard status == 0 else { throw FactorizationError(routine: "dormqr", status: Int(status)) }
        }
    }
}
