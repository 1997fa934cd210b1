import CKernels
import FileFormats
import Tensors

// Principal component analysis. Goals in order: scikit-learn's numbers (components and coordinates to 1e-5, eigenvalues to 1e-6
// relative); the same bits whatever the number of threads; memory that does not grow with the rows; speed.
//
// Everything that decides a component is summed in Double, and multiplied in Double too unless all components asked for are large. Rows are
// shifted by the mean of the first chunk before they are squared, so that a large common offset does not swallow the variance (Chan, Golub
// & LeVeque 1983).

/// How to find principal components.
public struct PCA: Sendable {
    /// How many components to keep.
    public enum Components: Sendable, Equatable {
        /// This many; at most min(rows, columns).
        case count(Int)
        /// As few as explain more than this share of the variance, in (0, 1).
        case explaining(Double)
        /// min(rows, columns).
        case all
    }

    /// The algorithm. All find the same components; `randomized` to a tolerance.
    public enum Solver: String, Sendable, CaseIterable {
        /// `covariance` up to 2,048 columns, `full` if there are few rows, else `randomized`.
        case automatic
        /// Eigenvectors of the covariance matrix, accumulated in one pass over the rows (LAPACK dsyevr).
        case covariance
        /// Singular value decomposition of the centred rows (LAPACK dgesdd); all rows in memory as Double.
        case full
        /// Subspace iteration from random vectors (Halko, Martinsson & Tropp 2011), for wide data and few components.
        case randomized
    }

    /// How many components to keep.
    package var components: Components
    /// The algorithm.
    package var solver: Solver
    /// Divides each coordinate by its standard deviation. A component without variance then gives 0.
    package var whiten: Bool
    /// Random vectors beyond the components that are asked for (`randomized`).
    package var oversampling: Int
    /// Passes of subspace iteration (`randomized`); nil: 7 for few components, else 4, as scikit-learn.
    package var powerIterations: Int?
    /// Seed of the random vectors (`randomized`).
    package var seed: UInt64
    /// Number of worker threads; results do not depend on it.
    package var threads: Int

    /// Fifty components by the solver that suits the data, unless stated otherwise.
    public init(
        components: Components = .count(50), solver: Solver = .automatic, whiten: Bool = false, oversampling: Int = 10,
        powerIterations: Int? = nil, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) {
        self.components = components
        self.solver = solver
        self.whiten = whiten
        self.oversampling = oversampling
        self.powerIterations = powerIterations
        self.seed = seed
        self.threads = threads
    }

    /// The components of the rows of `x`; rows that `valid` marks false are left out.
    ///
    /// - Throws: `DataError` for fewer than two rows, rows that are all equal, more components than min(rows, columns), NaN or infinity.
    public func fit<Source: RowSource>(_ x: Source, valid: [Bool]? = nil) throws -> PCAModel {
        try x.checkShape("the vectors")
        if let valid, valid.count != x.rows { throw DataError(.badData, "\(valid.count) validity flags were given for \(x.rows) vectors") }
        let data = CenteredRows(x, valid: valid, threads: threads), n = data.count, d = x.columns
        guard n >= 2 else {
            throw DataError(.badData, "principal components need at least two vectors; there \(n == 1 ? "is 1" : "are \(n)")")
        }
        let limit = min(n, d), wanted: Int
        switch components {
        case .count(let count):
            guard count >= 1, count <= limit else {
                throw DataError(
                    .usage,
                    "\(count) components cannot be computed from \(n) vectors of \(d) columns; at most \(limit) are "
                        + "possible")
            }
            wanted = count
        case .explaining(let share):
            guard share > 0, share < 1 else {
                throw DataError(.usage, "the proportion of variance to explain must be between 0 and 1, not \(share)")
            }
            wanted = limit
        case .all: wanted = limit
        }
        let chosen = solver == .automatic ? automaticSolver(rows: n, columns: d, wanted: wanted) : solver
        if case .explaining = components, chosen == .randomized {
            throw DataError(
                .usage,
                "the randomized solver needs a number of components, not a proportion of variance; use the full or "
                    + "covariance solver")
        }
        var found: Decomposition
        switch chosen {
        case .full: found = try data.fullDecomposition()
        case .randomized:
            let passes = powerIterations ?? (Double(wanted) < 0.1 * Double(limit) ? 7 : 4)
            found = try data.randomizedDecomposition(count: wanted, oversampling: oversampling, passes: passes, seed: seed)
        case .covariance, .automatic: found = try data.covarianceDecomposition(count: wanted)
        }
        guard found.totalVariance > 0 else {
            throw DataError(.badData, "all \(n) vectors are equal, so the variance is zero")
        }
        // Rounding can leave a direction without variance slightly below zero.
        found.variances = found.variances.map { max(0, $0) }
        var kept = wanted
        if case .explaining(let share) = components {
            var explained = 0.0
            kept =
                found.variances.firstIndex { variance in
                    explained += variance / found.totalVariance
                    return explained > share
                }.map { $0 + 1 } ?? wanted
        }
        return PCAModel(found, kept: min(kept, found.variances.count), rows: n, whiten: whiten, solver: chosen)
    }

    private func automaticSolver(rows: Int, columns: Int, wanted: Int) -> Solver {
        if columns <= 2048 && rows >= columns { return .covariance }
        if min(rows, columns) <= 1024 { return rows < columns ? .full : .covariance }
        if case .explaining = components { return columns <= 8192 ? .covariance : .full }
        return Double(wanted) < 0.8 * Double(min(rows, columns)) ? .randomized : .covariance
    }
}

/// Principal components: directions of largest variance, in descending order.
///
/// The sign of a component is such that its entry of largest magnitude is positive (scikit-learn's convention since 1.5).
public struct PCAModel: Sendable {
    /// (components, columns), rows of unit length, orthogonal to one another.
    public let components: Tensor<Double>
    /// Mean of the vectors (columns).
    package let mean: [Double]
    /// Variance along each component, with n − 1, descending.
    package let explainedVariance: [Double]
    /// The share of the total variance that each component explains.
    public let explainedVarianceRatio: [Double]
    /// Sum of the variances of all columns, with n − 1.
    package let totalVariance: Double
    /// Vectors that the components were found from.
    package let rows: Int
    package let whiten: Bool
    /// The algorithm that was used; never `automatic`.
    package let solver: PCA.Solver

    /// Number of components.
    package var count: Int { components.rows }
    /// Singular values of the centred vectors.
    package var singularValues: [Double] { explainedVariance.map { ($0 * Double(rows - 1)).squareRoot() } }

    init(_ found: Decomposition, kept: Int, rows: Int, whiten: Bool, solver: PCA.Solver) {
        var components = found.components.rows(0..<kept)
        let d = components.columns
        components.withUnsafeMutableElements { c in
            for k in 0..<kept {
                let row = UnsafeMutableBufferPointer(start: c + k * d, count: d)
                guard let largest = row.max(by: { abs($0) < abs($1) }), largest < 0 else { continue }
                for i in 0..<d { row[i] = -row[i] }
            }
        }
        self.init(
            components: components, mean: found.mean, explainedVariance: Array(found.variances[..<kept]),
            totalVariance: found.totalVariance,
            rows: rows, whiten: whiten, solver: solver)
    }

    /// A model from its parts, as read from a file.
    package init(
        components: Tensor<Double>, mean: [Double], explainedVariance: [Double], totalVariance: Double, rows: Int, whiten: Bool,
        solver: PCA.Solver
    ) {
        self.components = components
        self.mean = mean
        self.explainedVariance = explainedVariance
        self.totalVariance = totalVariance
        explainedVarianceRatio = explainedVariance.map { $0 / totalVariance }
        self.rows = rows
        self.whiten = whiten
        self.solver = solver
    }

    /// Coordinates (rows, components) of vectors (rows, columns).
    ///
    /// - Throws: `DataError` when the vectors have another width.
    public func transform(_ x: Tensor<Float>, threads: Int = Parallel.availableThreads) throws -> Tensor<Float> {
        try checkWidth(x.columns)
        let projection = Projection(self), columns = x.columns, count = self.count
        let pieces = Parallel.chunks(x.rows, size: 512)
        var result = Tensor<Float>(uninitialized: [x.rows, count])
        x.withUnsafeElements { x in
            result.withUnsafeMutableElements { y in
                let from = Shared(x), to = Shared(y)
                Parallel.forEach(pieces.count, threads: threads) { piece, _ in
                    let rows = pieces[piece]
                    projection.apply(from.pointer + rows.lowerBound * columns, rows: rows.count, into: to.pointer + rows.lowerBound * count)
                }
            }
        }
        return result
    }

    /// Coordinates of vectors that are read a chunk at a time: calls `body` with each range of rows and its coordinates, in order.
    public func transform<Source: RowSource>(
        _ x: Source, chunkRows: Int = 8192, threads: Int = Parallel.availableThreads, _ body: (Range<Int>, Tensor<Float>) throws -> Void
    ) throws {
        try checkWidth(x.columns)
        for range in Parallel.chunks(x.rows, size: chunkRows) {
            let chunk = try x.withRows(range) {
                Tensor(UnsafeBufferPointer(start: $0, count: range.count * x.columns), shape: [range.count, x.columns])
            }
            try body(range, transform(chunk, threads: threads))
        }
    }

    /// The vectors (rows, columns) that the coordinates (rows, components) stand for: what the components left out is lost.
    ///
    /// - Throws: `DataError` when the coordinates have another number of columns than there are components.
    package func inverseTransform(_ y: Tensor<Float>) throws -> Tensor<Float> {
        guard y.columns == count else {
            throw DataError(.badData, "the coordinates have \(y.columns) columns and the model \(count) components")
        }
        var scaled = components
        let d = scaled.columns
        if whiten {
            scaled.withUnsafeMutableElements { c in
                for k in 0..<count { for i in 0..<d { c[k * d + i] *= explainedVariance[k].squareRoot() } }
            }
        }
        var x = matrixProduct(y, scaled.converted(to: Float.self))
        let center = mean.map(Float.init), rows = x.rows
        x.withUnsafeMutableElements { Float.addRowVector(center, rows: rows, columns: d, to: $0) }
        return x
    }

    /// Mean squared Euclidean distance between vectors and what their coordinates stand for, and the share of the vectors' mean squared
    /// distance from the mean that this is (0: nothing lost). NaN or infinity in the vectors carries over.
    package func reconstructionError(
        _ x: Tensor<Float>, threads: Int = Parallel.availableThreads
    ) throws -> (meanSquared: Double, share: Double) {
        try checkWidth(x.columns)
        var plain = self
        if whiten {
            plain = PCAModel(
                components: components, mean: mean, explainedVariance: explainedVariance, totalVariance: totalVariance, rows: rows,
                whiten: false, solver: solver)
        }
        let n = x.rows, d = x.columns, center = mean.map(Float.init)
        guard n > 0 else { return (0, 0) }
        var lost = 0.0, whole = 0.0
        for range in Parallel.chunks(n, size: 4096) {
            let part = x.rows(range), back = try plain.inverseTransform(plain.transform(part, threads: threads))
            part.withUnsafeElements { a in
                back.withUnsafeElements { b in
                    lost += kt_squared_distance(a, b, Int64(range.count * d))
                    for row in 0..<range.count { whole += kt_squared_distance(a + row * d, center, Int64(d)) }
                }
            }
        }
        return (lost / Double(n), whole > 0 ? lost / whole : 0)
    }

    private func checkWidth(_ columns: Int) throws {
        guard columns == mean.count else {
            throw DataError(.badData, "the vectors have \(columns) columns, but the components were fitted to \(mean.count)")
        }
    }
}

/// The centring and the product that give coordinates.
private struct Projection: Sendable {
    private let matrix: PackedMatrix<Float>
    private let center: [Float]
    private let count: Int

    init(_ model: PCAModel) {
        let d = model.mean.count
        count = model.count
        center = model.mean.map(Float.init)
        var scaled = model.components
        if model.whiten {
            // A component with no variance to speak of would turn rounding into coordinates.
            let floor = (model.explainedVariance.first ?? 0) * 1e-14
            scaled.withUnsafeMutableElements { c in
                for k in 0..<model.count {
                    let variance = model.explainedVariance[k], scale = variance > floor ? 1 / variance.squareRoot() : 0
                    for i in 0..<d { c[k * d + i] *= scale }
                }
            }
        }
        let floats = scaled.converted(to: Float.self), outputs = count
        matrix = floats.withUnsafeElements { Float.pack($0, inputs: d, outputs: outputs, inputStride: 1, outputStride: d, precision: .f32) }
    }

    func apply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        let d = center.count
        Scratch.with(Float.self, count: rows * d) { centered in
            for row in 0..<rows { kt_center_scale(x + row * d, center, 1, Int64(d), centered + row * d) }
            Float.multiply(centered, rows: rows, by: matrix, bias: nil, into: y)
        }
    }
}
