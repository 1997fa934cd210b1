import FileFormats
import Foundation
import Statistics
import Tensors

/// The naming model fitted to one person's responses.
package struct NamingFit: Sendable {
    package var responses: NamingResponses
    package var variant: NamingModel.Variant
    package var fit: ParameterFit
    /// All parameters, those held fixed among them, in the order of `variant.parameterNames`.
    package var values: [Double]
    /// Proportions simulated at the fitted values, by category.
    package var predicted: [Double]
    /// Root mean squared deviation of the predicted from the observed proportions over the six categories.
    package var rmsd: Double
    /// The same for the published parameters, where the table has them.
    package var publishedRMSD: Double?
    /// G² against the multinomial that has the observed proportions, with 5 − k degrees of freedom, and its p-value.
    package var deviance: Double, devianceP: Double

    package var bic: Double { fit.bic(observations: responses.classified) }
}

/// Fits the naming model by maximum likelihood on a simulated surface.
package struct NamingFitter: Sendable {
    /// How responses outside the categories count in the observed proportions. The likelihood is that of the classified responses in either
    /// case.
    package enum Omissions: String, Sendable, CaseIterable {
        /// Proportions of the classified responses.
        case exclude
        /// Proportions of all pictures, as printed in tables; the model has no omissions, so its proportions are larger.
        case keep
    }

    package let model: NamingModel
    package let surface: ProbabilitySurface
    /// Parameters that are fitted, in the order of the variant; the others stay at the published values of people without aphasia.
    package var free: [String]
    package var penalties: [String: FreeParameter.Penalty] = [:]
    package var omissions = Omissions.exclude
    /// Trials of the simulation at the fitted values.
    package var trials = 10_000
    package var seed: UInt64 = 0
    package var threads = Parallel.availableThreads

    package init(model: NamingModel, surface: ProbabilitySurface) {
        (self.model, self.surface, free) = (model, surface, model.variant.parameterNames)
    }

    /// The grid of a variant's surface: from chance to a little beyond the values of people without aphasia, since a lesion lowers the
    /// weights and hastens decay. Far above them feedback swamps the target, and errors rise again.
    package static func axes(_ variant: NamingModel.Variant, points: Int = 33) -> (x: ProbabilitySurface.Axis, y: ProbabilitySurface.Axis) {
        switch variant {
        case .semanticPhonological: (.init("s", range: 0.0005...0.08, count: points), .init("p", range: 0.006...0.12, count: points))
        case .weightDecay:
            (.init("weight", range: 0.001...0.12, count: points), .init("decay", range: 0.45...0.97, count: points, isLogarithmic: false))
        }
    }

    /// Simulates a variant's surface on `points` × `points` values.
    package static func surface(
        _ model: NamingModel, points: Int = 33, trials: Int = 4000, seed: UInt64 = 0, threads: Int = Parallel.availableThreads
    ) throws -> ProbabilitySurface {
        let axes = axes(model.variant, points: points)
        return try ProbabilitySurface(
            x: axes.x, y: axes.y, categories: NamingModel.Category.allCases.count, trials: trials, seed: seed, threads: threads
        ) {
            try model.counts([$0, $1], trials: trials, seed: seed, threads: 1)
        }
    }

    private func all(_ values: [Double]) -> [Double] {
        let names = model.variant.parameterNames
        return names.indices.map { i in free.firstIndex(of: names[i]).map { values[$0] } ?? model.variant.controlValues[i] }
    }

    private var parameters: [FreeParameter] {
        zip([surface.x, surface.y], model.variant.controlValues).filter { free.contains($0.0.name) }.map { axis, control in
            FreeParameter(axis.name, bounds: axis.range, starts: [control], penalty: penalties[axis.name])
        }
    }

    /// −Σ count · log p.
    private static func misfit(_ counts: [Double], _ p: [Double]) -> Double {
        -zip(counts, p).reduce(0) { $0 + ($1.0 > 0 ? $1.0 * log($1.1) : 0) }
    }

    /// The parameters and their intervals from the surface alone.
    package func parameters(of counts: [Double]) throws -> ParameterFit {
        try ParameterFit(parameters) { values in
            let v = all(values)
            return Self.misfit(counts, surface.probabilities(v[0], v[1]))
        }
    }

    /// Parameters from the surface, proportions from a simulation at the fitted values.
    ///
    /// - Parameter refines: whether a search by direct simulation goes on from the surface's optimum.
    package func fit(_ responses: NamingResponses, refines: Bool = false) throws -> NamingFit {
        var fit = try parameters(of: responses.counts)
        if refines {
            let start = fit.values.map(log)
            let minimum = try NelderMead.coarse.minimize(from: start, step: start.map { _ in 0.1 }) { x in
                let values = x.map(exp)
                guard zip(values, parameters).allSatisfy({ $1.bounds.contains($0) }) else { return .infinity }
                return Self.misfit(responses.counts, try simulated(all(values)))
                    + zip(parameters, values).reduce(0) { $0 + $1.0.cost($1.1) }
            }
            for i in fit.parameters.indices { fit.parameters[i].value = exp(minimum.point[i]) }
            fit.evaluations += minimum.evaluations
            fit.misfit = Self.misfit(responses.counts, try simulated(all(fit.values)))
        }
        let values = all(fit.values), predicted = try simulated(values)
        let saturated = Self.misfit(responses.counts, responses.proportions), freedom = Double(5 - free.count)
        let deviance = max(0, 2 * (Self.misfit(responses.counts, predicted) - saturated))
        let names = model.variant.parameterNames, published = names.compactMap { responses.published["\(model.variant.rawValue)_\($0)"] }
        return NamingFit(
            responses: responses, variant: model.variant, fit: fit, values: values, predicted: predicted, rmsd: rmsd(responses, predicted),
            publishedRMSD: published.count == names.count ? rmsd(responses, try simulated(published)) : nil,
            deviance: deviance, devianceP: ChiSquare(freedom: freedom).upper(deviance))
    }

    /// Proportions at these values, half a response added to every category.
    private func simulated(_ values: [Double]) throws -> [Double] {
        try model.counts(values, trials: trials, seed: seed, threads: threads).map { (Double($0) + 0.5) / (Double(trials) + 3) }
    }

    private func rmsd(_ responses: NamingResponses, _ predicted: [Double]) -> Double {
        let observed = omissions == .exclude ? responses.proportions : responses.rawProportions
        return (zip(observed, predicted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(observed.count)).squareRoot()
    }

    // MARK: What can be known

    /// Fits to simulated people whose parameters are known.
    package struct Recovery: Sendable {
        package struct Person: Sendable {
            package var values: [Double]
            package var fit: ParameterFit
        }
        package var people: [Person]

        /// Of parameter `index`: share of intervals that hold the true value, share that are bounded on both sides, mean error of log θ and
        /// its spread.
        package func summary(_ index: Int) -> (coverage: Double, identified: Double, bias: Double, error: Double) {
            let n = Double(people.count)
            let covered = people.count { p in
                let own = p.fit.parameters[index]
                return (own.low ?? 0) <= p.values[index] && p.values[index] <= (own.high ?? .infinity)
            }
            let errors = people.map { log($0.fit.parameters[index].value / $0.values[index]) }, bias = errors.reduce(0, +) / n
            return (
                Double(covered) / n, Double(people.count { $0.fit.parameters[index].isIdentified }) / n, bias,
                (errors.reduce(0) { $0 + $1 * $1 } / n).squareRoot()
            )
        }
    }

    /// Parameter recovery: `people` simulated persons with values spread evenly (on the axes' scales) over a region, `items` pictures each,
    /// and the fits to their responses. Responses are drawn from a direct simulation, not from the surface.
    package func recovery(people: Int, items: Int, x: ClosedRange<Double>, y: ClosedRange<Double>) throws -> Recovery {
        var results = [Recovery.Person?](repeating: nil, count: people)
        let random = RandomSource(seed: seed)
        try results.withUnsafeMutableBufferPointer { buffer in
            let shared = buffer.baseAddress.map { Shared($0) }
            try Parallel.forEach(people, threads: threads) { person, _ in
                var random = random.split(UInt64(person))
                func draw(_ axis: ProbabilitySurface.Axis, _ range: ClosedRange<Double>) -> Double {
                    let u = random.uniform()
                    return axis.isLogarithmic
                        ? range.lowerBound * pow(range.upperBound / range.lowerBound, u)
                        : range.lowerBound + u * (range.upperBound - range.lowerBound)
                }
                let values = [draw(surface.x, x), draw(surface.y, y)]
                // One seed per person: their pictures are other trials than the surface's.
                let counts = try model.counts(values, trials: items, seed: random.next(), threads: 1)
                shared?.pointer[person] = .init(values: values, fit: try parameters(of: counts.map(Double.init)))
            }
        }
        return Recovery(people: results.compactMap { $0 })
    }

    /// How many pictures are needed to distinguish two people.
    package struct Power: Sendable {
        /// Pictures per person for each power asked for, in that order.
        package var items: [(power: Double, items: Int)]
        /// Expected G² per picture of a common set of parameters.
        package var devianceByItem: Double
    }

    /// The likelihood-ratio test that two people have the same parameters: expected G² per picture is that of their fitted probabilities,
    /// power comes from the noncentral χ² distribution with as many degrees of freedom as free parameters.
    ///
    /// - Throws: `DataError` if the two have the same fitted probabilities.
    package func power(_ a: ParameterFit, _ b: ParameterFit, powers: [Double] = [0.8, 0.9, 0.95], level: Double = 0.05) throws -> Power {
        let (va, vb) = (all(a.values), all(b.values)), pa = surface.probabilities(va[0], va[1]), pb = surface.probabilities(vb[0], vb[1])
        let both = zip(pa, pb).map { $0 + $1 }
        let apart = Self.misfit(pa, pa) + Self.misfit(pb, pb), together = try parameters(of: both).misfit
        let each = 2 * (together - apart)
        guard each > 1e-9 else {
            throw DataError(.badData, "the two have the same fitted parameters; no number of pictures can distinguish them")
        }
        let freedom = Double(free.count), critical = ChiSquare(freedom: freedom).quantile(1 - level)
        return Power(
            items: powers.map { power in
                var (low, high) = (1.0, 2.0)
                while high < 1e9, Self.noncentralUpper(critical, freedom: freedom, noncentrality: each * high) < power {
                    (low, high) = (high, high * 2)
                }
                while high - low > 0.5 {
                    let middle = (low + high) / 2
                    if Self.noncentralUpper(critical, freedom: freedom, noncentrality: each * middle) < power {
                        low = middle
                    } else {
                        high = middle
                    }
                }
                return (power, Int(high.rounded(.up)))
            }, devianceByItem: each)
    }

    /// P(χ² > x) of the noncentral distribution: central ones weighted by a Poisson distribution.
    package static func noncentralUpper(_ x: Double, freedom: Double, noncentrality: Double) -> Double {
        let half = noncentrality / 2, reach = Int(half + 12 * (half + 1).squareRoot()) + 20,
            first = max(0, Int(half - 12 * (half + 1).squareRoot()))
        var sum = 0.0
        for j in first...reach {
            let weight = exp(Double(j) * log(max(half, 1e-300)) - half - lgamma(Double(j) + 1))
            sum += weight * ChiSquare(freedom: freedom + 2 * Double(j)).upper(x)
        }
        return min(sum, 1)
    }
}

extension NelderMead {
    /// For objectives that are simulated: proportions come in steps, so nothing is gained below these.
    static var coarse: NelderMead {
        var search = NelderMead()
        (search.valueTolerance, search.pointTolerance, search.maximumEvaluations) = (0.01, 0.005, 80)
        return search
    }
}
