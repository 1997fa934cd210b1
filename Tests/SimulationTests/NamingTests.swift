import Foundation
import Simulation
import Tensors
import Testing

@Suite struct NamingModelTests {
    /// (variant, values, expected proportions in the order correct, semantic, formal, nonword, mixed, unrelated, half a printed unit)
    static let published: [(NamingModel.Variant, [Double], [Double], Double)] = [
        (.semanticPhonological, [0.0698, 0.1], [0.9732, 0.0118, 0.0011, 0.0000, 0.0139, 0.0000], 0.00005),
        (.weightDecay, [0.1, 0.5], [0.967, 0.021, 0.000, 0.001, 0.012, 0.000], 0.0005),
        (.weightDecay, [0.0057, 0.5], [0.701, 0.069, 0.059, 0.134, 0.008, 0.030], 0.0005),
        (.weightDecay, [0.1, 0.86], [0.740, 0.130, 0.030, 0.058, 0.039, 0.005], 0.0005),
        (.semanticPhonological, [0, 0], [0.042, 0.042, 0.080, 0.750, 0.004, 0.082], 0.0005),
    ]

    @Test(arguments: published.indices)
    func proportions(_ index: Int) throws {
        let (variant, values, expected, half) = Self.published[index], trials = 100_000
        let counts = try NamingModel(variant).counts(values, trials: trials, seed: 1)
        print(index, counts.map { Double($0) / Double(trials) })
        for (count, p) in zip(counts, expected) {
            let found = Double(count) / Double(trials), q = max(p, half)
            #expect(abs(found - p) < 3 * 2.0.squareRoot() * (q * (1 - q) / Double(trials)).squareRoot() + half)
        }
    }

    @Test func lexiconHasThePublishedSize() {
        #expect(NamingModel.Lexicon(hasMixedNeighbour: false, sharedFeatures: [3]).network.unitCount == 57 + 6 + 10)
        #expect(NamingModel.Lexicon(hasMixedNeighbour: true, sharedFeatures: [3]).network.unitCount == 54 + 6 + 10)
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
        let model = NamingModel(.semanticPhonological)
        let one = try model.counts([0.02, 0.02], trials: 3001, seed: 5, threads: 1)
        #expect(try model.counts([0.02, 0.02], trials: 3001, seed: 5, threads: 7) == one)
        #expect(try model.counts([0.02, 0.02], trials: 3001, seed: 6, threads: 7) != one)
    }
}

@Suite struct NamingFitTests {
    /// A coarse surface, simulated once for all tests.
    static let fitter: NamingFitter? = {
        let model = NamingModel(.semanticPhonological)
        guard let surface = try? NamingFitter.surface(model, points: 25, trials: 1500, seed: 0) else { return nil }
        return NamingFitter(model: model, surface: surface)
    }()

    @Test func surfaceIsNearDirectSimulation() throws {
        let fitter = try #require(Self.fitter)
        for (s, p) in [(0.0237, 0.0178), (0.0107, 0.0365), (0.035, 0.0274), (0.05, 0.1)] {
            let direct = try fitter.model.counts([s, p], trials: 20_000, seed: 9).map { Double($0) / 20_000 }
            for (a, b) in zip(fitter.surface.probabilities(s, p), direct) { #expect(abs(a - b) < 0.03, "s \(s) p \(p): \(a) \(b)") }
        }
        #expect(abs(fitter.surface.probabilities(0.01, 0.02).reduce(0, +) - 1) < 1e-9)
    }

    @Test func surfaceSurvivesItsFile() throws {
        let fitter = try #require(Self.fitter),
            path = FileManager.default.temporaryDirectory.appendingPathComponent("surface-\(UUID().uuidString).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try fitter.surface.write(to: path, named: "a")
        let read = try ProbabilitySurface(path: path, named: "a")
        #expect(
            read.counts == fitter.surface.counts && read.x == fitter.surface.x
                && read.probabilities(0.02, 0.03) == fitter.surface.probabilities(0.02, 0.03))
        #expect(throws: (any Error).self) { try ProbabilitySurface(path: path, named: "b") }
    }

    @Test func parametersAreRecovered() throws {
        var fitter = try #require(Self.fitter)
        fitter.seed = 3
        let recovery = try fitter.recovery(people: 60, items: 175, x: 0.002...0.05, y: 0.015...0.06)
        for i in 0..<2 {
            let s = recovery.summary(i)
            print(fitter.free[i], s)
            #expect(s.coverage > 0.85 && abs(s.bias) < 0.25)
        }
    }

    @Test func manyPicturesFindTheTruth() throws {
        let fitter = try #require(Self.fitter)
        let counts = try fitter.model.counts([0.02, 0.025], trials: 20_000, seed: 11).map(Double.init),
            fit = try fitter.parameters(of: counts)
        let errors = zip(fit.values, [0.02, 0.025]).map { abs(log($0 / $1)) }
        #expect(errors[0] < 0.12)
        #expect(errors[1] < 0.12)
        #expect(fit.parameters.allSatisfy { $0.isIdentified })
        // Few pictures, all of them right: nothing bounds the weights from above.
        let perfect = try fitter.parameters(of: [30, 0, 0, 0, 0, 0])
        #expect(perfect.parameters.allSatisfy { !$0.isIdentified && $0.high == nil })
    }

    @Test func fixedParameterStays() throws {
        var fitter = try #require(Self.fitter)
        fitter.free = ["s"]
        let fit = try fitter.fit(NamingResponses("x", counts: [120, 12, 8, 20, 5, 10]))
        #expect(fit.fit.parameters.count == 1 && fit.values[1] == 0.1 && fit.values[0] == fit.fit.values[0])
    }

    @Test func powerGrowsWithPictures() throws {
        let fitter = try #require(Self.fitter)
        let a = try fitter.parameters(of: [121, 5, 12, 26, 2, 4]), b = try fitter.parameters(of: [121, 16, 9, 4, 5, 2])
        let power = try fitter.power(a, b)
        print(power)
        let items = power.items.map(\.items)
        #expect(items[0] > 5)
        #expect(items == items.sorted())
        #expect(Set(items).count == 3)
        #expect(throws: (any Error).self) { try fitter.power(a, a) }
    }

    @Test(.enabled(if: SharedData.has("aphasic-naming/patients.tsv"))) func publishedPatients() throws {
        var fitter = try #require(Self.fitter)
        fitter.trials = 20_000
        let patients = try NamingTable(path: SharedData.path("aphasic-naming/patients.tsv"), items: 175).patients
        #expect(patients.count == 23 && patients.count { $0.published["sp_s"] == nil } == 2)
        var published: [String: Double] = [:], own: [String: NamingFit] = [:]
        for patient in patients {
            let fit = try fitter.fit(patient)
            own[patient.name] = fit
            published[patient.name] = fit.publishedRMSD
            print(
                patient.name, fit.values, fit.fit.parameters.map { [$0.low, $0.high] }, "rmsd", fit.rmsd, "published",
                fit.publishedRMSD ?? .nan, "G2", fit.deviance)
        }
        for (name, rmsd) in published where !["W.R.", "J.F."].contains(name) { #expect((0.003...0.042).contains(rmsd), "\(name) \(rmsd)") }
        let wr = try #require(published["W.R."]), mistyped = try #require(published["J.F."]), jf = try #require(own["J.F."])
        #expect(abs(wr - 0.068) < 0.004)
        #expect(abs(mistyped - 0.103) < 0.004)
        // J.F.'s maximum is flat, and 19 of his 149 responses are mixed errors, of which the model makes 1 %: what a grid takes for the
        // best point hangs on the noise of that cell. A grid of 4000 trials a point gave s .021, p .025, RMSD .077. With 300,000 trials a
        // point the maximum lies near s .0185, p .032 (minus log-likelihood 194.4, RMSD .078), the former values are at 198.5 (RMSD .079),
        // and this coarse surface finds s .0172, p .0286 (195.3, RMSD .069); refined by direct simulation it is s .0176, p .0318 (194.6,
        // RMSD .073). So the fit is held to its likelihood by direct simulation, not to the former values.
        let patient = try #require(patients.first { $0.name == "J.F." })
        func misfit(_ values: [Double]) throws -> Double {
            let counts = try fitter.model.counts(values, trials: 200_000, seed: 17)
            return zip(patient.counts, counts).reduce(0) { $0 - $1.0 * log(Double($1.1) / 200_000) }
        }
        let found = try misfit(jf.values), best = try misfit([0.0185, 0.032]), former = try misfit([0.021, 0.025]),
            printed = try misfit([0.0107, 0.0365])
        #expect(found < best + 1.92, "not within the interval of one parameter: \(found), \(best)")
        #expect(found < former - 1.5 && found < printed - 10, "\(found), \(former), \(printed)")
        #expect((0.063...0.085).contains(jf.rmsd))
    }
}

@Suite struct NamingTableTests {
    static func table(_ text: String, name: String = "t.tsv") throws -> NamingTable {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("naming-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent(name).path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return try NamingTable(path: path, items: 175)
    }
    static let header = "patient\tcorrect\tsemantic\tformal\tnonword\tmixed\tunrelated\tother\n"

    @Test func countsAndProportions() throws {
        let counts = try Self.table(Self.header + "A\t100\t20\t10\t30\t5\t5\t5\nB\t170\t1\t1\t1\t1\t1\t0\n")
        #expect(!counts.isProportions && counts.patients[0].counts == [100, 20, 10, 30, 5, 5] && counts.patients[0].omissions == 5)
        let shares = try Self.table(Self.header + "A\t.69\t.03\t.07\t.15\t.01\t.02\t.03\n")
        #expect(shares.isProportions && abs(shares.patients[0].counts[0] - 0.69 * 175) < 1e-9)
        let japanese = try Self.table("患者\t正答\t意味性錯語\t形式性錯語\t非語\t混合性錯語\t無関連錯語\t無反応\n甲\t100\t20\t10\t30\t5\t5\t5\n")
        #expect(japanese.patients[0].name == "甲" && japanese.patients[0].counts[3] == 30)
    }

    @Test func longTables() throws {
        let one = try Self.table("patient\titem\tcategory\nA\tcat\tcorrect\nA\tdog\tsemantic\nB\tcat\t非語\nA\that\tno response\n")
        #expect(
            one.patients.map(\.name) == ["A", "B"] && one.patients[0].counts == [1, 1, 0, 0, 0, 0] && one.patients[0].omissions == 1
                && one.patients[1].counts[3] == 1)
        let counted = try Self.table("patient\tcategory\tcount\nA\tcorrect\t90\nA\tmixed\t3\n")
        #expect(counted.patients[0].counts == [90, 0, 0, 0, 3, 0])
    }

    static let bad: [(text: String, word: String)] = [
        (header + "A\t1.2\t.1\t0\t0\t0\t0\t0\n", "above 1"), (header + "A\t.9\t-.1\t0\t0\t0\t0\t0\n", "negative"),
        (header + "A\t-3\t1\t0\t0\t0\t0\t0\n", "negative"),
        (header + "A\t0\t0\t0\t0\t0\t0\t9\nB\t20\t1\t1\t1\t1\t1\t0\n", "no responses"), (header + "A\t.9\t.9\t0\t0\t0\t0\t0\n", "sum to"),
        (header + "A\tviele\t1\t0\t0\t0\t0\t0\n", "not a number"),
        ("patient\tcategory\nA\tsemantical\n", "unknown category"), ("patient\tcorrect\tsemantics\nA\t3\t4\n", "no column semantic"),
        (header + "A\t9\t1\t0\t0\t0\t0\t0\nA\t9\t1\t0\t0\t0\t0\t0\n", "two rows"),
        ("patient\tcategory\tcount\nA\tcorrect\t2.5\n", "not a count"), (header, "no responses"),
    ]

    @Test(arguments: bad.indices)
    func badInput(_ index: Int) {
        let (text, word) = Self.bad[index]
        #expect { try Self.table(text) } throws: { "\($0)".contains(word) }
    }

    @Test func neighboursFromVectors() {
        let found = NamingNeighbours([[1, 0, 0], [0.95, 0.3, 0], [0, 1, 0], [0, 0, 1]], limit: 2)
        #expect(found.words[0].neighbours.first?.row == 1 && (1...9).contains(found.words[0].neighbours[0].shared))
        #expect(found.words[3].neighbours.isEmpty)
    }

    /// More related neighbours, more semantic errors.
    @Test func neighboursAddSemanticErrors() throws {
        var model = NamingModel(.semanticPhonological)
        let one = try model.counts([0.02, 0.03], trials: 10_000, seed: 1)
        model.sharedFeatures = [6, 5, 4]
        let many = try model.counts([0.02, 0.03], trials: 10_000, seed: 1)
        model.sharedFeatures = []
        let none = try model.counts([0.02, 0.03], trials: 10_000, seed: 1)
        #expect(many[1] > one[1] * 2 && none[1] == 0)
    }
}
