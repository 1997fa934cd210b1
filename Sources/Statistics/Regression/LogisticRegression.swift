import CLAPACK
import FileFormats
import Foundation
import Tensors

/// Logistic regression of two or more classes, with an L2 penalty on the weights (never on the intercepts), in Double.
///
/// Minimizes Σ −ln P(class) + λ/2 ‖w‖²; scikit-learn's C is 1/λ. Two classes have one vector of weights, for the second class; more have
/// one each (softmax), whose intercepts sum to 0. Newton's method while the Hessian is small, else L-BFGS (Liu & Nocedal 1989), which is
/// also how sparse predictors are fitted.
package struct LogisticRegression: Sendable {
    package enum Solver: String, Sendable, CaseIterable { case automatic = "auto", newton, lbfgs }

    /// Weights (1, p) for two classes, else (classes, p).
    package let weights: Tensor<Double>
    package let intercepts: [Double]
    package let classes: Int
    /// Standard errors in the layout of (rows of weights, intercept first): Wald's, for two classes without penalty; else nil.
    package let standardErrors: [Double]?
    /// ln of the probability of the given classes, without the penalty.
    package let logLikelihood: Double
    package let iterations: Int
    /// Whether the gradient fell below the tolerance, or as far as Double can tell.
    package let isConverged: Bool
    /// Whether weights grew without end because, unpenalized, they can put rows on the right side with certainty (Albert & Anderson 1984).
    package let isSeparated: Bool

    /// - Parameters:
    ///   - x: predictors (n, p), finite.
    ///   - labels: the class of each row, 0 ..< classes.
    ///   - rowWeights: multiply each row's term of the likelihood; 1 each where nil.
    ///   - penalty: λ ≥ 0.
    ///   - tolerance: largest component of the gradient, divided by n, at which the fit is done.
    ///   - start: a fit of the same shape to begin from, as one with a neighbouring penalty.
    /// - Throws: `DataError` for labels out of range, a class without rows, values that are not finite.
    package init(
        _ x: Tensor<Double>, labels: [Int], classes: Int, rowWeights: [Double]? = nil, penalty: Double = 1, intercept: Bool = true,
        solver: Solver = .automatic, tolerance: Double = 1e-9, maximumIterations: Int = 1000, start: LogisticRegression? = nil
    ) throws {
        try self.init(.dense(x), labels, classes, rowWeights, penalty, intercept, solver, tolerance, maximumIterations, start)
    }

    /// The same with sparse predictors.
    package init(
        _ x: SparseRows, labels: [Int], classes: Int, rowWeights: [Double]? = nil, penalty: Double = 1, intercept: Bool = true,
        tolerance: Double = 1e-7, maximumIterations: Int = 1000, start: LogisticRegression? = nil
    ) throws {
        try self.init(.sparse(x), labels, classes, rowWeights, penalty, intercept, .lbfgs, tolerance, maximumIterations, start)
    }

    private init(
        _ x: DesignMatrix, _ labels: [Int], _ classes: Int, _ rowWeights: [Double]?, _ penalty: Double, _ intercept: Bool, _ solver: Solver,
        _ tolerance: Double, _ maximumIterations: Int, _ start: LogisticRegression?
    ) throws {
        let p = x.columns
        let problem = try Problem(x, labels, classes, rowWeights, penalty, intercept)
        let width = problem.width, outputs = problem.outputs
        var w = [Double](repeating: 0, count: problem.size)
        if let start, start.weights.shape == [outputs, p] {
            for k in 0..<outputs {
                for i in 0..<p { w[k * width + i] = start.weights[k, i] }
                if intercept { w[k * width + p] = start.intercepts[k] }
            }
        }
        let usesNewton = solver == .newton || solver == .automatic && problem.size <= 400
        let limit = tolerance * Double(x.rows)
        let end = usesNewton ? try problem.newton(&w, limit, maximumIterations) : problem.lbfgs(&w, limit, maximumIterations)
        iterations = end.iterations
        isSeparated = penalty == 0 && problem.isSeparated(w)
        isConverged = end.isConverged && !isSeparated
        weights = Tensor((0..<outputs).flatMap { k in w[k * width..<k * width + p] }, shape: [outputs, p])
        intercepts = (0..<outputs).map { intercept ? w[$0 * width + p] : 0 }
        self.classes = classes
        logLikelihood = -(problem.value(w).loss - problem.penaltyTerm(w))
        standardErrors = classes == 2 && penalty == 0 && isConverged && !x.isSparse ? problem.standardErrors(w) : nil
    }

    /// Log-odds (rows, classes) of new rows, up to a constant of the row: what softmax makes probabilities of.
    package func logits(_ x: Tensor<Double>) throws -> Tensor<Double> {
        try check(x.columns)
        return logits(scores: DesignMatrix.dense(x).scores(weights))
    }

    package func logits(_ x: SparseRows) throws -> Tensor<Double> {
        try check(x.columns)
        return logits(scores: x.product(transposed: weights))
    }

    private func check(_ columns: Int) throws {
        guard columns == weights.columns else {
            throw DataError(.badData, "the classifier was fitted with \(weights.columns) predictors; these rows have \(columns)")
        }
    }

    private func logits(scores: Tensor<Double>) -> Tensor<Double> {
        let outputs = weights.rows
        var result = Tensor<Double>(repeating: 0, shape: [scores.rows, classes])
        for row in 0..<scores.rows { for k in 0..<outputs { result[row, k + classes - outputs] = scores[row, k] + intercepts[k] } }
        return result
    }

    /// Probabilities (rows, classes) of new rows.
    package func probabilities(_ x: Tensor<Double>) throws -> Tensor<Double> { softmaxRows(try logits(x)) }
    package func probabilities(_ x: SparseRows) throws -> Tensor<Double> { softmaxRows(try logits(x)) }
}

/// Softmax of each row.
package func softmaxRows(_ logits: Tensor<Double>) -> Tensor<Double> {
    var result = logits
    let rows = logits.rows, columns = logits.columns
    result.withUnsafeMutableElements { e in
        for row in 0..<rows {
            let values = e + row * columns
            var largest = values[0], total = 0.0
            for k in 1..<columns { largest = max(largest, values[k]) }
            for k in 0..<columns {
                values[k] = exp(values[k] - largest)
                total += values[k]
            }
            for k in 0..<columns { values[k] /= total }
        }
    }
    return result
}

/// The penalized likelihood, its gradient and its Hessian. Parameters: for each output p weights and, if wanted, the intercept.
private struct Problem {
    /// With a last column of ones if there is an intercept.
    let x: DesignMatrix
    let labels: [Int]
    let rowWeights: [Double]?
    let outputs: Int
    let width: Int
    let penalty: Double
    let hasIntercept: Bool
    var size: Int { outputs * width }
    private var features: Int { width - (hasIntercept ? 1 : 0) }

    init(_ x: DesignMatrix, _ labels: [Int], _ classes: Int, _ rowWeights: [Double]?, _ penalty: Double, _ intercept: Bool) throws {
        guard classes >= 2 else { throw DataError(.badData, "logistic regression needs at least two classes, not \(classes)") }
        guard x.rows == labels.count, x.rows > 0 else {
            throw DataError(.badData, "logistic regression has \(x.rows) rows and \(labels.count) labels")
        }
        guard x.isFinite else { throw DataError(.badData, "the predictors of a logistic regression contain NaN or infinity") }
        guard penalty >= 0, penalty.isFinite else {
            throw DataError(.usage, "the penalty of a logistic regression must be at least 0, not \(penalty)")
        }
        if let rowWeights, rowWeights.count != x.rows || !rowWeights.allSatisfy({ $0 >= 0 && $0.isFinite }) {
            throw DataError(.badData, "a logistic regression needs one non-negative weight for each of its \(x.rows) rows")
        }
        var counts = [Int](repeating: 0, count: classes)
        for (row, label) in labels.enumerated() {
            guard label >= 0, label < classes else {
                throw DataError(.badData, "row \(row) has class \(label); classes are 0 to \(classes - 1)")
            }
            counts[label] += 1
        }
        if let empty = counts.firstIndex(of: 0) { throw DataError(.badData, "class \(empty) has no rows to learn from") }
        self.x = intercept ? x.withOnes() : x
        (self.labels, self.rowWeights, self.penalty, hasIntercept) = (labels, rowWeights, penalty, intercept)
        outputs = classes == 2 ? 1 : classes
        width = self.x.columns
    }

    func penaltyTerm(_ w: [Double]) -> Double {
        var sum = 0.0
        for k in 0..<outputs { for i in 0..<features { sum += w[k * width + i] * w[k * width + i] } }
        return penalty / 2 * sum
    }

    /// Log-odds of 30 are a certainty that no finite maximum of the likelihood gives to ordinary data.
    func isSeparated(_ w: [Double]) -> Bool {
        x.scores(Tensor(w, shape: [outputs, width])).elements.contains { abs($0) > 30 }
            || value(w).loss < 1e-6 * Double(x.rows)
    }

    private func weight(_ row: Int) -> Double { rowWeights?[row] ?? 1 }

    /// Loss and probabilities (n, outputs).
    func value(_ w: [Double]) -> (loss: Double, probabilities: Tensor<Double>) {
        var scores = x.scores(Tensor(w, shape: [outputs, width]))
        var loss = penaltyTerm(w)
        let n = x.rows, outputs = outputs
        scores.withUnsafeMutableElements { s in
            for row in 0..<n {
                if outputs == 1 {
                    let z = s[row], margin = labels[row] == 1 ? z : -z
                    loss += weight(row) * (margin > 0 ? log1p(exp(-margin)) : -margin + log1p(exp(margin)))
                    s[row] = z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z))
                } else {
                    let z = s + row * outputs
                    var largest = z[0], total = 0.0
                    for k in 1..<outputs { largest = max(largest, z[k]) }
                    let own = z[labels[row]] - largest
                    for k in 0..<outputs {
                        z[k] = exp(z[k] - largest)
                        total += z[k]
                    }
                    loss += weight(row) * (log(total) - own)
                    for k in 0..<outputs { z[k] /= total }
                }
            }
        }
        return (loss, scores)
    }

    func gradient(_ w: [Double], _ probabilities: Tensor<Double>) -> [Double] {
        var errors = probabilities
        let n = x.rows, outputs = outputs
        errors.withUnsafeMutableElements { e in
            for row in 0..<n {
                if outputs > 1 { e[row * outputs + labels[row]] -= 1 } else if labels[row] == 1 { e[row] -= 1 }
                if let rowWeights { for k in 0..<outputs { e[row * outputs + k] *= rowWeights[row] } }
            }
        }
        var g = x.transposedProduct(errors).elements
        for k in 0..<outputs { for i in 0..<features { g[k * width + i] += penalty * w[k * width + i] } }
        return g
    }

    func hessian(_ probabilities: Tensor<Double>) -> [Double] {
        guard case .dense(let x) = x else { preconditionFailure("sparse predictors are fitted by L-BFGS") }
        var h = [Double](repeating: 0, count: size * size)
        let n = x.rows, width = width, outputs = outputs
        for a in 0..<outputs {
            for b in 0...a {
                var weighted = x
                weighted.withUnsafeMutableElements { e in
                    probabilities.withUnsafeElements { p in
                        for row in 0..<n {
                            let pa = p[row * outputs + a], factor = weight(row) * (a == b ? pa * (1 - pa) : -pa * p[row * outputs + b])
                            for i in 0..<width { e[row * width + i] *= factor }
                        }
                    }
                }
                let block = matrixProduct(weighted, transposed: true, x)
                for i in 0..<width {
                    for j in 0..<width {
                        let value = block[i, j]
                        h[(a * width + i) * size + b * width + j] = value
                        h[(b * width + j) * size + a * width + i] = value
                    }
                }
            }
        }
        for k in 0..<outputs { for i in 0..<features { h[(k * width + i) * size + k * width + i] += penalty } }
        if outputs > 1 {
            // Adding a constant to one parameter of all classes changes nothing; a cost on that direction, in which the gradient is 0,
            // makes the Hessian definite and leaves the solution whose parameters sum to 0.
            for i in 0..<width where penalty == 0 || i >= features {
                let scale = max(h[i * size + i], 1e-8)
                for a in 0..<outputs { for b in 0..<outputs { h[(a * width + i) * size + b * width + i] += scale } }
            }
        }
        return h
    }

    /// The solution of h · step = g, or nil if h is not positive definite.
    private func solved(_ h: [Double], _ g: [Double]) -> [Double]? {
        useOneLAPACKThread()
        var h = h, step = g
        let status = LAPACKE_dposv(LAPACK_COL_MAJOR, CChar(UInt8(ascii: "U")), Int32(size), 1, &h, Int32(size), &step, Int32(size))
        return status == 0 && step.allSatisfy(\.isFinite) ? step : nil
    }

    func newton(_ w: inout [Double], _ limit: Double, _ maximum: Int) throws -> (iterations: Int, isConverged: Bool) {
        var (loss, probabilities) = value(w)
        for iteration in 0..<maximum {
            let g = gradient(w, probabilities)
            if (g.map(abs).max() ?? 0) <= limit { return (iteration, true) }
            let h = hessian(probabilities)
            var step = solved(h, g), damping = 1e-10 * (0..<size).reduce(0) { max($0, h[$1 * size + $1]) }
            while step == nil, damping < 1e10 {
                var damped = h
                for i in 0..<size { damped[i * size + i] += damping }
                step = solved(damped, g)
                damping *= 100
            }
            guard let step else { return (iteration, false) }
            let slope = zip(g, step).reduce(0) { $0 + $1.0 * $1.1 }
            var rate = 1.0, moved = false
            while rate > 1e-10 {
                let next = zip(w, step).map { $0 - rate * $1 }
                let candidate = value(next)
                if candidate.loss <= loss - 1e-4 * rate * slope || rate == 1 && slope < 1e-14 * max(1, abs(loss)) {
                    (w, loss, probabilities, moved) = (next, candidate.loss, candidate.probabilities, true)
                    break
                }
                rate /= 2
            }
            if !moved { return (iteration, (g.map(abs).max() ?? 0) <= max(limit, 1e-7 * Double(x.rows))) }
            if penalty == 0, isSeparated(w) { return (iteration, false) }
        }
        return (maximum, false)
    }

    func lbfgs(_ w: inout [Double], _ limit: Double, _ maximum: Int) -> (iterations: Int, isConverged: Bool) {
        let end = LBFGS(gradientLimit: limit, fallbackLimit: max(limit, 1e-7 * Double(x.rows)), maximumIterations: maximum).minimize(&w) {
            w in
            let (loss, probabilities) = value(w)
            return (loss, { gradient(w, probabilities) })
        }
        return (end.iterations, end.isConverged)
    }

    /// Square roots of the diagonal of the inverse Hessian, intercept first.
    func standardErrors(_ w: [Double]) -> [Double]? {
        let h = hessian(value(w).probabilities)
        var errors: [Double] = []
        for i in (hasIntercept ? [features] : []) + Array(0..<features) {
            var unit = [Double](repeating: 0, count: size)
            unit[i] = 1
            guard let column = solved(h, unit), column[i] > 0 else { return nil }
            errors.append(column[i].squareRoot())
        }
        return errors
    }
}
