import Testing

@testable import Statistics

@Suite struct DistributionTests {
    /// Cumulative probability, upper tail and quantile by the golden file's name.
    private func functions(_ golden: Golden.Continuous) throws -> (Double) -> (Double, Double, Double) {
        let p = golden.parameters
        switch golden.name {
        case "normal": return { (Normal.cumulative($0), Normal.upper($0), Normal.quantile($0)) }
        case "t":
            let d = StudentT(freedom: p[0])
            return { (d.cumulative($0), d.upper($0), d.quantile($0)) }
        case "beta":
            let d = Beta(p[0], p[1])
            return { (d.cumulative($0), d.upper($0), d.quantile($0)) }
        case "f":
            let d = FisherF(p[0], p[1])
            return { (d.cumulative($0), d.upper($0), d.quantile($0)) }
        default:
            let d = ChiSquare(freedom: p[0])
            return { (d.cumulative($0), d.upper($0), d.quantile($0)) }
        }
    }

    @Test func agreeWithScipy() throws {
        for golden in try Golden.load().distributions.continuous {
            let function = try functions(golden)
            // scipy's own tails of beta(5000, 7000) carry about twelve digits.
            let bound = 2e-11
            for (i, x) in golden.x.enumerated() {
                let (cumulative, upper, _) = function(x)
                #expect(deviation(cumulative, golden.cumulative[i]) < bound, "\(golden.name) \(golden.parameters) at \(x): \(cumulative)")
                #expect(deviation(upper, golden.upper[i]) < bound, "\(golden.name) \(golden.parameters) above \(x): \(upper)")
            }
            for (i, share) in golden.shares.enumerated() {
                #expect(
                    deviation(function(share).2, golden.quantiles[i]) < 1e-11,
                    "\(golden.name) \(golden.parameters) quantile \(share): \(function(share).2)")
            }
        }
    }

    @Test func binomialAgreesWithScipy() throws {
        for golden in try Golden.load().distributions.binomial {
            let binomial = Binomial(trials: golden.n, p: golden.p)
            for (i, k) in golden.k.enumerated() {
                #expect(deviation(binomial.mass(k), golden.mass[i]) < 1e-11)
                #expect(deviation(binomial.cumulative(k), golden.cumulative[i]) < 1e-11)
                #expect(deviation(binomial.upper(k), golden.upper[i]) < 1e-11)
            }
        }
    }

    @Test func noncentralAgreesWithScipy() throws {
        for golden in try Golden.load().distributions.noncentral {
            let found = NoncentralT(freedom: golden.freedom, noncentrality: golden.delta).cumulative(golden.t)
            #expect(
                abs(found - golden.cumulative) < 1e-11,
                "nct(\(golden.freedom), \(golden.delta)) at \(golden.t): \(found), scipy \(golden.cumulative)")
        }
    }

    @Test func edges() {
        #expect(Normal.quantile(0) == -.infinity && Normal.quantile(1) == .infinity && Normal.quantile(0.5) == 0)
        #expect(Beta(2, 3).quantile(0) == 0 && Beta(2, 3).quantile(1) == 1)
        #expect(StudentT(freedom: 4).twoSided(.infinity) == 0 && StudentT(freedom: 4).twoSided(0) == 1)
        #expect(ChiSquare(freedom: 1).upper(0) == 1 && FisherF(1, 2).upper(0) == 1)
        #expect(
            Binomial(trials: 3, p: 0).mass(0) == 1 && Binomial(trials: 3, p: 1).mass(3) == 1
                && Binomial(trials: 3, p: 0.5).cumulative(-1) == 0)
    }
}
