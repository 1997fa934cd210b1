import FileFormats
import Foundation
import Statistics
import Tensors
import Testing

/// Measures of classifiers, sparse regressions and folds, against scikit-learn (tools/golden/classifiers.py).
@Suite struct ClassificationTests {
    private struct Golden: Decodable {
        struct Matrix: Decodable {
            var truth: [Int], predicted: [Int]
            var accuracy: Double, matthews: Double, macro_f1: Double, weighted_f1: Double
            var f1: [Double], precision: [Double], recall: [Double]
        }
        var matrix: Matrix
        var x: [[Double]], y: [Int], weights: [Double], probabilities: [[Double]], balanced: [Double]
        var target: [Double], ridge: [Double]
        var logits: [[Double]], labels: [Int], temperature: Double
    }
    private let golden: Golden

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/classification.json")
        golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }

    private var sparse: SparseRows {
        var x = SparseRows(columns: golden.x[0].count)
        for row in golden.x { x.append(row.enumerated().filter { $0.element != 0 }.map { (column: $0.offset, value: $0.element) }) }
        return x
    }

    @Test func measuresOfAConfusionMatrix() {
        let expected = golden.matrix, matrix = ConfusionMatrix(truth: expected.truth, predicted: expected.predicted, classes: 4)
        for (own, other) in [
            (matrix.accuracy, expected.accuracy), (matrix.matthews, expected.matthews), (matrix.macroF1, expected.macro_f1),
            (matrix.weightedF1, expected.weighted_f1),
        ] {
            #expect(abs(own - other) < 1e-12)
        }
        for k in 0..<4 {
            #expect(
                abs(matrix.f1(k) - expected.f1[k]) < 1e-12 && abs(matrix.precision(k) - expected.precision[k]) < 1e-12
                    && abs(matrix.recall(k) - expected.recall[k]) < 1e-12)
        }
        let constant = ConfusionMatrix(truth: [0, 1, 1], predicted: [1, 1, 1], classes: 2)
        #expect(constant.matthews == 0 && abs(constant.macroF1 - 0.4) < 1e-12)
    }

    @Test func sparseLogisticRegressionWithWeights() throws {
        let fit = try LogisticRegression(sparse, labels: golden.y, classes: 3, rowWeights: golden.weights, penalty: 0.7)
        let own = try fit.probabilities(sparse)
        for (row, expected) in golden.probabilities.enumerated() {
            for k in 0..<3 { #expect(abs(own[row, k] - expected[k]) < 1e-5, "row \(row)") }
        }
        // The dense roads, Newton's and L-BFGS, go to the same place.
        let dense = Tensor(golden.x.flatMap { $0 }, shape: [golden.x.count, golden.x[0].count])
        for solver in [LogisticRegression.Solver.newton, .lbfgs] {
            let other = try LogisticRegression(
                dense, labels: golden.y, classes: 3, rowWeights: golden.weights, penalty: 0.7, solver: solver)
            for i in 0..<fit.weights.count { #expect(abs(fit.weights[i] - other.weights[i]) < 1e-5) }
            let warm = try LogisticRegression(
                dense, labels: golden.y, classes: 3, rowWeights: golden.weights, penalty: 0.7, solver: .lbfgs, start: other)
            #expect(warm.iterations <= 3)
        }
        let two = golden.y.map { $0 > 0 ? 1 : 0 }, counts = [two.count { $0 == 0 }, two.count { $0 == 1 }]
        let balanced = try LogisticRegression(
            sparse, labels: two, classes: 2, rowWeights: two.map { 40 / (2 * Double(counts[$0])) }, penalty: 0.7
        ).logits(sparse)
        for (row, expected) in golden.balanced.enumerated() { #expect(abs(balanced[row, 1] - expected) < 1e-5 && balanced[row, 0] == 0) }
        #expect(throws: DataError.self) { try LogisticRegression(sparse, labels: golden.y, classes: 3, rowWeights: [1], penalty: 1) }
    }

    @Test func sparseRidge() throws {
        let own = try SparseRidge(sparse, y: golden.target, penalty: 0.9).predictions(sparse)
        for (a, b) in zip(own, golden.ridge) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func temperatureAndCalibration() throws {
        let logits = Tensor(golden.logits.flatMap { $0 }, shape: [50, 3])
        #expect(abs(Calibration.temperature(logits: logits, labels: golden.labels) / golden.temperature - 1) < 1e-4)
        let calibration = Calibration(confidences: [0.55, 0.65, 0.95, 0.95], isRight: [true, false, true, false], bins: 10)
        #expect(calibration.bins[5].count == 1 && calibration.bins[9].count == 2 && abs(calibration.bins[9].accuracy - 0.5) < 1e-12)
        #expect(abs(calibration.expectedError - (0.45 + 0.65 + 2 * 0.45) / 4) < 1e-12)
    }

    @Test func foldsSplitNoGroupAndSpreadClasses() throws {
        let groups = (0..<60).map { $0 / 3 }, strata = (0..<60).map { $0 / 3 % 5 == 0 ? 1 : 0 }
        let folds = try Folds(rows: Array(0..<60), count: 4, groups: groups, strata: strata, seed: 3)
        #expect(folds.tests.flatMap { $0 }.sorted() == Array(0..<60))
        for (part, test) in folds.tests.enumerated() {
            let here = Set(test.map { groups[$0] })
            #expect(here.isDisjoint(with: folds.training(part, of: Array(0..<60)).map { groups[$0] }))
            // Four groups of the rare class, one for each fold.
            #expect(test.count { strata[$0] == 1 } == 3, "\(test)")
        }
        #expect(throws: DataError.self) { try Folds(rows: Array(0..<60), count: 21, groups: groups) }
        #expect(try Folds(rows: Array(0..<60), count: 4, seed: 1) != Folds(rows: Array(0..<60), count: 4, seed: 2))
    }
}
