import FileFormats

/// Mean and covariance of the activations of a network whose activation spreads (`Dynamics.spreading`), without simulation.
///
/// Between events the state is x′ = B x + noise with B = (1 − decay) I + weights and independent noise of variance sd² + relativeSD² (B
/// x)²ᵢ, so m′ = B m and C′ = B C Bᵀ + diag(sd² + relativeSD² ((B C Bᵀ)ᵢᵢ + m′ᵢ²)) hold exactly, though the distribution is not normal.
package struct Moments: Sendable {
    /// `(units)`.
    package private(set) var mean: [Double]
    /// `(units, units)`.
    package private(set) var covariance: [[Double]]
    private let spread: [(from: Int, to: Int, weight: Double)]
    private let decay: Double, sd: Double, relativeSD: Double

    /// At rest: all zero.
    ///
    /// - Throws: `DataError` if a parameter has no value, or the dynamics are not linear.
    package init(network: Network, dynamics: Dynamics, parameters: [String: Double] = [:]) throws {
        guard case .spreading(let decay, let sd, let relativeSD, false) = dynamics else {
            throw DataError(.usage, "moments are exact for linear spreading activation only")
        }
        (self.decay, self.sd, self.relativeSD) = (decay, sd, relativeSD)
        spread = try network.edges(parameters: parameters).map { ($0.from, $0.to, $0.weight) }
        mean = [Double](repeating: 0, count: network.unitCount)
        covariance = [[Double]](repeating: mean, count: network.unitCount)
    }

    /// Adds to the mean of a unit.
    package mutating func add(_ value: Double, to unit: Int) { mean[unit] += value }

    /// Sets a unit to an activation that has no variance.
    package mutating func set(_ value: Double, unit: Int) {
        mean[unit] = value
        for other in mean.indices { (covariance[unit][other], covariance[other][unit]) = (0, 0) }
    }

    /// One step.
    /// - Complexity: edges × units.
    package mutating func advance() {
        mean = applied(mean)
        // B C, then (B (B C)ᵀ)ᵀ = B C Bᵀ, column by column through the same sparse product.
        let left = Self.transposed(Self.transposed(covariance).map(applied))
        covariance = left.map(applied)
        for i in mean.indices { covariance[i][i] += sd * sd + relativeSD * relativeSD * (covariance[i][i] + mean[i] * mean[i]) }
    }

    /// B x.
    private func applied(_ x: [Double]) -> [Double] {
        var y = x.map { (1 - decay) * $0 }
        for edge in spread { y[edge.to] += edge.weight * x[edge.from] }
        return y
    }

    private static func transposed(_ a: [[Double]]) -> [[Double]] { a.indices.map { i in a.map { $0[i] } } }
}
