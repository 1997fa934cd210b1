import FileFormats
import Tensors

/// A matrix of which most entries are 0: of each row the columns that are filled, ascending, and their values (compressed sparse rows).
package struct SparseRows: Sendable {
    package let columns: Int
    /// First entry of each row, and the end of the last one.
    package private(set) var offsets: [Int] = [0]
    package private(set) var indices: [Int32] = []
    package private(set) var values: [Double] = []
    package var rows: Int { offsets.count - 1 }

    package init(columns: Int) { self.columns = columns }

    /// Adds a row.
    /// - Precondition: the entries' columns are within the matrix and ascending.
    package mutating func append(_ entries: [(column: Int, value: Double)]) {
        precondition(entries.allSatisfy { $0.column >= 0 && $0.column < columns })
        for entry in entries {
            indices.append(Int32(entry.column))
            values.append(entry.value)
        }
        offsets.append(indices.count)
    }

    /// Entries of a row.
    package func row(_ row: Int) -> [(column: Int, value: Double)] {
        (offsets[row]..<offsets[row + 1]).map { (Int(indices[$0]), values[$0]) }
    }

    /// Some rows, in the order given.
    package func selecting(_ chosen: [Int]) -> SparseRows {
        var result = SparseRows(columns: columns)
        for row in chosen {
            result.indices += indices[offsets[row]..<offsets[row + 1]]
            result.values += values[offsets[row]..<offsets[row + 1]]
            result.offsets.append(result.indices.count)
        }
        return result
    }

    /// This matrix times the transpose of `w` (outputs, columns): (rows, outputs).
    package func product(transposed w: Tensor<Double>) -> Tensor<Double> {
        let outputs = w.rows, width = w.columns
        var result = Tensor<Double>(repeating: 0, shape: [rows, outputs])
        w.withUnsafeElements { w in
            result.withUnsafeMutableElements { out in
                for row in 0..<rows {
                    for k in 0..<outputs {
                        var sum = 0.0
                        for place in offsets[row]..<offsets[row + 1] { sum += values[place] * w[k * width + Int(indices[place])] }
                        out[row * outputs + k] = sum
                    }
                }
            }
        }
        return result
    }

    /// The transpose of `e` (rows, outputs) times this matrix: (outputs, columns).
    package func transposedProduct(_ e: Tensor<Double>) -> Tensor<Double> {
        let outputs = e.columns
        var result = Tensor<Double>(repeating: 0, shape: [outputs, columns])
        e.withUnsafeElements { e in
            result.withUnsafeMutableElements { out in
                for row in 0..<rows {
                    for k in 0..<outputs {
                        let factor = e[row * outputs + k]
                        for place in offsets[row]..<offsets[row + 1] { out[k * columns + Int(indices[place])] += factor * values[place] }
                    }
                }
            }
        }
        return result
    }

    /// With a last column of ones.
    func withOnes() -> SparseRows {
        var result = SparseRows(columns: columns + 1)
        result.indices.reserveCapacity(indices.count + rows)
        for row in 0..<rows {
            result.indices += indices[offsets[row]..<offsets[row + 1]]
            result.values += values[offsets[row]..<offsets[row + 1]]
            result.indices.append(Int32(columns))
            result.values.append(1)
            result.offsets.append(result.indices.count)
        }
        return result
    }
}

/// Predictors of a regression, dense or sparse.
enum DesignMatrix: Sendable {
    case dense(Tensor<Double>), sparse(SparseRows)

    var rows: Int {
        switch self {
        case .dense(let x): x.rows
        case .sparse(let x): x.rows
        }
    }
    var columns: Int {
        switch self {
        case .dense(let x): x.columns
        case .sparse(let x): x.columns
        }
    }
    var isSparse: Bool {
        if case .sparse = self { true } else { false }
    }
    var isFinite: Bool {
        switch self {
        case .dense(let x): x.isFinite
        case .sparse(let x): x.values.allSatisfy(\.isFinite)
        }
    }

    /// x · wᵀ for w (outputs, columns).
    func scores(_ w: Tensor<Double>) -> Tensor<Double> {
        switch self {
        case .dense(let x): matrixProduct(x, transposed: false, w, transposed: true)
        case .sparse(let x): x.product(transposed: w)
        }
    }

    /// eᵀ · x for e (rows, outputs).
    func transposedProduct(_ e: Tensor<Double>) -> Tensor<Double> {
        switch self {
        case .dense(let x): matrixProduct(e, transposed: true, x)
        case .sparse(let x): x.transposedProduct(e)
        }
    }

    func withOnes() -> DesignMatrix {
        switch self {
        case .sparse(let x): return .sparse(x.withOnes())
        case .dense(let x):
            let p = x.columns
            var design = Tensor<Double>(uninitialized: [x.rows, p + 1])
            for row in 0..<x.rows {
                for column in 0..<p { design[row, column] = x[row, column] }
                design[row, p] = 1
            }
            return .dense(design)
        }
    }
}

/// Ridge regression of one response on sparse predictors, with an intercept that is not penalized, by conjugate gradients (Hestenes &
/// Stiefel 1952).
///
/// Minimizes ‖y − Xβ − b‖² + λ‖β‖².
package struct SparseRidge: Sendable {
    package let weights: [Double]
    package let intercept: Double

    /// - Complexity: O(entries) an iteration.
    package init(_ x: SparseRows, y: [Double], penalty: Double = 1, tolerance: Double = 1e-8, maximumIterations: Int = 1000) throws {
        guard x.rows == y.count, x.rows > 0 else {
            throw DataError(.badData, "ridge regression has \(x.rows) rows of predictors and \(y.count) of responses")
        }
        guard penalty > 0, penalty.isFinite else {
            throw DataError(.usage, "the penalty of a ridge regression must be positive, not \(penalty)")
        }
        try requireFinite(y, "responses")
        let n = Double(x.rows), middle = mean(y), p = x.columns
        let means = x.transposedProduct(Tensor(repeating: 1 / n, shape: [x.rows, 1])).elements
        // (X − 1mᵀ)ᵀ (X − 1mᵀ) v + λv without ever filling the zeros.
        func product(_ v: [Double]) -> [Double] {
            var scores = x.product(transposed: Tensor(v, shape: [1, p])).elements
            var shift = 0.0
            for i in 0..<p { shift += means[i] * v[i] }
            var total = 0.0
            for row in scores.indices {
                scores[row] -= shift
                total += scores[row]
            }
            var result = x.transposedProduct(Tensor(scores, shape: [x.rows, 1])).elements
            for i in 0..<p { result[i] += penalty * v[i] - means[i] * total }
            return result
        }
        let centred = y.map { $0 - middle }, total = centred.reduce(0, +)
        var residual = x.transposedProduct(Tensor(centred, shape: [x.rows, 1])).elements
        for i in 0..<p { residual[i] -= means[i] * total }
        var w = [Double](repeating: 0, count: p), direction = residual
        var squares = residual.reduce(0) { $0 + $1 * $1 }
        let goal = squares * tolerance * tolerance
        for _ in 0..<maximumIterations where squares > goal && squares > 0 {
            let image = product(direction)
            let rate = squares / zip(direction, image).reduce(0) { $0 + $1.0 * $1.1 }
            for i in 0..<p {
                w[i] += rate * direction[i]
                residual[i] -= rate * image[i]
            }
            let next = residual.reduce(0) { $0 + $1 * $1 }, factor = next / squares
            for i in 0..<p { direction[i] = residual[i] + factor * direction[i] }
            squares = next
        }
        weights = w
        intercept = middle - zip(means, w).reduce(0) { $0 + $1.0 * $1.1 }
    }

    package func predictions(_ x: SparseRows) -> [Double] {
        x.product(transposed: Tensor(weights, shape: [1, weights.count])).elements.map { $0 + intercept }
    }
}
