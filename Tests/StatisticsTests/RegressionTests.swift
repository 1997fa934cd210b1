import FileFormats
import Statistics
import Tensors
import Testing

@Suite struct RegressionTests {
    @Test func leastSquaresAgreeWithStatsmodels() throws {
        let golden = try Golden.load().regressions
        for expected in golden.ols {
            let fit = try LeastSquares(golden.y, on: golden.x, names: ["a", "b", "c"], intercept: expected.intercept)
            #expect(fit.names == (expected.intercept ? ["(intercept)"] : []) + ["a", "b", "c"])
            #expect(deviation(fit.coefficients.map(\.value), expected.coefficients) < 1e-9)
            #expect(deviation(fit.standardErrors, expected.errors) < 1e-9 && deviation(fit.t, expected.t) < 1e-9)
            #expect(deviation(fit.coefficients.map { $0.p ?? 9 }, expected.p) < 1e-8)
            #expect(deviation(fit.coefficients.flatMap(bounds), expected.intervals.flatMap { $0 }, floor: 1e-3) < 1e-9)
            #expect(
                deviation(
                    [fit.rSquared, fit.adjustedRSquared, fit.logLikelihood], [expected.rSquared, expected.adjusted, expected.logLikelihood])
                    < 1e-10)
            #expect(deviation(fit.f?.value ?? 0, expected.f) < 1e-9 && deviation(fit.f?.p ?? 9, expected.fP) < 1e-8)
            #expect(deviation(fit.residuals, expected.residuals, floor: 1) < 1e-9)
        }
    }

    @Test func dependentPredictorsAreNamed() throws {
        let golden = try Golden.load().regressions
        let sum = golden.x[0].indices.map { golden.x[0][$0] + 2 * golden.x[2][$0] }
        let fault = #expect(throws: DataError.self) {
            try LeastSquares(golden.y, on: [golden.x[0], golden.x[2], sum], names: ["a", "c", "sum"])
        }
        #expect(fault?.message.contains("linear combination") == true)
        let constant = [Double](repeating: 3, count: golden.y.count)
        #expect(throws: DataError.self) { try LeastSquares(golden.y, on: [constant]) }
        #expect(throws: DataError.self) { try LeastSquares(golden.y, on: [[0, 0]]) }
        #expect(throws: DataError.self) { try LeastSquares([1, 2], on: [[1, 2]]) }
        #expect(throws: DataError.self) { try LeastSquares([1, 2, .nan], on: [[1, 2, 4]]) }
    }

    @Test func ridgeAgreesWithScikitLearn() throws {
        for golden in try Golden.load().regressions.ridge {
            let columns = golden.x.count / golden.rows
            let x = Tensor(golden.x, shape: [golden.rows, columns]), y = Tensor(golden.y, shape: [golden.rows, 3]),
                new = Tensor(golden.new, shape: [4, columns])
            for expected in golden.fits {
                let ridge = try Ridge(x, intercept: expected.intercept), target = try ridge.target(y)
                let (weights, intercepts) = try ridge.coefficients(target, penalty: expected.alpha)
                #expect(deviation(weights.elements, expected.coefficients, floor: 1e-3) < 1e-9)
                #expect(deviation(intercepts, expected.intercepts, floor: 1e-3) < 1e-9)
                #expect(
                    deviation(
                        try ridge.predictions(try ridge.projected(new), target, penalty: expected.alpha).elements, expected.predictions,
                        floor: 1e-3) < 1e-9)
                let single = try Ridge(x.converted(to: Float.self), intercept: expected.intercept)
                let floats = try single.coefficients(try single.target(y.converted(to: Float.self)), penalty: expected.alpha).weights
                #expect(deviation(floats.elements.map(Double.init), expected.coefficients, floor: 0.1) < 1e-4)
            }
            // Without a penalty a wide design is interpolated by the solution of smallest norm.
            let ridge = try Ridge(x), target = try ridge.target(y)
            if columns > golden.rows {
                #expect(deviation(try ridge.predictions(try ridge.projected(x), target, penalty: 0).elements, golden.y, floor: 1e-2) < 1e-9)
            }
            #expect(throws: DataError.self) { try ridge.coefficients(target, penalty: -1) }
            #expect(throws: DataError.self) { try ridge.target(Tensor(repeating: 0, shape: [golden.rows + 1, 1])) }
        }
    }

    @Test func logisticRegressionAgreesWithScikitLearn() throws {
        let golden = try Golden.load().classifications
        let x = Tensor(golden.x, shape: [60, 4])
        for expected in golden.fits {
            let isTwo = expected.labels == "two"
            for solver in [LogisticRegression.Solver.newton, .lbfgs] {
                let fit = try LogisticRegression(
                    x, labels: isTwo ? golden.two : golden.three, classes: isTwo ? 2 : 3, penalty: expected.penalty,
                    intercept: expected.intercept, solver: solver)
                #expect(fit.isConverged, "\(solver) \(expected.penalty)")
                #expect(
                    deviation(fit.weights.elements, expected.weights, floor: 0.1) < 1e-6, "\(solver) \(expected.labels) \(expected.penalty)"
                )
                #expect(deviation(fit.intercepts, expected.intercepts, floor: 0.1) < 1e-6)
                #expect(deviation(try fit.probabilities(x).elements, expected.probabilities, floor: 0.01) < 1e-6)
            }
        }
    }

    @Test func withoutPenaltyAgreesWithStatsmodels() throws {
        let golden = try Golden.load().classifications
        let x = Tensor(golden.x, shape: [60, 4])
        let two = try LogisticRegression(x, labels: golden.two, classes: 2, penalty: 0)
        #expect(deviation(two.intercepts + two.weights.elements, golden.logit, floor: 0.1) < 1e-8)
        #expect(deviation(two.standardErrors ?? [], golden.errors) < 1e-8 && deviation(two.logLikelihood, golden.logLikelihood) < 1e-10)
        let three = try LogisticRegression(x, labels: golden.three, classes: 3, penalty: 0)
        #expect(deviation(three.logLikelihood, golden.multinomialLogLikelihood) < 1e-10)
        #expect(deviation(try three.probabilities(x).elements, golden.multinomialProbabilities, floor: 1e-3) < 1e-7)
        #expect(abs(three.intercepts.reduce(0, +)) < 1e-9)
    }

    @Test func separationAndBadLabels() throws {
        let x = Tensor([1.0, 2, 3, 4, 5, 6], shape: [6, 1])
        for solver in [LogisticRegression.Solver.newton, .lbfgs] {
            #expect(
                try !LogisticRegression(x, labels: [0, 0, 0, 1, 1, 1], classes: 2, penalty: 0, solver: solver, maximumIterations: 60)
                    .isConverged)
            #expect(try LogisticRegression(x, labels: [0, 0, 0, 1, 1, 1], classes: 2, penalty: 1, solver: solver).isConverged)
        }
        #expect(throws: DataError.self) { try LogisticRegression(x, labels: [0, 0, 0, 0, 0, 0], classes: 2) }
        #expect(throws: DataError.self) { try LogisticRegression(x, labels: [0, 1, 2, 0, 1, 2], classes: 2) }
        #expect(throws: DataError.self) { try LogisticRegression(x, labels: [0, 1], classes: 2) }
    }
}
