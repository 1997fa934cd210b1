import Foundation
import Simulation
import Tensors
import Testing

@Suite struct NelderMeadTests {
    @Test func rosenbrock() {
        let minimum = NelderMead().minimize(from: [-1.2, 1], step: [0.5, 0.5]) { x in 100 * pow(x[1] - x[0] * x[0], 2) + pow(1 - x[0], 2) }
        #expect(minimum.hasConverged && abs(minimum.point[0] - 1) < 1e-4 && abs(minimum.point[1] - 1) < 1e-4)
    }

    @Test func infinityIsAWall() {
        let minimum = NelderMead().minimize(from: [1, 1], step: [0.3, 0.3]) { x in x[0] < 0.5 ? .infinity : x[0] * x[0] + x[1] * x[1] }
        #expect(abs(minimum.point[0] - 0.5) < 1e-3 && abs(minimum.point[1]) < 0.02)
    }
}

@Suite struct ParameterFitTests {
    /// The exponential rate of n waiting times: θ̂ = 1 / mean, and the profile has a closed equation.
    @Test func profileOfAnExponentialRate() throws {
        let n = 20.0, total = 10.0
        let fit = try ParameterFit([FreeParameter("rate", bounds: 0.01...100)]) { v in -(n * log(v[0]) - v[0] * total) }
        let rate = fit.parameters[0]
        #expect(abs(rate.value - 2) < 1e-4)
        func rise(_ v: Double) -> Double { -(n * log(v) - v * total) + (n * log(2) - 2 * total) }
        let (low, high) = (try #require(rate.low), try #require(rate.high))
        #expect(low < 2 && high > 2 && abs(rise(low) - 1.9207) < 0.001 && abs(rise(high) - 1.9207) < 0.001)
        #expect(abs(fit.aic - (2 + 2 * fit.misfit)) < 1e-12 && abs(fit.bic(observations: n) - (log(n) + 2 * fit.misfit)) < 1e-12)
    }

    @Test func onlyTheProductIsIdentified() throws {
        let fit = try ParameterFit([FreeParameter("a", bounds: 0.1...10), FreeParameter("b", bounds: 0.1...10)]) { v in
            50 * pow(log(v[0] * v[1]), 2)
        }
        #expect(!fit.parameters[0].isIdentified && !fit.parameters[1].isIdentified)
    }

    @Test func penaltyPullsToItsCentre() throws {
        let free = FreeParameter("a", bounds: 0.1...10, penalty: .init(weight: 3, center: 2))
        // (a − 1)² + 3 (a − 2)² is least at 7 / 4.
        let fit = try ParameterFit([free]) { v in pow(v[0] - 1, 2) }
        #expect(abs(fit.values[0] - 1.75) < 1e-4 && abs(fit.misfit - 0.5625) < 1e-3 && abs(fit.penalty - 0.1875) < 1e-3)
    }

    @Test func noncentralChiSquare() {
        // scipy.stats.ncx2.sf(5.991464547107979, 2, 9.634478)
        #expect(abs(NamingFitter.noncentralUpper(5.991464547107979, freedom: 2, noncentrality: 9.634478) - 0.7999907987734894) < 1e-9)
        #expect(abs(NamingFitter.noncentralUpper(5.991464547107979, freedom: 2, noncentrality: 0) - 0.05) < 1e-9)
    }
}
