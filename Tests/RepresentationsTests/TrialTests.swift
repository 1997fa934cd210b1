import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors
import Testing

@testable import Representations

@Suite struct TrialTests {
    @Test func distancesOfTrialsAreThoseOfRsatoolbox() throws {
        let golden = try Golden.load().trials, trials = golden.conditions.count
        let design = try TrialDesign(conditions: golden.conditions, folds: golden.folds),
            data = NumericArray(shape: [1, trials, golden.channels], values: golden.x)
        for (kind, expected) in [(NoiseCovariance.Shrinkage.diagonal, golden.diagonal), (.identity, golden.identity), (.none, golden.none)]
        {
            let (rest, freedom) = NoiseCovariance.residuals(Tensor(golden.x, shape: [trials, golden.channels]), design.members())
            #expect(
                largest(try NoiseCovariance(residuals: rest, freedom: freedom, kind).matrix.elements, expected.covariance) < 1e-12,
                "\(kind)")
            for (measure, values) in [(TrialDistances.Measure.mahalanobis, expected.mahalanobis), (.crossnobis, expected.crossnobis)] {
                let found = try TrialDistances(measure, shrinkage: kind)(data, design, times: [0])
                #expect(largest(found.values[0], values) < 1e-9, "\(measure) \(kind)")
            }
        }
        #expect(largest(try TrialDistances(.decoding)(data, design, times: [0]).values[0], golden.decoding) < 1e-12)
    }

    @Test func timesAreSeparateAndThreadsDoNotMatter() throws {
        let golden = try Golden.load().trials, trials = golden.conditions.count,
            design = try TrialDesign(conditions: golden.conditions, folds: golden.folds)
        let data = NumericArray(shape: [3, trials, golden.channels], values: golden.x + golden.x.map { $0 * 2 } + golden.x.reversed())
        for measure in TrialDistances.Measure.allCases {
            var distances = TrialDistances(measure, sharesNoise: false)
            let found = try distances(data, design, times: [0, 0.1, 0.2])
            distances.threads = 1
            #expect(try distances(data, design, times: [0, 0.1, 0.2]) == found)
            #expect(found.values[0] != found.values[2])
            // Noise that is estimated at each time takes the scale out.
            if measure.needsNoise { #expect(largest(found.values[0], found.values[1]) < 1e-9, "\(measure)") }
        }
        // Shared noise is the mean over times, so that a doubled signal is further apart.
        let shared = try TrialDistances(.mahalanobis)(data, design, times: [0, 0.1, 0.2])
        #expect(abs(shared.values[1][0] / shared.values[0][0] - 4) < 1e-9)
    }

    @Test func whatIsMissingIsNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return ""
            } catch let error as DataError { return error.message } catch { return "\(error)" }
        }
        #expect(message { _ = try TrialDesign(conditions: ["a", "a"]) }.contains("all trials belong to the condition 'a'"))
        #expect(message { _ = try TrialDesign(conditions: ["a", ""]) }.contains("trial 1 has no condition"))
        let lacking = try TrialDesign(conditions: ["a", "b", "a"], folds: ["1", "1", "2"])
        #expect(
            message {
                _ = try TrialDistances(.crossnobis)(NumericArray(shape: [1, 3, 2], values: [1, 2, 3, 4, 5, 6]), lacking, times: [0])
            }.contains("fold '2' has no trials of 'b'"))
        let single = try TrialDesign(conditions: ["a", "b"], folds: ["1", "1"])
        #expect(
            message { _ = try TrialDistances(.mahalanobis)(NumericArray(shape: [1, 2, 2], values: [1, 2, 3, 4]), single, times: [0]) }
                .contains("more trials than conditions"))
        #expect(
            message { _ = try TrialDistances(.euclidean)(NumericArray(shape: [1, 2, 2], values: [1, .nan, 3, 4]), single, times: [0]) }
                .contains("trial 0, channel 1 is nan"))
        let flat = try TrialDesign(conditions: ["a", "a", "b", "b"])
        #expect(
            message {
                _ = try TrialDistances(.crossnobis)(NumericArray(shape: [1, 4, 2], values: [1, 7, 2, 7, 3, 7, 5, 7]), flat, times: [0])
            }.contains("channel 1 never varies"))
    }

    @Test func modelsAreFoundWhereTheyWerePlanted() throws {
        var random = RandomSource(seed: 8)
        let n = 14, labels = (0..<n).map { "c\($0)" }
        func normal(_ count: Int) -> [Double] { (0..<count).map { _ in random.normal() } }
        let truth = try RDM(Tensor(normal(n * 4), shape: [n, 4]), labels: labels, metric: .euclidean),
            other = try RDM(Tensor(normal(n * 4), shape: [n, 4]), labels: labels, metric: .euclidean)
        let subjects = try (0..<4).map { subject in
            (
                "s\(subject)",
                try RDMSeries(
                    labels: labels, times: [0, 1, 2, 3],
                    values: (0..<4).map { time in truth.values.map { (time >= 2 ? $0 : 0) + 4 + 0.6 * random.normal() } })
            )
        }
        for comparison in RDMComparison.allCases {
            let rsa = RSA(comparison, permutations: comparison == .tauA ? 100 : 300, resamples: 100, seed: 2)
            let course = try rsa.timeCourse(models: [("truth", truth), ("other", other)], subjects: subjects)
            #expect(
                course.models[0].adjustedP[2...].allSatisfy { $0 < 0.03 } && course.models[0].adjustedP[..<2].allSatisfy { $0 > 0.03 },
                "\(comparison) \(course.models[0].adjustedP)")
            // Each time by itself says the same.
            let single = try rsa(models: [("truth", truth), ("other", other)], subjects: subjects.map { ($0.0, try $0.1.rdm(2)) })
            #expect(
                abs(single.models[0].estimate.value - course.models[0].estimates[2].value) < 1e-12
                    && single.models[0].estimate.p == course.models[0].estimates[2].p, "\(comparison)")
            #expect(abs((single.ceiling?.lower ?? 0) - (course.ceiling?[2].lower ?? 1)) < 1e-12)
            var one = rsa
            one.threads = 1
            #expect(
                try one.timeCourse(models: [("truth", truth), ("other", other)], subjects: subjects).models.map(\.estimates)
                    == course.models.map(\.estimates))
        }
        let late = try RDMSeries(labels: labels, times: [0, 1, 2, 4], values: subjects[0].1.values)
        #expect(throws: DataError.self) { try RSA().timeCourse(models: [("truth", truth)], subjects: [subjects[0], ("late", late)]) }
    }

    @Test func ranksByBitsAreRanks() {
        var random = RandomSource(seed: 1)
        for scale in [1.0, 1e-300, 1e12] {
            // Ties, both zeros and both signs among them.
            let values = (0..<5000).map { i in i % 7 == 0 ? Double(random.below(20)) - 10 : i % 11 == 0 ? -0.0 : random.normal() * scale }
            #expect(ranks(values) == averageRanks(values))
        }
        #expect(ranks([Double](repeating: 3, count: 3000)) == averageRanks([Double](repeating: 3, count: 3000)))
    }

    /// The counted bootstrap is the written-out one.
    @Test func weightsStandForRepeatedConditions() throws {
        let golden = try Golden.load().comparisons, n = golden.conditions
        var random = RandomSource(seed: 5)
        for comparison in [RDMComparison.pearson, .spearman, .rhoA, .cosine] {
            let weighted = try #require(WeightedComparison(golden.models, golden.subjects, n, comparison, threads: 2))
            for _ in 0..<20 {
                let drawn = (0..<n).map { _ in random.below(n) }.sorted(), subjects = (0..<5).map { _ in random.below(5) }
                func part(_ values: [Double]) -> [Double] {
                    drawn.enumerated().flatMap { place, i in
                        drawn[(place + 1)...].filter { $0 != i }.map { values[i * (2 * n - i - 1) / 2 + $0 - i - 1] }
                    }
                }
                let found = weighted.means(drawn: drawn, subjects: subjects)
                let expected = golden.models.map { model in
                    mean(subjects.map { (try? comparison(part(model), part(golden.subjects[$0]), conditions: n)) ?? .nan })
                }
                for (a, b) in zip(found, expected) where !b.isNaN { #expect(abs(a - b) < 1e-10, "\(comparison)") }
            }
        }
    }
}

@Suite struct BandTests {
    @Test func theSearchIsHimalayas() throws {
        let golden = try Golden.load().banded, n = golden.rows, x = Tensor(golden.x.map(Float.init), shape: [n, 8]),
            y = Tensor(golden.y.map(Float.init), shape: [n, 6])
        let search = PenaltySearch(
            penalties: golden.penalties, bands: [0..<3, 3..<8], weightings: golden.weightings, standardizes: false, threads: 2)
        let folds = (0..<4).map { Array($0 * n / 4..<($0 + 1) * n / 4) }, voxels = Array(0..<6)
        let losses = try search.losses(x, y, rows: Array(0..<n), folds: folds, voxels: voxels)
        for (weighting, scores) in golden.scores.enumerated() {
            for (voxel, score) in scores.enumerated() {
                let best = golden.penalties.indices.map { losses[(weighting * golden.penalties.count + $0) * 6 + voxel] }.min() ?? 0
                #expect(abs(-best / Double(n) - score) < 1e-5, "\(weighting) \(voxel)")
            }
        }
        let choices = try search.best(x, y, rows: Array(0..<n), folds: folds, voxels: voxels)
        for (voxel, choice) in choices.enumerated() {
            let best = golden.scores.indices.max { golden.scores[$0][voxel] < golden.scores[$1][voxel] }
            #expect(choice.weighting == best, "\(voxel)")
        }
        let ridge = try Ridge(Tensor(golden.x, shape: [n, 8])),
            (weights, intercepts) = try ridge.coefficients(ridge.target(Tensor(golden.y, shape: [n, 6])), penalty: 2)
        #expect(largest(weights.elements, golden.coefficients) < 1e-10 && largest(intercepts, golden.intercepts) < 1e-10)

        let fast = try PenaltySearch(penalties: [2], standardizes: false, threads: 2).coefficients(
            x, y, rows: Array(0..<n), voxels: voxels, voxels.map { _ in .init(weighting: 0, penalty: 0) })
        #expect(largest(fast.elements.map(Double.init), golden.coefficients) < 1e-5)

        // Predictions of training rows, in bands, against himalaya's splits of R².
        let plain = PenaltySearch(penalties: [2], bands: [0..<3, 3..<8], weightings: [[1, 1]], standardizes: false, threads: 1)
        let all = Array(0..<n),
            block = try #require(
                plain.predict(x, y, train: all, new: all, voxels: voxels, voxels.map { _ in .init(weighting: 0, penalty: 0) }).first)
        var means = Tensor<Float>(repeating: 0, shape: [1, 6])
        for k in 0..<6 { means[0, k] = Float(block.means[k]) }
        let split = HeldOut(predicted: block.values, measured: y, means: means, folds: [all]).scores(parts: block.parts, threads: 1)
        for k in 0..<6 { for band in 0..<2 { #expect(abs(split.split[k][band] - golden.split[band][k]) < 1e-5) } }
        for k in 0..<6 { #expect(abs(split.split[k].reduce(0, +) - split.rSquared[k]) < 1e-6) }
    }

    @Test func kernelAndFeaturesGiveTheSamePredictions() throws {
        var random = RandomSource(seed: 3)
        for (n, p) in [(12, 5), (9, 20), (10, 10)] {
            let x = Tensor<Float>((0..<n * p).map { _ in Float(random.normal()) }, shape: [n, p]),
                y = Tensor<Float>((0..<n * 3).map { _ in Float(random.normal()) }, shape: [n, 3])
            let train = Array(0..<n - 3), new = Array(n - 3..<n), penalties = [0.3, 5, 40.0]
            let found = try #require(
                PenaltySearch(penalties: penalties, standardizes: false, threads: 1).predict(
                    x, y, train: train, new: new, voxels: [0, 1, 2], (0..<3).map { .init(weighting: 0, penalty: $0) }
                ).first)
            let ridge = try Ridge(x.rows(0..<n - 3).converted(to: Double.self)),
                target = try ridge.target(y.rows(0..<n - 3).converted(to: Double.self))
            let rows = try ridge.projected(x.rows(n - 3..<n).converted(to: Double.self))
            for k in 0..<3 {
                let expected = try ridge.predictions(rows, target, penalty: penalties[k])
                for i in 0..<3 { #expect(abs(Double(found.values[i, k]) + found.means[k] - expected[i, k]) < 1e-4, "\(n) \(p)") }
            }
        }
    }

    /// Repeats in which some voxels carry the features and the others noise: selection finds them, and what it finds in a fold does not
    /// look at the fold.
    @Test func stableVoxelsAreFoundInTheFold() throws {
        var random = RandomSource(seed: 6)
        let n = 40, d = 4, v = 30, planted = Set([2, 7, 11, 12, 20])
        let x = Tensor<Float>((0..<n * d).map { _ in Float(random.normal()) }, shape: [n, d])
        let signal = (0..<v).map { voxel in
            (0..<n).map { row in planted.contains(voxel) ? x[row, voxel % d] * 1.5 - x[row, (voxel + 1) % d] : 0 }
        }
        let repeats = try Reliability(
            (0..<4).map { _ in
                Tensor<Float>((0..<n).flatMap { row in (0..<v).map { signal[$0][row] + Float(random.normal()) } }, shape: [n, v])
            })
        #expect(Set(repeats.stable(5, items: Array(0..<n))) == planted)
        // Stability is the mean of the pairwise correlations.
        let columns = repeats.repeats.map { table in (0..<n).map { Double(table[$0, 7]) } }
        var pairwise: [Double] = []
        for i in 0..<4 { for j in i + 1..<4 { pairwise.append(try Correlation.pearson(columns[i], columns[j])) } }
        #expect(abs(repeats.stability(items: Array(0..<n))[7] - mean(pairwise)) < 1e-9)
        let ceiling = repeats.ceiling()[7], r = mean(pairwise)
        #expect(abs(ceiling - (4 * r / (1 + 3 * r)).squareRoot()) < 1e-9)

        let scores = try EncodingModel(penalties: EncodingModel.grid(0.1, 1000, 5), folds: 4, stable: 5, permutations: 100, seed: 1)(
            features: x, measurements: repeats.mean, repeats: repeats)
        #expect(planted.allSatisfy { scores.r[$0] > 0.6 && scores.penalties[$0].count == 4 && (scores.adjustedP?[$0] ?? 1) < 0.05 })
        #expect((0..<v).filter { !planted.contains($0) }.allSatisfy { scores.penalties[$0].count < 4 })
        let pairs = try LeaveTwoOut(penalty: 10, stable: 5, permutations: 20)(
            features: x.converted(to: Double.self), measurements: repeats.mean.converted(to: Double.self), repeats: repeats)
        #expect(pairs.value > 0.9 && (pairs.p ?? 1) < 0.06)

        // Only noise: choosing voxels by all items and then leaving items out would not make it predictable here, but choosing must not see
        // the test rows.
        var other = repeats.repeats
        for voxel in 0..<v { other[0][39, voxel] = 1e6 }
        let without = try Reliability(other).stable(5, items: Array(0..<39)), with = repeats.stable(5, items: Array(0..<39))
        #expect(without == with)
        #expect(throws: DataError.self) { try Reliability([repeats.mean]) }
        #expect(throws: DataError.self) { try EncodingModel(stable: 3)(features: x, measurements: repeats.mean) }
    }

    @Test func bandsGetTheirOwnWeights() throws {
        var random = RandomSource(seed: 9)
        let n = 80, x = Tensor<Float>((0..<n * 24).map { _ in Float(random.normal()) }, shape: [n, 24])
        // Voxel 0 follows the first band of four features, voxel 1 one of the second of twenty.
        let y = Tensor<Float>(
            (0..<n).flatMap { row in [x[row, 0] - x[row, 2] + Float(random.normal()), 2 * x[row, 10] + Float(random.normal())] },
            shape: [n, 2])
        let scores = try EncodingModel(penalties: EncodingModel.grid(0.1, 1e4, 8), bands: [0..<4, 4..<24], bandSamples: 5)(
            features: x, measurements: y)
        #expect(scores.weights[0][0] > 0.6 && scores.weights[1][1] > 0.6, "\(scores.weights)")
        #expect(
            scores.splitRSquared[0][0] > 5 * abs(scores.splitRSquared[0][1])
                && scores.splitRSquared[1][1] > 5 * abs(scores.splitRSquared[1][0]), "\(scores.splitRSquared)")
        for k in 0..<2 { #expect(abs(scores.splitRSquared[k].reduce(0, +) - scores.rSquared[k]) < 1e-6) }
        #expect(throws: DataError.self) { try EncodingModel(bands: [0..<4, 5..<24])(features: x, measurements: y) }
    }

    @Test(.enabled(if: isShared("brain/mitchell60/voxels500-P1.tsv"), "../shared is absent")) func coefficientsOfTheFirstPerson() throws {
        let glove = try String(contentsOfFile: shared("brain/mitchell60/glove50-60nouns.vec"), encoding: .utf8).split(separator: "\n")
            .dropFirst().map { $0.split(separator: " ") }
        let vectors = Dictionary(uniqueKeysWithValues: glove.map { (String($0[0]), $0.dropFirst().compactMap { Double($0) }) })
        let table = try rows(shared("brain/mitchell60/voxels500-P1.tsv")).dropFirst()
        let y = Tensor(table.flatMap { $0.dropFirst().compactMap { Double($0) } }, shape: [table.count, 500])
        var x = Tensor(try table.flatMap { try #require(vectors[$0[0]]) }, shape: [table.count, 50]), copy = x
        Standardization(x).apply(to: &x, &copy)
        let ridge = try Ridge(x), target = try ridge.target(y), (weights, _) = try ridge.coefficients(target, penalty: 100)
        // Published beside the task, measured with himalaya's Ridge.
        #expect(
            largest((0..<3).map { weights[0, $0] }, [0.00930211, -0.00649699, -0.01268339]) < 1e-6, "\((0..<3).map { weights[0, $0] })")
        let predicted = try ridge.predictions(ridge.projected(x), target, penalty: 100)
        let r = try (0..<500).map { k in try Correlation.pearson((0..<60).map { predicted[$0, k] }, (0..<60).map { y[$0, k] }) }
        #expect(abs(mean(r) - 0.69465) < 1e-5, "\(mean(r))")
    }
}

@Suite struct AlignmentTests {
    @Test func disparityIsScipys() throws {
        let golden = try Golden.load().alignments, a = Tensor(golden.a, shape: [9, 2]), b = Tensor(golden.b, shape: [9, 2])
        #expect(abs(try Procrustes.fit(b, to: a).disparity - golden.disparity) < 1e-12)
    }

    @Test func mapsThatAreTheSameComeOnTop() throws {
        let golden = try Golden.load().alignments, a = Tensor(golden.a, shape: [9, 2])
        // Turned, mirrored, shifted and scaled.
        var b = a
        for i in 0..<9 { (b[i, 0], b[i, 1]) = (3 - 2 * a[i, 1], 5 + 2 * a[i, 0]) }
        #expect(largest(try Procrustes.fit(b, to: a).coordinates.elements, a.elements) < 1e-12)
        let (maps, _, disparities) = try Procrustes.align([a, b, Tensor(golden.b, shape: [9, 2])])
        #expect(largest(maps[0].elements, maps[1].elements) < 1e-9)
        #expect(abs(disparities[0] - disparities[1]) < 1e-9 && disparities[2] > disparities[0])
        #expect(throws: DataError.self) { try Procrustes.fit(a, to: Tensor(repeating: 1, shape: [9, 2])) }
        #expect(throws: DataError.self) { try Procrustes.align([a, a.rows(0..<8)]) }
    }
}
