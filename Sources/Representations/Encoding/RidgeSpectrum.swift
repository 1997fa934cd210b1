import FileFormats
import Foundation
import Tensors

/// Training rows of a ridge regression in the coordinates in which every penalty is a division: eigenvectors of XᵀX, or of XXᵀ where
/// features outnumber rows.
///
/// With centred X the prediction of new rows is N·diag(1/(e + α))·LᵀY, with N = X_new·B. Of features: e and V from XᵀX, B = V, L = X·V. Of
/// rows (kernel form): e and U from XXᵀ, B = XᵀU, L = U. The decomposition is in Double, what is multiplied by the many responses in Float.
struct RidgeSpectrum: Sendable {
    private let means: [Double], scales: [Double]
    /// (p, r) in Double.
    private let basis: Tensor<Double>
    /// (n, r).
    let left: Tensor<Float>
    let eigenvalues: [Double]
    private let floor: Double

    /// - Parameters:
    ///   - x: training rows (n, p), finite.
    ///   - standardizes: scales features to standard deviation 1; constant ones become 0.
    ///   - weights: a factor for each feature, applied after that; all 1 where nil.
    init(_ x: Tensor<Float>, rows: [Int], standardizes: Bool, weights: [Double]? = nil) throws {
        let n = rows.count, p = x.columns
        var part = Self.gather(x, rows)
        let standard = Standardization(part)
        means = standard.means
        scales = (0..<p).map { (standardizes ? standard.scales[$0] : 1) * (weights?[$0] ?? 1) }
        Self.apply(means, scales, &part)
        let isPrimal = p <= n
        let gram = isPrimal ? matrixProduct(part, transposed: true, part) : matrixProduct(part, transposed: false, part, transposed: true)
        let (values, vectors) = try symmetricEigenvectors(gram, count: min(n, p))
        eigenvalues = values.map { max(0, $0) }
        floor = (values.first ?? 0) * Double(max(n, p)) * 2.220446049250313e-16
        basis = isPrimal ? vectors.transposed() : matrixProduct(part, transposed: true, vectors, transposed: true)
        left = (isPrimal ? matrixProduct(part, basis) : vectors.transposed()).converted(to: Float.self)
    }

    /// New rows (m, r); only the features of `band` count where one is given.
    func projected(_ x: Tensor<Float>, rows: [Int], band: Range<Int>? = nil) -> Tensor<Float> {
        var part = Self.gather(x, rows)
        Self.apply(means, band.map { band in scales.indices.map { band.contains($0) ? scales[$0] : 0 } } ?? scales, &part)
        return matrixProduct(part, basis).converted(to: Float.self)
    }

    /// Rows (m, r) times 1/(e + α).
    func divided(_ rows: Tensor<Float>, _ penalty: Double) -> Tensor<Float> {
        var result = rows
        let factors = factors(penalty), r = rows.columns, m = rows.rows
        result.withUnsafeMutableElements { e in for row in 0..<m { for k in 0..<r { e[row * r + k] *= factors[k] } } }
        return result
    }

    /// Coefficients (p, voxels) of the features as they came, from shrunk responses (r, voxels).
    func coefficients(_ shrunk: Tensor<Float>) -> Tensor<Float> {
        var scaled = basis
        let p = basis.rows, r = basis.columns
        scaled.withUnsafeMutableElements { e in for k in 0..<p { for c in 0..<r { e[k * r + c] *= scales[k] } } }
        return matrixProduct(scaled.converted(to: Float.self), shrunk)
    }

    /// 1/(e + α) of each coordinate; 0 where e is a rounding error.
    func factors(_ penalty: Double) -> [Float] { eigenvalues.map { $0 > floor ? Float(1 / ($0 + penalty)) : 0 } }

    private static func gather(_ x: Tensor<Float>, _ rows: [Int]) -> Tensor<Double> {
        let p = x.columns
        var part = Tensor<Double>(uninitialized: [rows.count, p])
        x.withUnsafeElements { from in
            part.withUnsafeMutableElements { to in
                for (place, row) in rows.enumerated() { for k in 0..<p { to[place * p + k] = Double(from[row * p + k]) } }
            }
        }
        return part
    }

    private static func apply(_ means: [Double], _ scales: [Double], _ x: inout Tensor<Double>) {
        let n = x.rows, p = x.columns
        x.withUnsafeMutableElements { e in for row in 0..<n { for k in 0..<p { e[row * p + k] = (e[row * p + k] - means[k]) * scales[k] } }
        }
    }
}

/// Some responses of some training rows, as the spectrum sees them: LᵀY and the means that were subtracted.
struct ResponseBlock {
    /// (r, voxels).
    let projected: Tensor<Float>
    let means: [Double]
    let voxels: [Int]

    init(_ spectrum: RidgeSpectrum, _ y: Tensor<Float>, rows: [Int], voxels: [Int]) {
        var part = Self.gather(y, rows, voxels), means = [Double](repeating: 0, count: voxels.count)
        let w = voxels.count
        part.withUnsafeElements { from in
            means.withUnsafeMutableBufferPointer { means in
                for row in 0..<rows.count { for k in 0..<w { means[k] += Double(from[row * w + k]) } }
            }
        }
        for k in 0..<w { means[k] /= Double(rows.count) }
        Self.subtract(means, from: &part)
        projected = matrixProduct(spectrum.left, transposed: true, part)
        (self.means, self.voxels) = (means, voxels)
    }

    /// Measurements of other rows minus the training means, (rows, voxels).
    func centred(_ y: Tensor<Float>, rows: [Int]) -> Tensor<Float> {
        var part = Self.gather(y, rows, voxels)
        Self.subtract(means, from: &part)
        return part
    }

    private static func gather(_ y: Tensor<Float>, _ rows: [Int], _ voxels: [Int]) -> Tensor<Float> {
        let w = voxels.count, v = y.columns
        var part = Tensor<Float>(uninitialized: [rows.count, w])
        guard let first = voxels.first else { return part }
        let areNeighbours = voxels.indices.allSatisfy { voxels[$0] == first + $0 }
        y.withUnsafeElements { from in
            part.withUnsafeMutableElements { to in
                for (place, row) in rows.enumerated() {
                    let line = from + row * v
                    if areNeighbours {
                        (to + place * w).update(from: line + first, count: w)
                    } else {
                        for k in 0..<w { to[place * w + k] = line[voxels[k]] }
                    }
                }
            }
        }
        return part
    }

    private static func subtract(_ means: [Double], from part: inout Tensor<Float>) {
        let middle = means.map(Float.init), w = middle.count, rows = part.rows
        part.withUnsafeMutableElements { e in for row in 0..<rows { for k in 0..<w { e[row * w + k] -= middle[k] } } }
    }

    /// LᵀY/(e + α), α one for each voxel.
    func shrunk(_ spectrum: RidgeSpectrum, penalties: [Double]) -> Tensor<Float> {
        var result = projected
        let r = result.rows, w = result.columns, same = penalties.allSatisfy { $0 == penalties[0] }
        let factors = same ? [spectrum.factors(penalties[0])] : penalties.map(spectrum.factors)
        result.withUnsafeMutableElements { e in
            for k in 0..<r {
                if same {
                    let factor = factors[0][k]
                    for c in 0..<w { e[k * w + c] *= factor }
                } else {
                    for c in 0..<w { e[k * w + c] *= factors[c][k] }
                }
            }
        }
        return result
    }

    /// Squared differences of predictions and centred measurements, both (rows, voxels), summed over rows: Float within 32 rows, Double beyond.
    static func squaredErrors(_ predicted: Tensor<Float>, _ centred: Tensor<Float>) -> [Double] {
        let w = centred.columns, rows = centred.rows
        var sums = [Double](repeating: 0, count: w), part = [Float](repeating: 0, count: w)
        predicted.withUnsafeElements { guesses in
            centred.withUnsafeElements { values in
                part.withUnsafeMutableBufferPointer { part in
                    for row in 0..<rows {
                        for k in 0..<w {
                            let away = values[row * w + k] - guesses[row * w + k]
                            part[k] += away * away
                        }
                        if row % 32 == 31 || row == rows - 1 {
                            for k in 0..<w {
                                sums[k] += Double(part[k])
                                part[k] = 0
                            }
                        }
                    }
                }
            }
        }
        return sums
    }

    /// Voxels are taken in blocks whose responses and predictions fit into a core's cache.
    static func blocks(_ voxels: [Int]) -> [[Int]] { Parallel.chunks(voxels.count, size: 256).map { Array(voxels[$0]) } }
}
