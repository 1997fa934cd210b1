import Foundation
import Simulation
import Testing

@Suite struct WeaverTests {
    static let bilingual: [(WeaverModel.Distractor, Double)] = [
        (.related, 213.57), (.unrelated, 162.00), (.translation, 130.43), (.none, 158.17),
    ]

    @Test func bilingualPictureWord() throws {
        for (distractor, latency) in Self.bilingual {
            let found = try WeaverModel().pictureWordLatency(distractor)
            #expect(abs(found - latency) < 0.005)
        }
    }

    @Test func continuousNaming() throws {
        for (named, latency) in [108.4, 123.3, 136.9, 148.8, 159.1].enumerated() {
            let found = try WeaverModel().continuousNamingLatency(named: named)
            #expect(abs(found - latency) < 0.05)
        }
    }

    @Test(.enabled(if: SharedData.has("picture-word-soa/weaver-reference.tsv"))) func sharedTable() throws {
        let model = WeaverModel(),
            names: [String: WeaverModel.Distractor] = [
                "related": .related, "unrelated": .unrelated, "translation": .translation, "control": .none,
            ]
        for row in try SharedData.rows("picture-word-soa/weaver-reference.tsv") {
            let condition = try #require(row["condition"]), expected = try #require(row["ms"].flatMap(Double.init))
            let found =
                try names[condition].map { try model.pictureWordLatency($0) }
                ?? model.continuousNamingLatency(named: try #require(Int(condition.suffix(1))) - 1)
            #expect(abs(found - expected) < 0.05, "\(condition): \(found)")
        }
    }
}

@Suite struct CumulativeNamingTests {
    static let latencies = [610.0, 635, 661, 688, 735]

    @Test func fitsTheFigure() throws {
        let fit = try CumulativeNamingModel.fit(latencies: Self.latencies)
        print(fit)
        #expect(fit.rmse < 3)
        #expect(zip(fit.predicted, fit.predicted.dropFirst()).allSatisfy { $0 < $1 })
        // Two parameters of a flat ridge: five means do not identify them.
        #expect(fit.parameters.parameters.contains { !$0.isIdentified })
    }

    @Test func lagMakesNoDifference() throws {
        let model = CumulativeNamingModel(inhibition: 0.006, strengthening: 0.47)
        func series(lag: Int) -> (categories: [Int], members: [Int]) {
            var categories: [Int] = [], members: [Int] = [], filler = 1
            for position in 0..<5 {
                members.append(categories.count)
                categories.append(0)
                if position < 4 {
                    for _ in 0..<lag {
                        categories.append(filler)
                        filler += 1
                    }
                }
            }
            return (categories, members)
        }
        let direct = try model.cycles(positions: 5)
        #expect(zip(direct, direct.dropFirst()).allSatisfy { $0 < $1 - 1 })
        for lag in [2, 8] {
            let (categories, members) = series(lag: lag), cycles = try model.cycles(categories)
            #expect(zip(members.map { cycles[$0] }, direct).allSatisfy { abs($0 - $1) < 0.01 })
        }
    }

    /// Each of the three properties is needed.
    @Test func withoutCompetitionOrStrengtheningThereIsNoEffect() throws {
        let still = try CumulativeNamingModel(inhibition: 0.006, strengthening: 0).cycles(positions: 5),
            alone = try CumulativeNamingModel(inhibition: 0, strengthening: 0.5).cycles(positions: 5)
        #expect(still.allSatisfy { abs($0 - still[0]) < 1e-9 } && alone.allSatisfy { abs($0 - alone[0]) < 1e-9 })
    }
}

@Suite struct ERPTests {
    static let texts = [
        "the dog and the cat run for the red bus", "a man can sit by the big box", "two men dig for the old pot in the sun",
        "the boy hid the hat and the cup",
        "his pet pig got wet", "many people stand near the train", "small children play with red balls", "the girl had one egg and ham",
        "a fat hen sat on its bed",
        "students listen to music while they wait", "big brown dogs chase thin white cats", "the fox ran far", "how did she win the cap",
        "put the lid on the jar",
        "let him rub the mud off the rug", "some tall trees grow behind these small houses", "red kites fly high",
        "the bee and the ant met the bug",
    ]

    @Test func alphaHasPeakOneAtT() {
        let values = [300.0, 0, -5, 299, 301].map { ERPModel.alpha($0, peak: 300) }
        #expect(values[0] == 1 && values[1] == 0 && values[2] == 0)
        #expect(values[3] < 1 && values[4] < 1)
        // It falls: with the sign of the exponent lost it would grow without bound.
        #expect(ERPModel.alpha(3000, peak: 300) < 0.01)
    }

    @Test func gradientsAgreeWithFiniteDifferences() {
        let network = ReadingNetwork(hidden: 6, inhibitory: 3, semantics: 5, seed: 3), target = [1.0, 0, 0, 1, 0]
        let g = network.gradient("cat", target: target), h = 1e-6
        for k in network.layers.indices {
            for i in stride(from: 0, to: network.layers[k].count, by: 7) where abs(network.layers[k][i]) > 1e-5 {
                var (up, down) = (network, network)
                up.layers[k][i] += h
                down.layers[k][i] -= h
                let slope = (up.gradient("cat", target: target).loss - down.gradient("cat", target: target).loss) / (2 * h)
                #expect(abs(slope - g.layers[k][i]) < 1e-7)
            }
        }
        for k in network.biases.indices {
            for i in network.biases[k].indices {
                var (up, down) = (network, network)
                up.biases[k][i] += h
                down.biases[k][i] -= h
                let slope = (up.gradient("cat", target: target).loss - down.gradient("cat", target: target).loss) / (2 * h)
                #expect(abs(slope - g.biases[k][i]) < 1e-7)
            }
        }
    }

    @Test func repetitionEvokesLess() throws {
        let lexicon = try ERPLexicon(texts: Self.texts, count: 24, seed: 1)
        var network = ReadingNetwork(hidden: 24, inhibitory: 6, semantics: 24, seed: 1)
        network.train(lexicon.trained, epochs: 150, features: 5, seed: 1)
        #expect(try #require(network.losses.last) < network.losses[0] * 0.4)
        // Signs were kept.
        for (k, sign) in [1.0, 1, -1, 1, 1, -1].enumerated() { #expect(network.layers[k].allSatisfy { $0 * sign >= 0 }) }
        let conditions = ERPModel(network: network).simulate(lexicon)
        #expect(conditions.count == 4)
        for c in conditions {
            print(c.kind, c.strings, c.firstPeak, c.secondPeak, c.effect, c.effectError)
            #expect(c.effect > 3 * c.effectError && c.effect > 0)
            let peak = try #require(c.first.indices.max { c.first[$0] < c.first[$1] })
            // It rises to a peak in the middle and falls to less than half.
            #expect((20...60).contains(peak) && c.first[99] < c.firstPeak * 0.6)
        }
    }

    @Test func stringsAreWhatTheyAreCalled() throws {
        let lexicon = try ERPLexicon(texts: Self.texts, count: 24, seed: 1), all = lexicon.strings.values.joined()
        #expect(Set(all).count == all.count)
        let corpus = Set(Self.texts.joined(separator: " ").split(separator: " ").map(String.init))
        #expect(try #require(lexicon.strings[.word]).allSatisfy(corpus.contains))
        #expect(
            try #require(lexicon.strings[.pseudoword]).allSatisfy { !corpus.contains($0) && $0.contains(where: Set("aeiouy").contains) })
        #expect(try #require(lexicon.strings[.illegal]).allSatisfy { !$0.contains(where: Set("aeiouy").contains) })
        #expect(throws: (any Error).self) { try ERPLexicon(texts: ["これは日本語の文です"], seed: 1) }
    }

    @Test func spectrumOfACosine() {
        let model = ERPModel(network: ReadingNetwork(seed: 0))
        let curve = (0..<100).map { (t: Int) -> Double in 0.5 + 2 * cos(6 * Double.pi * Double(t) / 100) }
        let spectrum = model.spectrum(curve)
        #expect(abs(spectrum[0].amplitude - 0.5) < 1e-12)
        #expect(abs(spectrum[3].amplitude - 2) < 1e-12)
        #expect(spectrum[3].hertz == 3)
        #expect(spectrum[4].amplitude < 1e-12)
    }
}

@Suite struct OverfittingTests {
    @Test func interpolatesWhereThereAreAsManyCoefficientsAsPoints() throws {
        let study = Overfitting(), data = study.data()
        for degree in [9, 10, 12] { #expect(study.errors(try study.fit(data, degree: degree), data).fitted < 1e-6) }
    }

    /// Exact line through exact points, and the least-norm solution of one equation.
    @Test func leastSquares() throws {
        let line = try Overfitting.leastSquares([[1, 0], [1, 1], [1, 2], [1, 5]], [1, 3, 5, 11])
        #expect(abs(line[0] - 1) < 1e-12 && abs(line[1] - 2) < 1e-12)
        let wide = try Overfitting.leastSquares([[3, 4, 0]], [10])
        #expect(zip(wide, [1.2, 1.6, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
        let slanted = try Overfitting.leastSquares([[1, 1], [1, 2], [1, 3]], [1, 2, 2])
        #expect(abs(slanted[0] - 2.0 / 3) < 1e-12 && abs(slanted[1] - 0.5) < 1e-12)
        #expect(throws: (any Error).self) { try Overfitting.leastSquares([[1, 1], [1, 1], [1, 1]], [1, 2, 3]) }
    }

    @Test func errorFallsInsideAndRisesOutside() throws {
        let study = Overfitting(), data = study.data()
        let errors = try study.degrees.map { study.errors(try study.fit(data, degree: $0), data) }
        #expect(zip(errors, errors.dropFirst()).allSatisfy { $1.fitted <= $0.fitted + 1e-9 })
        let low = try study.decomposition(degree: 1), high = try study.decomposition(degree: 9)
        #expect(low.squaredBias > 0.3 && low.variance < high.variance && high.heldOutError > low.heldOutError)
    }

    /// Squared errors + λ Σ c², without the constant: every coefficient stands at the minimum of that sum.
    @Test func theFitMinimizesErrorAndPenalty() throws {
        let study = Overfitting(), data = study.data(), penalty = 0.3
        let best = try study.fit(data, degree: 4, penalty: penalty).coefficients
        func objective(_ coefficients: [Double]) -> Double {
            let errors = data.fitted.map { i in
                coefficients.reversed().reduce(0) { $0 * (data.x[i] / (3 * Double.pi) - 1) + $1 } - data.y[i]
            }
            return errors.reduce(0) { $0 + $1 * $1 } + penalty * coefficients.dropFirst().reduce(0) { $0 + $1 * $1 }
        }
        for k in best.indices {
            for step in [-1e-3, 1e-3] {
                var near = best
                near[k] += step
                #expect(objective(near) > objective(best), "coefficient \(k)")
            }
        }
    }

    @Test func penaltyShrinksCoefficients() throws {
        let study = Overfitting(), data = study.data()
        let norms = try study.penalties.map { penalty in
            try study.fit(data, degree: 9, penalty: penalty).coefficients.dropFirst().reduce(0) { $0 + $1 * $1 }
        }
        #expect(zip(norms, norms.dropFirst()).allSatisfy { $1 < $0 })
    }
}
