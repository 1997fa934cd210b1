import CKernels
import FileFormats
import Foundation
import Tensors
import Testing

@testable import Analysis

/// Values of umap-learn; see tools/golden/umap_graph.py.
private struct UMAPGolden: Decodable {
    let neighbors: Int
    /// Minimum distance, spread, a, b.
    let curves: [[Double]]
    let sigmas: [Double]
    let rhos: [Double]
    /// Row, column, weight.
    let graph: [[Double]]
    let classes: [Int32]
    let supervised: [[Double]]

    static func load() throws -> UMAPGolden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/umap.json")
        return try JSONDecoder().decode(UMAPGolden.self, from: Data(contentsOf: file))
    }
}

@Suite struct UMAPTests {
    /// - Parameter unclear: points whose edges are not compared.
    private func agrees(_ graph: FuzzyGraph, _ expected: [[Double]], without unclear: Set<Int>, tolerance: Double) {
        var mine: [[Double]] = []
        for i in 0..<graph.count {
            for e in graph.offsets[i]..<graph.offsets[i + 1] where Int(graph.columns[e]) > i {
                mine.append([Double(i), Double(graph.columns[e]), Double(graph.weights[e])])
            }
        }
        #expect(expected.count > 100 && mine.count == expected.count)
        var compared = 0
        for (a, b) in zip(mine, expected) where !unclear.contains(Int(a[0])) && !unclear.contains(Int(a[1])) {
            compared += 1
            #expect(a[0] == b[0] && a[1] == b[1] && abs(a[2] - b[2]) < tolerance, "\(a) \(b)")
        }
        #expect(compared > 100)
    }

    @Test func theCurveIsTheReferences() throws {
        let golden = try UMAPGolden.load()
        #expect(golden.curves.count == 4)
        for row in golden.curves {
            let curve = UMAPCurve(minimumDistance: row[0], spread: row[1])
            #expect(abs(curve.a - row[2]) < 1e-5 * row[2] && abs(curve.b - row[3]) < 1e-5 * row[3], "\(curve) \(row)")
        }
    }

    @Test func theGraphIsTheReferences() throws {
        let golden = try UMAPGolden.load(), x = try Golden.load().x
        let table = try NearestNeighbors.euclidean(x, count: golden.neighbors - 1)
        let found = FuzzyGraph.memberships(table, threads: 2)
        var unclear: Set<Int> = []
        for i in 0..<x.rows {
            // Where a scale above 1 is needed, the search of the pinned reference ends at infinity.
            if golden.sigmas[i] > 1e18 {
                unclear.insert(i)
                #expect(found.sigma[i] > 1 && found.sigma[i] < 10)
                continue
            }
            #expect(
                abs(Double(found.rho[i]) - golden.rhos[i]) < 1e-4
                    && abs(Double(found.sigma[i]) - golden.sigmas[i]) < 2e-3 * golden.sigmas[i], "\(i)")
        }
        let graph = FuzzyGraph(table)
        #expect(unclear.count == 1)
        agrees(graph, golden.graph, without: unclear, tolerance: 1e-3)
        // Rows are scaled by their strongest edge, which may lead to such a point.
        let near = golden.graph.filter { unclear.contains(Int($0[0])) || unclear.contains(Int($0[1])) }.flatMap {
            [Int($0[0]), Int($0[1])]
        }
        agrees(try graph.separating(golden.classes), golden.supervised, without: unclear.union(near), tolerance: 1e-3)
    }

    /// Attraction and repulsion are derivatives of log φ and log(1 − φ), checked by differences.
    @Test func forcesAreDerivatives() {
        let settings = UMAP(), curve = settings.curve, step = UMAPLayout.Step(settings, curve, rate: 1)
        for d in [0.3, 1.0, 2.5] {
            func logarithm(_ x: Double) -> Double { log(1 / (1 + curve.a * pow(x, 2 * curve.b))) }
            func complement(_ x: Double) -> Double { log(1 - 1 / (1 + curve.a * pow(x, 2 * curve.b))) }
            let h = 1e-4, pull = (logarithm(d + h) - logarithm(d - h)) / (2 * h), push = (complement(d + h) - complement(d - h)) / (2 * h)
            #expect(abs(Double(step.attraction(Float(d * d))) * d - pull) < 1e-3 * abs(pull))
            // The reference adds 0.001 to d² in the repulsion.
            #expect(abs(Double(step.push(Float(d * d))) * d * (0.001 + d * d) / (d * d) - push) < 1e-3 * abs(push))
        }
    }

    /// The kernel's steps are those of the forces, edge by edge, in one and two dimensions.
    @Test func theKernelMovesAsTheForcesSay() {
        for d in [1, 2] {
            var settings = UMAP()
            (settings.dimensions, settings.negativeSamples) = (d, 1)
            let step = UMAPLayout.Step(settings, settings.curve, rate: 0.5), edges = 37
            var random = RandomSource(seed: 8)
            // Edge e leads from point 2 e to 2 e + 1; all push away from the one point of `others`, which only edge 0, not drawn, could take for its head.
            let start = (0..<2 * edges * d).map { _ in Float(random.normal()) }, others = (0..<d).map { _ in Float(random.normal()) }
            var moved = start, next = (0..<edges).map { $0.isMultiple(of: 3) ? Float(2) : 1 }
            kt_umap_pass(
                step.kernel, 0, Int64(edges), (0..<edges).map { Int32(2 * $0) }, (0..<edges).map { Int32(2 * $0 + 1) },
                [Float](repeating: 1.5, count: edges), &next, 1, 16, Int32(d), &moved, others, 1, 5)
            func force(_ i: [Float], _ j: [Float], _ of: (Float) -> Float) -> [Float] {
                let squared = zip(i, j).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return zip(i, j).map { 0.5 * max(-4, min(4, of(squared) * ($0 - $1))) }
            }
            for e in 0..<edges {
                var i = Array(start[2 * e * d..<(2 * e + 1) * d]), j = Array(start[(2 * e + 1) * d..<(2 * e + 2) * d])
                if !e.isMultiple(of: 3) {
                    let pull = force(i, j, step.attraction)
                    (i, j) = (zip(i, pull).map(+), zip(j, pull).map(-))
                    i = zip(i, force(i, others, step.push)).map(+)
                }
                #expect(next[e] == (e.isMultiple(of: 3) ? 2 : 2.5))
                for c in 0..<d {
                    #expect(abs(moved[2 * e * d + c] - i[c]) < 1e-4, "edge \(e), dimension \(c)")
                    #expect(abs(moved[(2 * e + 1) * d + c] - j[c]) < 1e-4, "edge \(e), dimension \(c)")
                }
            }
        }
    }

    private static func clusters(_ n: Int, _ width: Int, of count: Int) -> (Tensor<Float>, [Int32]) {
        var random = RandomSource(seed: 5), centers: [[Double]] = [], values: [Float] = [], classes: [Int32] = []
        for _ in 0..<count { centers.append((0..<width).map { _ in 2.5 * random.normal() }) }
        for i in 0..<n {
            classes.append(Int32(i % count))
            values += centers[i % count].map { Float($0 + random.normal()) }
        }
        return (Tensor(values, shape: [n, width]), classes)
    }

    @Test(.tags(.sameBits)) func sameBitsForAnyThreads() throws {
        let (x, _) = Self.clusters(1500, 10, of: 6)
        var settings = UMAP()
        (settings.epochs, settings.seed) = (30, 3)
        var bits: Set<[UInt32]> = []
        for threads in [1, 2, 5] {
            settings.threads = threads
            bits.insert(try settings.fit(x).coordinates.elements.map(\.bitPattern))
        }
        #expect(bits.count == 1)
        settings.seed = 4
        bits.insert(try settings.fit(x).coordinates.elements.map(\.bitPattern))
        #expect(bits.count == 2)
    }

    @Test func keepsNeighboursTogether() throws {
        let (x, classes) = Self.clusters(1200, 10, of: 6)
        var settings = UMAP()
        settings.epochs = 200
        let quality = try MapQuality(of: try settings.fit(x).coordinates, vectors: settings.prepared(x), groups: classes)
        #expect(quality.trustworthiness > 0.9 && (quality.labelAccuracy ?? 0) > 0.98, "\(quality)")
        // Shuffled classes as teacher pull the map away from the vectors' own neighbourhoods.
        var random = RandomSource(seed: 1)
        let shuffled = random.permutation(x.rows).map { classes[$0] }
        let taught = try MapQuality(of: try settings.fit(x, classes: shuffled).coordinates, vectors: settings.prepared(x), groups: shuffled)
        #expect((taught.labelAccuracy ?? 0) > 0.5 && taught.trustworthiness < quality.trustworthiness, "\(taught)")
    }

    @Test func newPointsLandAmongTheirOwn() throws {
        let (x, classes) = Self.clusters(900, 10, of: 3)
        var settings = UMAP()
        settings.epochs = 100
        let old = Array(0..<800), new = Array(800..<900)
        func rows(_ picked: [Int]) -> Tensor<Float> {
            Tensor(picked.flatMap { i in (0..<10).map { x[i, $0] } }, shape: [picked.count, 10])
        }
        let map = try settings.fit(rows(old)).coordinates
        let placed = try settings.transform(rows(new), reference: rows(old), map: map)
        var right = 0
        for (i, row) in new.enumerated() {
            let distances = old.map { j in pow(map[j, 0] - placed[i, 0], 2) + pow(map[j, 1] - placed[i, 1], 2) }
            let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
            if classes[nearest] == classes[row] { right += 1 }
        }
        #expect(right >= 97, "\(right)")
        // What else is placed does not matter.
        let alone = try settings.transform(rows([800]), reference: rows(old), map: map)
        #expect(alone[0, 0].bitPattern == placed[0, 0].bitPattern && alone[0, 1].bitPattern == placed[0, 1].bitPattern)
    }

    @Test func copiesAndFewPoints() throws {
        var settings = UMAP()
        (settings.neighbors, settings.epochs, settings.normalizesVectors) = (4, 50, false)
        let copies = Tensor<Float>([Float](repeating: 1, count: 10) + [2, 3], shape: [6, 2])
        #expect(try settings.fit(copies).coordinates.isFinite)
        let error = #expect(throws: DataError.self) { try settings.fit(Tensor<Float>([1, 2, 3, 4], shape: [2, 2])) }
        #expect(error?.message.contains("4 points needs as many points; there are 2") == true)
        settings.minimumDistance = 2
        #expect(throws: DataError.self) { try settings.fit(copies) }
    }
}
