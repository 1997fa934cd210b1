import FileFormats
import Foundation

/// A parameter of a model, and what is known about it before the data.
package struct FreeParameter: Sendable {
    package var name: String
    /// Values that are searched, above zero: the search runs over log θ.
    package var bounds: ClosedRange<Double>
    /// Places from which the search starts, besides those that the fit spreads over the bounds.
    package var starts: [Double]
    /// λ and θ₀ of a term λ (θ − θ₀)² that the objective gets.
    package var penalty: Penalty?

    package struct Penalty: Sendable, Equatable {
        /// Nats per squared unit of the parameter.
        package var weight: Double
        package var center: Double
        package init(weight: Double, center: Double) { (self.weight, self.center) = (weight, center) }
    }

    package init(_ name: String, bounds: ClosedRange<Double>, starts: [Double] = [], penalty: Penalty? = nil) {
        (self.name, self.bounds, self.starts, self.penalty) = (name, bounds, starts, penalty)
    }

    /// λ (θ − θ₀)², 0 without a penalty.
    func cost(_ value: Double) -> Double { penalty.map { $0.weight * (value - $0.center) * (value - $0.center) } ?? 0 }
}

/// A fitted value with its profile interval.
package struct FittedParameter: Sendable {
    package var name: String
    package var value: Double
    /// Ends of the interval; nil if the objective stays within reach up to the bound on that side.
    package var low: Double?, high: Double?
    /// Where the search ended on that side.
    package var bounds: ClosedRange<Double>

    /// Whether the data bound the parameter on both sides.
    package var isIdentified: Bool { low != nil && high != nil }
}

/// The parameters at which an objective (a negative log-likelihood plus penalties) is least.
///
/// Nelder–Mead over log θ from several starts; intervals are those of the profile: all values of one parameter for which the objective,
/// least over the others, exceeds its minimum by no more than half the χ²₁ quantile (1.92 for 95 %).
package struct ParameterFit: Sendable {
    package var parameters: [FittedParameter]
    /// Minus log-likelihood at the minimum, without penalties.
    package var misfit: Double
    package var penalty: Double
    package var evaluations: Int
    /// Whether the search ended with a small simplex.
    package var hasConverged: Bool
    /// How many of the starts came within .01 of the minimum.
    package var agreeingStarts: Int
    package var starts: Int

    package var values: [Double] { parameters.map(\.value) }

    /// 2k + 2 · misfit; `observations` is not needed.
    package var aic: Double { 2 * Double(parameters.count) + 2 * misfit }
    package func bic(observations: Double) -> Double { Double(parameters.count) * log(max(observations, 1)) + 2 * misfit }

    /// - Parameters:
    ///   - rise: how far the objective may rise within the interval; 1.9207 for 95 %.
    ///   - misfit: minus log-likelihood at these values, in the order of `parameters`.
    /// - Throws: `DataError` if the misfit is finite nowhere that was tried.
    package init(_ parameters: [FreeParameter], rise: Double = 1.920729410347062, misfit: ([Double]) throws -> Double) throws {
        let low = parameters.map { log($0.bounds.lowerBound) }, high = parameters.map { log($0.bounds.upperBound) }
        func objective(_ x: [Double]) throws -> Double {
            guard zip(x, zip(low, high)).allSatisfy({ $0 >= $1.0 && $0 <= $1.1 }) else { return .infinity }
            let values = x.map(exp)
            return try misfit(values) + Self.penalty(parameters, values)
        }
        // The same fractions of every parameter's range, crossed so that no two starts share a value.
        let fractions = [[0.5, 0.5], [0.25, 0.7], [0.75, 0.3], [0.85, 0.85], [0.2, 0.2]]
        var starts = fractions.map { f in parameters.indices.map { low[$0] + f[$0 % 2] * (high[$0] - low[$0]) } }
        for k in 0..<(parameters.map(\.starts.count).max() ?? 0) {
            starts.append(
                parameters.indices.map { i in
                    let own = parameters[i].starts
                    return own.isEmpty ? (low[i] + high[i]) / 2 : min(max(log(own[min(k, own.count - 1)]), low[i]), high[i])
                })
        }
        let step = parameters.indices.map { (high[$0] - low[$0]) * 0.08 }
        var minima: [NelderMead.Minimum] = []
        for start in starts { minima.append(try NelderMead().minimize(from: start, step: step, objective)) }
        guard let found = minima.min(by: { $0.value < $1.value }), found.value.isFinite else {
            throw DataError(.badData, "the likelihood of these data is zero at every value tried")
        }
        var best = found, evaluations = minima.reduce(0) { $0 + $1.evaluations }
        // A profile that finds something better is the better fit.
        var fitted: [FittedParameter] = []
        for _ in 0..<3 {
            var better: NelderMead.Minimum?
            fitted = []
            for i in parameters.indices {
                func profile(_ x: Double, from start: [Double]) throws -> NelderMead.Minimum {
                    var rest = start
                    rest.remove(at: i)
                    var steps = step
                    steps.remove(at: i)
                    var minimum = try NelderMead().minimize(from: rest, step: steps.map { $0 / 4 }) { rest in
                        var all = rest
                        all.insert(x, at: i)
                        return try objective(all)
                    }
                    minimum.point.insert(x, at: i)
                    evaluations += minimum.evaluations
                    if minimum.value < (better ?? best).value - 1e-6 { better = minimum }
                    return minimum
                }
                func end(toward bound: Double) throws -> Double? {
                    var inside = best.point[i], point = best.point, reach = (bound - inside) / 64
                    guard abs(bound - inside) > 1e-9 else { return nil }
                    // Steps grow, so that a narrow interval is found as well as a wide one.
                    while true {
                        let x = abs(inside + reach - best.point[i]) >= abs(bound - best.point[i]) ? bound : inside + reach
                        let there = try profile(x, from: point)
                        if there.value - best.value > rise {
                            var (a, b) = (inside, x)
                            for _ in 0..<30 where abs(b - a) > 1e-5 {
                                let middle = (a + b) / 2, between = try profile(middle, from: point)
                                if between.value - best.value > rise { b = middle } else { (a, point) = (middle, between.point) }
                            }
                            return exp((a + b) / 2)
                        }
                        if x == bound { return nil }
                        (inside, point) = (x, there.point)
                        reach *= 1.5
                    }
                }
                let ends = (try end(toward: low[i]), try end(toward: high[i]))
                fitted.append(
                    FittedParameter(
                        name: parameters[i].name, value: exp(best.point[i]), low: ends.0, high: ends.1, bounds: parameters[i].bounds))
            }
            guard let found = better else { break }
            best = try NelderMead().minimize(from: found.point, step: step.map { $0 / 8 }, objective)
        }
        self.parameters = fitted
        penalty = Self.penalty(parameters, best.point.map(exp))
        self.misfit = best.value - penalty
        self.evaluations = evaluations
        hasConverged = best.hasConverged
        agreeingStarts = minima.count { $0.value - best.value < 0.01 }
        self.starts = minima.count
    }

    private static func penalty(_ parameters: [FreeParameter], _ values: [Double]) -> Double {
        zip(parameters, values).reduce(0) { $0 + $1.0.cost($1.1) }
    }
}
