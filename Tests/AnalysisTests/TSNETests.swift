import Analysis
import FileFormats
import Foundation
import Tensors
import Testing

@Suite struct AffinityTests {
    private func dense(_ p: Affinities) -> [[Double]] {
        (0..<p.count).map { i in
            if p.pairs == .all { return p.values[i * p.count..<(i + 1) * p.count].map(Double.init) }
            var row = [Double](repeating: 0, count: p.count)
            for e in Int(p.offsets[i])..<Int(p.offsets[i + 1]) { row[Int(p.columns[e])] += Double(p.values[e]) }
            return row
        }
    }

    @Test func agreeWithOpenTSNE() throws {
        let golden = try Golden.load()
        for (perplexities, expected) in [([12.0], golden.affinities), ([4, 12], golden.multiscale)] {
            let p = try Affinities(golden.x, perplexities: perplexities, pairs: .nearest)
            #expect(p.pairs == .nearest && p.neighbors == 36)
            let mine = dense(p), largest = expected.joined().max() ?? 1
            for i in 0..<golden.rows { #expect(largestDifference(mine[i], expected[i]) < 2e-5 * largest) }
            #expect(abs(mine.joined().reduce(0, +) - 1) < 1e-6)
            for i in 0..<golden.rows { for j in 0..<i { #expect(mine[i][j] == mine[j][i]) } }
            #expect(abs(p.realizedPerplexity - 12) < 1e-6)
        }
    }

    @Test func overAllPairsTheyAgreeWithScikitLearn() throws {
        let golden = try Golden.load(), expected = try TSNEGolden.load(), n = golden.rows
        let p = try Affinities(golden.x, perplexities: [12])
        #expect(p.pairs == .all && p.neighbors == n - 1 && abs(p.realizedPerplexity - 12) < 1e-6)
        let mine = dense(p), largest = expected.affinities.max() ?? 1
        var place = 0
        for i in 0..<n {
            #expect(mine[i][i] == 0)
            for j in i + 1..<n {
                #expect(abs(mine[i][j] - expected.affinities[place]) < 2e-5 * largest && mine[i][j] == mine[j][i])
                place += 1
            }
        }
        #expect(abs(mine.joined().reduce(0, +) - 1) < 1e-6)
        #expect(try Affinities(golden.x, perplexities: [12], threads: 1).values == p.values)
        #expect(abs(try TSNE().divergence(p, at: golden.y) - expected.kl) < 1e-5)
        // With more points near neighbours only, and beyond a matrix that fits into memory nothing else.
        #expect(try Affinities(sample(rows: 5_000, columns: 3), perplexities: [5]).pairs == .nearest)
        #expect { try Affinities(Tensor<Float>(repeating: 0, shape: [20_001, 1]), perplexities: [5], pairs: .all) } throws: {
            "\($0)".contains("20000 points")
        }
    }

    @Test func fewPointsNameTheLargestPerplexity() throws {
        let x = sample(rows: 40, columns: 5)
        #expect { try Affinities(x, perplexities: [30]) } throws: { "\($0)".contains("found 40; use at most 13") }
        #expect(try Affinities(x, perplexities: [13]).count == 40)
        for bad in [0.5, -1, .nan, .infinity] { #expect(throws: DataError.self) { try Affinities(x, perplexities: [bad]) } }
        #expect(throws: DataError.self) { try Affinities(x, perplexities: []) }
        #expect { try Affinities(x.rows(0..<1), perplexities: [1]) } throws: { "\($0)".contains("at least 4 points") }
    }

    @Test func copiesHaveEqualShares() throws {
        let copies = Tensor<Float>(repeating: 1, shape: [50, 3])
        let p = try Affinities(copies, perplexities: [5], pairs: .nearest), all = try Affinities(copies, perplexities: [5])
        #expect(p.values.allSatisfy { $0.isFinite && $0 > 0 } && all.values.allSatisfy(\.isFinite))
        #expect(abs(p.realizedPerplexity - 15) < 1e-9 && abs(all.realizedPerplexity - 49) < 1e-9)
    }
}

@Suite struct GradientTests {
    private static func settings(_ gradient: TSNE.Gradient, alpha: Double = 1, dimensions: Int = 2) -> TSNE {
        var settings = TSNE()
        settings.perplexities = [12]
        settings.gradient = gradient
        settings.degreesOfFreedom = alpha
        settings.dimensions = dimensions
        settings.normalizesVectors = false
        return settings
    }

    /// Root mean square of the differences over that of the expected values.
    private func relativeError(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
        let squares = zip(a.elements, b.elements).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (squares / b.squaredNorm).squareRoot()
    }

    @Test func divergenceAndGradientAreTheDefinition() throws {
        let golden = try Golden.load(), p = try Affinities(golden.x, perplexities: [12], pairs: .nearest)
        for expected in golden.divergences {
            let (kl, gradient) = try Self.settings(.exact, alpha: expected.alpha).divergenceAndGradient(p, at: golden.y)
            #expect(abs(kl - expected.kl) < 1e-5)
            #expect(relativeError(gradient, Tensor(expected.gradient.flatMap { $0 }, shape: [golden.rows, 2])) < 2e-5)
        }
    }

    @Test func approximationsApproachTheExactGradient() throws {
        let x = sample(rows: 1_500, columns: 10), p = try Affinities(x, perplexities: [12])
        for (scale, alpha) in [(20.0, 1.0), (20, 0.7), (1, 1), (0.02, 1), (1e-5, 1)] {
            var random = RandomSource(seed: 9)
            let y = Tensor((0..<3_000).map { _ in Float(scale * random.normal()) }, shape: [1_500, 2])
            let exact = try Self.settings(.exact, alpha: alpha).divergenceAndGradient(p, at: y)
            var tree = Self.settings(.barnesHut, alpha: alpha)
            tree.angle = 0
            let whole = try tree.divergenceAndGradient(p, at: y)
            #expect(relativeError(whole.gradient, exact.gradient) < 1e-5 && abs(whole.divergence - exact.divergence) < 1e-6)
            tree.angle = 0.3
            let half = try tree.divergenceAndGradient(p, at: y)
            #expect(relativeError(half.gradient, exact.gradient) < 0.02 && abs(half.divergence - exact.divergence) < 0.01)
            var grid = Self.settings(.interpolation, alpha: alpha)
            grid.spacing = 0.25
            let fine = try grid.divergenceAndGradient(p, at: y)
            #expect(relativeError(fine.gradient, exact.gradient) < 0.005 && abs(fine.divergence - exact.divergence) < 1e-4)
        }
    }

    @Test func approximationsInOneDimension() throws {
        let x = sample(rows: 900, columns: 10), p = try Affinities(x, perplexities: [12])
        for scale in [100.0, 1, 1e-4] {
            var random = RandomSource(seed: 9)
            let y = Tensor((0..<900).map { _ in Float(scale * random.normal()) }, shape: [900, 1])
            let exact = try Self.settings(.exact, dimensions: 1).divergenceAndGradient(p, at: y)
            for method in [TSNE.Gradient.barnesHut, .interpolation] {
                var settings = Self.settings(method, dimensions: 1)
                settings.angle = 0.2
                settings.spacing = 0.2
                let other = try settings.divergenceAndGradient(p, at: y)
                #expect(relativeError(other.gradient, exact.gradient) < 0.02 && abs(other.divergence - exact.divergence) < 1e-3)
            }
        }
    }

    /// Each method's gradient is that of its own energy. The tree's is not the gradient of anything: its cells change as points move.
    @Test(arguments: [
        (TSNE.Gradient.exact, 1.0, 2), (.exact, 0.6, 2), (.exact, 1, 1), (.exact, 2, 1), (.interpolation, 1, 2), (.interpolation, 0.6, 2),
        (.interpolation, 1, 1),
    ])
    func agreesWithFiniteDifferences(_ method: TSNE.Gradient, _ alpha: Double, _ dimensions: Int) throws {
        let x = sample(rows: 60, columns: 6), p = try Affinities(x, perplexities: [12], pairs: alpha < 1 ? .nearest : .all)
        let settings = Self.settings(method, alpha: alpha, dimensions: dimensions)
        var random = RandomSource(seed: 5)
        var y = Tensor((0..<60 * dimensions).map { _ in Float(2 * random.normal()) }, shape: [60, dimensions])
        // Two corners hold the grid where it is while others move.
        for c in 0..<dimensions { (y[c], y[dimensions + c]) = (-9, 9) }
        let gradient = try settings.divergenceAndGradient(p, at: y).gradient, largest = gradient.elements.map(abs).max() ?? 1
        let step: Float = 0.02
        for i in stride(from: 2 * dimensions, to: 60 * dimensions, by: 7) {
            var up = y, down = y
            up[i] += step
            down[i] -= step
            let difference =
                try settings.divergenceAndGradient(p, at: up).divergence - settings.divergenceAndGradient(p, at: down).divergence
            #expect(abs(difference / Double(up[i] - down[i]) - gradient[i]) < 3e-3 * largest)
        }
    }
}

@Suite struct TSNETests {
    private func short(_ gradient: TSNE.Gradient = .exact) -> TSNE {
        var settings = TSNE()
        settings.perplexities = [10]
        settings.gradient = gradient
        settings.earlyIterations = 60
        settings.iterations = 60
        settings.reportEvery = 20
        return settings
    }

    @Test(.tags(.sameBits), arguments: [TSNE.Gradient.exact, .barnesHut, .interpolation])
    func sameBitsForAnyThreads(_ gradient: TSNE.Gradient) throws {
        let x = sample(rows: 1_100, columns: 12)
        var settings = short(gradient)
        settings.threads = 1
        let one = try settings.fit(x)
        for threads in 2...3 {
            settings.threads = threads
            let other = try settings.fit(x)
            #expect(other.coordinates.hasSameBits(as: one.coordinates))
            #expect(other.kullbackLeiblerDivergence == one.kullbackLeiblerDivergence)
        }
        settings.seed = 1
        #expect(try settings.fit(x).coordinates != one.coordinates)
    }

    @Test(arguments: [TSNE.Gradient.exact, .barnesHut, .interpolation])
    func separatesClusters(_ gradient: TSNE.Gradient) throws {
        let x = sample(rows: 400, columns: 20, clusters: 4)
        var settings = TSNE()
        settings.gradient = gradient
        var seen: [TSNEProgress] = []
        let map = try settings.fit(x) { seen.append($0) }
        #expect(seen.map(\.iteration) == Array(stride(from: 50, through: 750, by: 50)))
        #expect(seen.prefix(5).allSatisfy(\.isEarly) && !seen[5].isEarly)
        #expect(map.isExact && map.iterations == 750 && map.settings.gradient == gradient)
        #expect(abs(map.realizedPerplexity - 30) < 1e-6)
        let quality = try MapQuality(of: map.coordinates, vectors: normalizedRows(x), groups: (0..<400).map { Int32($0 % 4) })
        #expect(quality.labelAccuracy == 1)
        #expect(quality.trustworthiness > 0.9 && quality.continuity > 0.9)
        let mean = (0..<400).reduce((0.0, 0.0)) { ($0.0 + Double(map.coordinates[$1, 0]), $0.1 + Double(map.coordinates[$1, 1])) }
        #expect(abs(mean.0) < 1 && abs(mean.1) < 1)
    }

    @Test func continuesFromACheckpointAsIfNothingHadHappened() throws {
        let x = sample(rows: 200, columns: 8)
        for at in [20, 60, 80] {
            var kept: Data?
            let whole = try short().fit(x) { if $0.iteration == at { kept = $0.makeCheckpoint().data } }
            let checkpoint = try TSNECheckpoint(data: #require(kept))
            #expect(checkpoint.iteration == at)
            let resumed = try short().fit(x, from: checkpoint)
            #expect(resumed.coordinates == whole.coordinates && resumed.kullbackLeiblerDivergence == whole.kullbackLeiblerDivergence)
            var other = short()
            other.momentum = 0.7
            #expect(throws: DataError.self) { try other.fit(x, from: checkpoint) }
            #expect(throws: DataError.self) { try short().fit(sample(rows: 201, columns: 8), from: checkpoint) }
            let bytes = try #require(kept)
            for cut in [0, 10, 60, 100, bytes.count - 1] { #expect(throws: DataError.self) { try TSNECheckpoint(data: bytes.prefix(cut)) } }
            for place in stride(from: 0, to: bytes.count, by: 97) {
                var damaged = bytes
                damaged[place] ^= 0x40
                #expect(throws: DataError.self) { try TSNECheckpoint(data: damaged) }
            }
        }
    }

    @Test func anErrorFromTheReportEndsTheRun() {
        struct Enough: Error {}
        #expect(throws: Enough.self) { try short().fit(sample(rows: 100, columns: 5)) { _ in throw Enough() } }
    }

    @Test func poorInputGivesAMapWithoutNaN() throws {
        let x = sample(rows: 60, columns: 6)
        let copies = Tensor((0..<60).flatMap { row in (0..<6).map { x[row % 4, $0] } }, shape: [60, 6])
        let constant = Tensor((0..<60).flatMap { row in [x[row, 0], 7, 7] }, shape: [60, 3])
        let line = Tensor((0..<60).map { Float($0) }, shape: [60, 1])
        for (input, normalizes) in [(copies, true), (constant, true), (constant, false), (line, false)] {
            for dimensions in 1...2 {
                for gradient in [TSNE.Gradient.exact, .barnesHut, .interpolation] {
                    var settings = short(gradient)
                    settings.normalizesVectors = normalizes
                    settings.dimensions = dimensions
                    let map = try settings.fit(input)
                    #expect(map.coordinates.isFinite && map.kullbackLeiblerDivergence.isFinite)
                    #expect(map.coordinates.shape == [60, dimensions])
                }
            }
        }
    }

    @Test func badInputIsAnError() throws {
        let x = sample(rows: 60, columns: 6)
        var thirty = TSNE()
        thirty.perplexities = [30]
        #expect { try thirty.fit(x) } throws: { "\($0)".contains("found 60; use at most 19.66") }
        #expect { try TSNE().fit(x.rows(0..<1)) } throws: { "\($0)".contains("at least 4 points") }
        #expect(throws: DataError.self) { try TSNE().fit(Tensor<Float>(shape: [0, 6])) }
        #expect { try short().fit(Tensor<Float>(repeating: 2, shape: [60, 6])) } throws: { "\($0)".contains("equal") }
        var broken = x
        broken[5 * 6 + 2] = .nan
        #expect { try short().fit(broken) } throws: { "\($0)".contains("row 5") }
        for change: (inout TSNE) -> Void in [
            { $0.dimensions = 3 }, { $0.perplexities = [0] }, { $0.learningRate = -1 }, { $0.momentum = 1 }, { $0.angle = 2 },
            { $0.earlyExaggeration = 0 }, { $0.iterations = -1 }, { $0.degreesOfFreedom = 0 }, { $0.reportEvery = 0 },
            { $0.initialization = .given(Tensor(shape: [3, 2])) }, { $0.longestStep = 0 }, { $0.spacing = 0 },
        ] {
            var settings = short()
            change(&settings)
            #expect(throws: DataError.self) { try settings.fit(x) }
        }
    }

    /// Steps far too long: an error, or a poor map, but no NaN and no trap.
    @Test(arguments: [TSNE.Gradient.exact, .barnesHut, .interpolation]) func wildStepsNeverGiveNaN(_ gradient: TSNE.Gradient) {
        for longest in [10.0, 1e3, 1e6] {
            var wild = short(gradient)
            (wild.learningRate, wild.longestStep) = (1e9, longest)
            do {
                #expect(try wild.fit(sample(rows: 60, columns: 6)).coordinates.isFinite)
            } catch {
                #expect(error is DataError)
            }
        }
    }

    @Test func stopsWhenNothingImproves() throws {
        var settings = short()
        settings.iterations = 5_000
        settings.leastGradientNorm = 1e-3
        let map = try settings.fit(sample(rows: 80, columns: 5))
        #expect(map.iterations < 5_060)
    }

    /// 60 vectors of one cloud, whose maps scikit-learn's exact method was asked for as well: no divergence is worse, none jumps from one
    /// perplexity to the next, and all iterations are done.
    @Test func fewPointsHaveMapsAsGoodAsScikitLearns() throws {
        let golden = try TSNEGolden.load(), x = Tensor(golden.cloud, shape: [golden.cloudRows, golden.cloud.count / golden.cloudRows])
        for expected in golden.maps {
            var settings = TSNE()
            settings.perplexities = [expected.perplexity]
            let map = try settings.fit(x)
            #expect(map.pairs == .all && map.divergenceOverAllPairs == map.kullbackLeiblerDivergence)
            #expect(
                map.kullbackLeiblerDivergence < expected.kl * 1.01,
                "perplexity \(expected.perplexity): \(map.kullbackLeiblerDivergence), scikit-learn \(expected.kl)")
            #expect(map.iterations == 750, "perplexity \(expected.perplexity): \(map.iterations)")
        }
        var steps: [Double] = []
        for perplexity in 8...19 {
            var settings = TSNE()
            settings.perplexities = [Double(perplexity)]
            steps.append(try settings.fit(x).kullbackLeiblerDivergence)
        }
        for (a, b) in zip(steps, steps.dropFirst()) { #expect(b < a * 1.05, "\(steps)") }
    }

    @Test func theUsualPerplexityFitsFewPoints() throws {
        for (points, usual) in [(4, 1.0), (20, 6), (60, 19), (90, 29), (91, 30), (4_000, 30)] {
            #expect(Affinities.usualPerplexity(points: points) == usual)
        }
        var settings = short()
        settings.perplexities = []
        let map = try settings.fit(sample(rows: 60, columns: 6))
        #expect(map.settings.perplexities == [19] && abs(map.realizedPerplexity - 19) < 1e-6)
    }

    /// Where near neighbours only were used, the divergence over them and the one over all pairs are two numbers.
    @Test func bothDivergencesAreKnown() throws {
        let x = sample(rows: 90, columns: 6)
        var settings = short()
        settings.pairs = .nearest
        let map = try settings.fit(x), all = try Affinities(normalizedRows(x), perplexities: [10])
        #expect(map.pairs == .nearest && map.neighbors == 30 && map.settings.pairs == .nearest)
        let over = try #require(map.divergenceOverAllPairs)
        #expect(over == (try settings.divergence(all, at: map.coordinates)) && abs(over - map.kullbackLeiblerDivergence) > 1e-3)
        settings.pairs = .all
        #expect(try settings.fit(x).kullbackLeiblerDivergence < over)
    }

    // MARK: New points

    @Test(arguments: [1, 2]) func newPointsLandAmongTheirNeighbours(_ dimensions: Int) throws {
        let all = sample(rows: 660, columns: 20, clusters: 4), reference = all.rows(0..<600), new = all.rows(600..<660)
        var settings = TSNE()
        settings.dimensions = dimensions
        let map = try settings.fit(reference)
        let placed = try settings.transform(new, reference: reference, map: map.coordinates)
        let neighbors = try NearestNeighbors.euclidean(of: placed.coordinates, among: map.coordinates, count: 5)
        for i in 0..<60 { #expect(neighbors[i].allSatisfy { $0.row % 4 == i % 4 }) }
        let start = try settings.transform(new, reference: reference, map: map.coordinates, iterations: 0)
        #expect(placed.meanDivergence < start.meanDivergence)
        // A point does not feel what is placed with it.
        let alone = try settings.transform(new.rows(7..<8), reference: reference, map: map.coordinates)
        for c in 0..<dimensions { #expect(alone.coordinates[c] == placed.coordinates[7 * dimensions + c]) }
        settings.threads = 1
        #expect(try settings.transform(new, reference: reference, map: map.coordinates).coordinates == placed.coordinates)
        #expect(try settings.transform(Tensor(shape: [0, 20]), reference: reference, map: map.coordinates).coordinates.count == 0)
        #expect(throws: DataError.self) { try settings.transform(sample(rows: 2, columns: 3), reference: reference, map: map.coordinates) }
        #expect(throws: DataError.self) { try settings.transform(new, reference: reference, map: map.coordinates.rows(0..<10)) }
        #expect(throws: DataError.self) { try settings.transform(new, reference: reference, map: map.coordinates, perplexity: 300) }
    }
}
