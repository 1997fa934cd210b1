import Analysis
import FileFormats
import Foundation
import Tensors
import Testing

@Suite struct PCATests {
    @Test(arguments: [PCA.Solver.covariance, .full, .randomized])
    func agreesWithScikitLearn(_ solver: PCA.Solver) throws {
        let golden = try Golden.load()
        let model = try PCA(components: .count(5), solver: solver).fit(golden.x)
        for (mine, theirs) in zip(model.explainedVariance, golden.pca.variances) { #expect(abs(mine / theirs - 1) < 1e-6) }
        for (mine, theirs) in zip(model.explainedVarianceRatio, golden.pca.ratios) { #expect(abs(mine / theirs - 1) < 1e-6) }
        #expect(largestDifference(model.mean, golden.pca.mean) < 1e-6)
        #expect(largestDifference(model.components.elements, golden.pca.components.flatMap { $0 }) < 1e-5)
        let scale = golden.pca.coordinates.joined().map(abs).max() ?? 1
        #expect(
            largestDifference(try model.transform(golden.x).elements.map(Double.init), golden.pca.coordinates.flatMap { $0 }) < 1e-5 * scale
        )
        #expect(model.solver == solver)
    }

    @Test func whitens() throws {
        let golden = try Golden.load()
        let model = try PCA(components: .count(5), whiten: true).fit(golden.x)
        let coordinates = try model.transform(golden.x)
        #expect(largestDifference(coordinates.elements.map(Double.init), golden.whitened.flatMap { $0 }) < 5e-5)
        let back = try model.inverseTransform(coordinates), plain = try PCA(components: .count(5)).fit(golden.x)
        #expect(
            largestDifference(
                back.elements.map(Double.init), try plain.inverseTransform(plain.transform(golden.x)).elements.map(Double.init)) < 1e-4)
    }

    @Test func explainsAShareOfTheVariance() throws {
        let golden = try Golden.load()
        for solver in [PCA.Solver.covariance, .full] {
            #expect(try PCA(components: .explaining(0.95), solver: solver).fit(golden.x).count == golden.componentsFor95)
        }
        #expect(throws: DataError.self) { try PCA(components: .explaining(0.95), solver: .randomized).fit(golden.x) }
        #expect(throws: DataError.self) { try PCA(components: .explaining(1)).fit(golden.x) }
    }

    @Test func reconstructionLosesTheOtherComponents() throws {
        let golden = try Golden.load()
        let model = try PCA(components: .count(5)).fit(golden.x), lost = try model.reconstructionError(golden.x)
        let unexplained = 1 - model.explainedVarianceRatio.reduce(0, +)
        #expect(abs(lost.share - unexplained) < 1e-5)
        #expect(try PCA(components: .all).fit(golden.x).reconstructionError(golden.x).share < 1e-10)
    }

    @Test(.tags(.sameBits)) func sameBitsForAnyThreads() throws {
        let x = sample(rows: 11_000, columns: 20)
        for solver in [PCA.Solver.covariance, .full, .randomized] {
            let one = try PCA(components: .count(4), solver: solver, threads: 1).fit(x)
            for threads in 2...3 {
                let other = try PCA(components: .count(4), solver: solver, threads: threads).fit(x)
                #expect(other.components.hasSameBits(as: one.components))
                #expect(other.explainedVariance.map(\.bitPattern) == one.explainedVariance.map(\.bitPattern))
                #expect(try other.transform(x, threads: threads).hasSameBits(as: one.transform(x, threads: 1)))
            }
        }
    }

    @Test func solversAgreeOnWideAndTallAndOffsetData() throws {
        for (rows, columns, offset) in [(30, 200, 0.0), (5_000, 12, 0), (3_000, 6, 1e4)] {
            let x = Tensor(sample(rows: rows, columns: columns).elements.map { Float(Double($0) + offset) }, shape: [rows, columns])
            let full = try PCA(components: .count(4), solver: .full).fit(x)
            for solver in [PCA.Solver.covariance, .automatic] {
                let other = try PCA(components: .count(4), solver: solver).fit(x)
                for (a, b) in zip(full.explainedVariance, other.explainedVariance) { #expect(abs(a / b - 1) < 1e-7) }
                #expect(largestDifference(full.components.elements, other.components.elements) < 1e-6)
            }
        }
    }

    /// Products in Float are precise enough for large components alone.
    @Test func smallComponentsAreAsPreciseAsLargeOnes() throws {
        let (rows, columns) = (2_000, 24), plain = sample(rows: rows, columns: columns).elements
        // Variances from 1 down to 1e-8, in directions that no column has for itself (mirrored at the hyperplane across 1, 1, …).
        let mixed = (0..<rows).flatMap { row in
            let scaled = (0..<columns).map { Double(plain[row * columns + $0]) * pow(10, -Double($0) / 2) }
            let along = 2 * scaled.reduce(0, +) / Double(columns)
            return scaled.map { Float($0 - along) }
        }
        let x = Tensor(mixed, shape: [rows, columns])
        let full = try PCA(components: .count(6), solver: .full).fit(x), other = try PCA(components: .count(6), solver: .covariance).fit(x)
        for (a, b) in zip(full.explainedVariance, other.explainedVariance) { #expect(abs(a / b - 1) < 1e-6) }
    }

    /// Whose squares are not floats.
    @Test func veryLargeAndVerySmallNumbersHaveComponents() throws {
        let (rows, columns) = (300, 24), plain = sample(rows: rows, columns: columns)
        let expected = try PCA(components: .count(3), solver: .full).fit(plain)
        for scale in [Float(1e22), 1e-25] {
            let model = try PCA(components: .count(3), solver: .covariance).fit(
                Tensor(plain.elements.map { $0 * scale }, shape: [rows, columns]))
            for (a, b) in zip(model.explainedVarianceRatio, expected.explainedVarianceRatio) { #expect(abs(a / b - 1) < 1e-5) }
        }
    }

    @Test func leavesOutInvalidRows() throws {
        let x = sample(rows: 2_500, columns: 6)
        let valid = (0..<2_500).map { $0 % 3 != 0 }
        let kept = Tensor(
            (0..<2_500).filter { valid[$0] }.flatMap { row in (0..<6).map { x[row, $0] } }, shape: [valid.count(where: { $0 }), 6])
        for solver in [PCA.Solver.covariance, .full, .randomized] {
            let masked = try PCA(components: .count(3), solver: solver).fit(x, valid: valid),
                alone = try PCA(components: .count(3), solver: solver).fit(kept)
            for (a, b) in zip(masked.explainedVariance, alone.explainedVariance) { #expect(abs(a / b - 1) < 1e-10) }
        }
    }

    @Test func coordinatesInChunksAreTheSame() throws {
        let x = sample(rows: 1_000, columns: 9), model = try PCA(components: .count(3)).fit(x), whole = try model.transform(x)
        var parts: [Float] = []
        try model.transform(x, chunkRows: 77) { _, part in parts += part.elements }
        #expect(parts == whole.elements)
    }

    @Test func badInputIsAnErrorAndPoorInputHasNoNaN() throws {
        let x = sample(rows: 20, columns: 6)
        #expect { try PCA(components: .count(7)).fit(x) } throws: { "\($0)".contains("at most 6") }
        #expect { try PCA(components: .count(5)).fit(x.rows(0..<4)) } throws: { "\($0)".contains("at most 4") }
        #expect(throws: DataError.self) { try PCA(components: .count(1)).fit(x.rows(0..<1)) }
        #expect(throws: DataError.self) { try PCA(components: .count(0)).fit(x) }
        #expect(throws: DataError.self) { try PCA(components: .count(2)).fit(sample(rows: 20, columns: 6), valid: [true]) }
        var broken = x
        broken[7 * 6] = .infinity
        for solver in [PCA.Solver.covariance, .full, .randomized] {
            #expect { try PCA(components: .count(2), solver: solver).fit(broken) } throws: { "\($0)".contains("row 7") }
            #expect(throws: DataError.self) {
                try PCA(components: .count(2), solver: solver).fit(Tensor<Float>(repeating: 0.1, shape: [20, 6]))
            }
        }
        // Constant columns and copies: rank 2 of 6.
        let poor = Tensor<Float>((0..<20).flatMap { row in [Float(row % 3), 5, 5, Float(row % 2), 5, 5] }, shape: [20, 6])
        for solver in [PCA.Solver.covariance, .full, .randomized] {
            let model = try PCA(components: .count(4), solver: solver, whiten: true).fit(poor)
            #expect(model.explainedVariance.allSatisfy { $0 >= 0 } && model.components.isFinite)
            #expect(try model.transform(poor).isFinite)
        }
        #expect(throws: DataError.self) { try PCA(components: .count(2)).fit(x).transform(sample(rows: 3, columns: 5)) }
    }
}
