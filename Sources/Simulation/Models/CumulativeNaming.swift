import FileFormats
import Foundation
import Statistics

/// Cumulative semantic interference: each further member of a category takes longer to name.
///
/// Howard, Nickels, Coltheart & Cole-Virtue (2006), Cognition 100, 464–482, name three properties that suffice: meanings activate the words
/// of related meanings too, words compete by lateral inhibition, and naming strengthens the link from meaning to word. The paper's own
/// constants are not in the sources of this project; `inhibition` and `strengthening` are fitted to latencies, the others are set.
public struct CumulativeNamingModel: Sendable {
    /// Activation that the meaning of a category's other members gets, beside 1 for the picture's.
    package var sharedActivation = 0.5
    /// Decay of words per cycle, and the weight from a meaning to its word before it was ever named.
    package var decay = 0.02, weight = 0.02
    /// Activation at which a word is said.
    package var threshold = 0.5
    /// Cycles after which a trial ends without a response.
    package var limit = 2000
    /// Of each word by each other one, per cycle.
    package var inhibition: Double
    /// What each naming adds to the weight from that meaning to its word, in multiples of `weight`.
    package var strengthening: Double

    /// A model with lateral inhibition and strengthening of the named word's link.
    public init(inhibition: Double, strengthening: Double) { (self.inhibition, self.strengthening) = (inhibition, strengthening) }

    /// Cycles until each picture of a series is named, interpolated within the last cycle; NaN if the threshold is not reached.
    ///
    /// - Parameter categories: the category of each picture; pictures are all different.
    public func cycles(_ categories: [Int]) throws -> [Double] {
        var network = Network()
        let meanings = network.addBank("meanings", units: categories.indices.map { "meaning \($0 + 1)" })
        let words = network.addBank("words", units: categories.indices.map { "word \($0 + 1)" })
        var strengths = categories.map { _ in weight }, result: [Double] = []
        for picture in categories.indices {
            var now = network
            now.addLink(
                from: meanings, to: words, weights: categories.indices.map { i in categories.indices.map { $0 == i ? strengths[i] : 0 } })
            now.addLink(
                from: words, to: words, weights: categories.indices.map { i in categories.indices.map { $0 == i ? 0 : -inhibition } })
            let related = categories.indices.filter { $0 != picture && categories[$0] == categories[picture] }
            let trial = TrialProtocol(
                [
                    .init(steps: 0..<limit, .clamp(Array(meanings.units), 0)),
                    .init(steps: 0..<limit, .clamp(related.map { meanings[$0] }, sharedActivation)),
                    .init(steps: 0..<limit, .clamp([meanings[picture]], 1)),
                ], stop: .threshold(unit: words[picture], level: threshold, limit: limit))
            result.append(
                try Simulator(network: now, dynamics: .spreading(decay: decay, isRectified: true), trial: trial).thresholdSteps() ?? .nan)
            strengths[picture] += strengthening * weight
        }
        return result
    }

    /// Cycles for positions 1, 2, … of one category.
    package func cycles(positions: Int) throws -> [Double] { try cycles([Int](repeating: 0, count: positions)) }

    /// Latencies in milliseconds fitted by the model and a line from cycles to milliseconds.
    package struct Fit: Sendable {
        package var model: CumulativeNamingModel
        package var parameters: ParameterFit
        package var cycles: [Double]
        /// Milliseconds at zero cycles and per cycle, by least squares.
        package var intercept: Double, slope: Double
        package var predicted: [Double]
        /// √ of the mean squared residual in milliseconds. Two parameters and a line have four constants, whatever the number of positions.
        package var rmse: Double
    }

    /// Least squares over `inhibition`, `strengthening` and the line.
    ///
    /// - Parameter latencies: milliseconds at positions 1, 2, …; at least five, since four constants are fitted.
    /// - Throws: `DataError` for fewer positions or values that are not positive.
    package static func fit(latencies: [Double]) throws -> Fit {
        guard latencies.count >= 5 else {
            throw DataError(
                .badData,
                "\(latencies.count) positions are not enough for four constants (inhibition, strengthening, "
                    + "intercept, slope); expected at least 5")
        }
        guard latencies.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw DataError(.badData, "latencies should be positive milliseconds")
        }
        func line(_ cycles: [Double]) -> (intercept: Double, slope: Double, error: Double)? {
            guard cycles.allSatisfy(\.isFinite), variance(cycles) > 1e-12, let fit = try? LeastSquares(latencies, on: [cycles]) else {
                return nil
            }
            let slope = fit.coefficients[1].value
            return slope > 0 ? (fit.coefficients[0].value, slope, fit.residuals.reduce(0) { $0 + $1 * $1 }) : nil
        }
        let n = Double(latencies.count)
        // −log-likelihood of normal errors whose variance is estimated, so that the profile has its usual meaning.
        let found = try ParameterFit([
            FreeParameter("inhibition", bounds: 1e-4...0.02, starts: [0.003]),
            FreeParameter("strengthening", bounds: 0.01...2, starts: [0.2]),
        ]) { values in
            let cycles = try CumulativeNamingModel(inhibition: values[0], strengthening: values[1]).cycles(positions: latencies.count)
            return line(cycles).map { n / 2 * log(max($0.error / n, 1e-6)) } ?? .infinity
        }
        let model = CumulativeNamingModel(inhibition: found.values[0], strengthening: found.values[1]),
            cycles = try model.cycles(positions: latencies.count)
        guard let best = line(cycles) else {
            throw DataError(.badData, "no values of inhibition and strengthening give latencies that grow with position")
        }
        return Fit(
            model: model, parameters: found, cycles: cycles, intercept: best.intercept, slope: best.slope,
            predicted: cycles.map { best.intercept + best.slope * $0 }, rmse: (best.error / n).squareRoot())
    }
}
