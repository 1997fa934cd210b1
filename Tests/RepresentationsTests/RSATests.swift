import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors
import Testing

@testable import Representations

@Suite struct RSATests {
    @Test func agreementAndCeilingAreThoseOfRsatoolbox() throws {
        let golden = try Golden.load().comparisons
        for comparison in RDMComparison.allCases {
            let expected = try #require(golden.agreement[comparison.rawValue]), ceiling = try #require(golden.ceiling[comparison.rawValue])
            for (model, row) in zip(golden.models, expected) {
                for (subject, value) in zip(golden.subjects, row) {
                    #expect(abs(try comparison(model, subject, conditions: golden.conditions) - value) < 1e-9, "\(comparison)")
                }
            }
            let found = try comparison.noiseCeiling(golden.subjects, conditions: golden.conditions)
            #expect(largest([found.lower, found.upper], ceiling) < 1e-9, "\(comparison) \(found)")
        }
    }

    @Test func permutationAndBootstrap() throws {
        let golden = try Golden.load().comparisons, n = golden.conditions
        let models = try golden.models.enumerated().map { ("m\($0)", try rdm($1, n)) },
            subjects = try golden.subjects.enumerated().map { ("s\($0)", try rdm($1, n)) }
        for comparison in RDMComparison.allCases {
            let rsa = RSA(comparison, permutations: 400, bootstrap: .both, resamples: 100, seed: 3)
            let result = try rsa(models: models, subjects: subjects)
            var single = rsa
            single.threads = 1
            let again = try single(models: models, subjects: subjects)
            #expect(
                result.models.map(\.estimate) == again.models.map(\.estimate)
                    && result.differences.map(\.estimate) == again.differences.map(\.estimate))
            // The model that made the subjects is found; noise is not.
            #expect((result.models[0].estimate.p ?? 1) < 0.01 && (result.models[2].estimate.p ?? 0) > 0.02)
            #expect(result.models[0].estimate.interval?.contains(result.models[0].estimate.value) == true)
            #expect(result.differences.count == 3)
            // The quick road of linear measures is that of the plain one.
            if comparison != .tauA {
                let expected = mean(golden.subjects.map { (try? comparison(golden.models[0], $0, conditions: n)) ?? 0 })
                #expect(abs(result.models[0].estimate.value - expected) < 1e-12)
            }
        }
        // Conditions are matched by name.
        let shuffled = try subjects.map { ($0.0, try $0.1.selecting(Array((0..<n).reversed()))) }
        let plain = RSA(.spearman, permutations: 50, resamples: 50)
        #expect(
            try plain(models: models, subjects: shuffled).models.map(\.estimate)
                == plain(models: models, subjects: subjects).models.map(\.estimate))
        // The partial correlation is that of residuals.
        let three = try plain(models: models, subjects: subjects), others = [golden.models[1], golden.models[2]]
        let expected = try mean(golden.subjects.map { try Correlation.spearman.partial(golden.models[0], $0, given: others).value })
        #expect(abs((three.models[0].partial ?? 2) - expected) < 1e-10)
        #expect(try plain(models: models + [("again", models[0].1)], subjects: subjects).models[0].partial == nil)
        let bare = try RSA(.spearman, permutations: 50, resamples: 0)(models: models, subjects: subjects)
        #expect(
            bare.models.allSatisfy { $0.estimate.interval == nil && $0.estimate.p != nil }
                && bare.differences.allSatisfy { $0.estimate.p == nil })
        #expect(throws: DataError.self) { try plain(models: models, subjects: [("x", rdm([1, 2, 3], 3))]) }
        #expect(throws: DataError.self) { try plain(models: [("flat", rdm([Double](repeating: 1, count: 66), 12))], subjects: subjects) }
    }

    @Test(.enabled(if: isShared("rsa/rsa92/rdm92.tsv"), "../shared is absent")) func ninetyTwoImages() throws {
        let table = try rows(shared("rsa/rsa92/rdm92.tsv")), header = table[0]
        func column(_ name: String) throws -> [Double] {
            let place = try #require(header.firstIndex(of: name))
            return table.dropFirst().compactMap { Double($0[place]) }
        }
        let subjects = try (1...4).map { s in zip(try column("brain_s\(s)_t1"), try column("brain_s\(s)_t2")).map { ($0 + $1) / 2 } }
        // Published beside the task, measured with rsatoolbox: animacy, monkeyIT, HMAX, ceiling lower and upper.
        let expected: [(RDMComparison, [Double])] = [
            (.pearson, [0.3871, 0.3335, 0.1521, 0.3944, 0.6804]), (.spearman, [0.3862, 0.2963, 0.1599, 0.3723, 0.6657]),
            (.rhoA, [0.3345, 0.2963, 0.1599, 0.3723, 0.6657]),
            (.tauA, [0.2230, 0.2009, 0.1073, 0.2539, 0.4767]), (.covarianceWeighted, [0.4282, 0.3656, 0.1559, 0.4298, 0.6958]),
        ]
        for (comparison, values) in expected {
            let models = try ["animacy", "monkeyIT", "HMAX"].map { try column("model_" + $0) }
            let found = try models.map { model in mean(try subjects.map { try comparison(model, $0, conditions: 92) }) }
            let ceiling = try comparison.noiseCeiling(subjects, conditions: 92)
            #expect(largest(found + [ceiling.lower, ceiling.upper], values) < 5.1e-5, "\(comparison) \(found) \(ceiling)")
        }
        let average = try rdm(subjects[0].indices.map { pair in mean(subjects.map { $0[pair] }) }, 92)
        let classical = try MDS(.classical).fit(average)
        #expect(largest(Array(classical.eigenvalues[..<4]), [5.6397, 2.3203, 1.7448, 1.2469]) < 5.1e-5, "\(classical.eigenvalues[..<4])")
        // The published .3420 divides by the squares of the dissimilarities, Kruskal's stress-1 (and scikit-learn 1.9) by those of the
        // distances.
        let metric = try MDS(.metric, maximumIterations: 3000, tolerance: 1e-12).fit(average)
        let residual = zip(metric.distances, metric.disparities).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let byDissimilarities = (residual / metric.disparities.reduce(0) { $0 + $1 * $1 }).squareRoot()
        #expect(abs(byDissimilarities - 0.3420) < 5.1e-5 && abs(metric.stress - 0.36397) < 5.1e-5, "\(byDissimilarities) \(metric.stress)")
        #expect(abs(try MDS(.nonmetric).fit(average).stress - 0.2335) < 5.1e-5)
    }
}

@Suite struct EncodingTests {
    @Test func leaveTwoOutAgreesWithHimalaya() throws {
        let golden = try Golden.load().encodings
        let x = Tensor(golden.x, shape: [10, 4]), y = Tensor(golden.y, shape: [10, 7])
        let found = try LeaveTwoOut(penalty: 2, permutations: 99)(features: x, measurements: y)
        #expect(abs(found.value - golden.leaveTwoOut) < 1e-12)
        #expect(try LeaveTwoOut(penalty: 2, permutations: 99, threads: 1)(features: x, measurements: y) == found)
        #expect((found.p ?? 1) < 0.2)
        #expect(throws: DataError.self) { try LeaveTwoOut()(features: x, measurements: y.rows(0..<9)) }
    }

    @Test func plantedVoxelsAreFound() throws {
        var random = RandomSource(seed: 4)
        let n = 60, d = 5, v = 6
        let x = Tensor<Float>((0..<n * d).map { _ in Float(random.normal()) }, shape: [n, d])
        var y = Tensor<Float>((0..<n * v).map { _ in Float(random.normal()) }, shape: [n, v])
        for row in 0..<n { for k in 0..<3 { y[row, k] += 2 * x[row, k] - x[row, 4] + 10 } }
        let model = EncodingModel(penalties: EncodingModel.grid(1e-2, 1e4, 7), folds: 5, permutations: 200, seed: 1)
        let scores = try model(features: x, measurements: y)
        #expect(scores.r[..<3].allSatisfy { $0 > 0.7 } && scores.r[3...].allSatisfy { $0 < 0.4 })
        #expect(scores.rSquared[..<3].allSatisfy { $0 > 0.5 })
        #expect((scores.adjustedP ?? [])[..<3].allSatisfy { $0 < 0.02 } && (scores.adjustedP ?? [])[3...].allSatisfy { $0 > 0.02 })
        var single = model
        single.threads = 1
        #expect(try single(features: x, measurements: y).r == scores.r)
        // Groups are never split.
        let groups = (0..<n).map { $0 / 6 }
        for fold in try model.folding(rows: Array(0..<n), groups: groups) {
            for group in Set(fold.map { groups[$0] }) { #expect(fold.count { groups[$0] == group } == 6) }
        }
        #expect(throws: DataError.self) { try model.folding(rows: Array(0..<n), groups: (0..<n).map { $0 / 20 }) }
    }

    @Test(.enabled(if: isShared("brain/mitchell60/voxels500-P1.tsv"), "../shared is absent")) func sixtyNouns() throws {
        let glove = try String(contentsOfFile: shared("brain/mitchell60/glove50-60nouns.vec"), encoding: .utf8).split(separator: "\n")
            .dropFirst().map { $0.split(separator: " ") }
        let vectors = Dictionary(uniqueKeysWithValues: glove.map { (String($0[0]), $0.dropFirst().compactMap { Double($0) }) })
        func features(_ words: [String]) throws -> Tensor<Double> {
            Tensor(try words.flatMap { try #require(vectors[$0]) }, shape: [words.count, 50])
        }
        var shares: [Double: [Double]] = [:]
        for person in 1...9 {
            let table = try rows(shared("brain/mitchell60/voxels500-P\(person).tsv")).dropFirst()
            let y = Tensor(table.flatMap { $0.dropFirst().compactMap { Double($0) } }, shape: [table.count, 500])
            for penalty in [100.0, 1.0] {
                shares[penalty, default: []].append(
                    try LeaveTwoOut(penalty: penalty)(features: features(table.map { $0[0] }), measurements: y).value)
            }
        }
        // Measured with scikit-learn and himalaya when the task was set.
        #expect(abs(shares[100]![0] - 0.7876) < 1e-4 && abs(mean(shares[100]!) - 0.6055) < 1e-4, "\(shares[100]![0]) \(mean(shares[100]!))")
        #expect(abs(shares[1]![0] - 0.6525) < 1e-4 && abs(mean(shares[1]!) - 0.5365) < 1e-4, "\(shares[1]![0]) \(mean(shares[1]!))")

        let words = try String(contentsOfFile: shared("brain/mitchell60/brainbench-words.txt"), encoding: .utf8).split(separator: "\n").map(
            String.init)
        let model = try RDM(features(words), labels: words, metric: .correlation)
        var similarity = model.matrix
        for i in 0..<60 * 60 { similarity[i] = 1 - similarity[i] }
        let table = try rows(shared("brain/mitchell60/brainbench-correlations.tsv"))
        let agreements = try (4..<22).map { column -> Double in
            var data = Tensor<Double>(repeating: 1, shape: [60, 60])
            for row in table.dropFirst() {
                let i = try #require(Int(row[0])), j = try #require(Int(row[1])), value = try #require(Double(row[column]))
                data[i, j] = value
                data[j, i] = value
            }
            return try LeaveTwoOut.agreement(model: similarity, data: data)
        }
        #expect(
            abs(mean(Array(agreements[..<9])) - 0.6502) < 1e-4 && abs(mean(Array(agreements[9...])) - 0.6282) < 1e-4,
            "\(mean(Array(agreements[..<9]))) \(mean(Array(agreements[9...])))")
    }
}
