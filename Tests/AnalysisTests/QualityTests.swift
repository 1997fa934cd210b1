import Analysis
import FileFormats
import Tensors
import Testing

@Suite struct MapQualityTests {
    @Test func agreesWithScikitLearn() throws {
        let golden = try Golden.load()
        let quality = try MapQuality(of: golden.y, vectors: golden.x, groups: golden.groups, neighbors: 10)
        #expect(abs(quality.trustworthiness - golden.trustworthiness) < 1e-12)
        #expect(abs(quality.continuity - golden.continuity) < 1e-12)
        #expect(quality.examined == golden.rows && quality.labelAccuracy.map { $0 > 0.5 } == true)
        let itself = try MapQuality(of: golden.y, vectors: golden.y, neighbors: 10)
        #expect(itself.trustworthiness == 1 && itself.continuity == 1 && itself.neighborPreservation == 1)
        #expect(abs((itself.distanceCorrelation ?? 0) - 1) < 1e-12)
        #expect(itself.labelAccuracy == nil)
    }

    @Test func aSampleIsCloseToTheWholeAndSeeded() throws {
        let x = sample(rows: 900, columns: 8), y = try PCA(components: .count(2)).fit(x).transform(x)
        let whole = try MapQuality(of: y, vectors: x), part = try MapQuality(of: y, vectors: x, examined: 300, pairs: 20_000, threads: 1)
        #expect(part.examined == 300)
        #expect(
            abs(whole.trustworthiness - part.trustworthiness) < 0.02 && abs(whole.neighborPreservation - part.neighborPreservation) < 0.05)
        #expect(try MapQuality(of: y, vectors: x, examined: 300, pairs: 20_000, threads: 2).trustworthiness == part.trustworthiness)
    }

    @Test func badInputIsAnError() throws {
        let x = sample(rows: 30, columns: 4)
        #expect(throws: DataError.self) { try MapQuality(of: x.rows(0..<5), vectors: x) }
        #expect(throws: DataError.self) { try MapQuality(of: x, vectors: x, neighbors: 15) }
        #expect(throws: DataError.self) { try MapQuality(of: x, vectors: x, groups: [1], neighbors: 3) }
        // All points of the map in one place: ranks by row number, no correlation, no trap.
        #expect(try MapQuality(of: Tensor(repeating: 0, shape: [30, 2]), vectors: x, neighbors: 5).distanceCorrelation == nil)
    }

    @Test func mapsCompareAsInScipy() throws {
        let golden = try Golden.load()
        let comparison = try MapComparison(golden.y, golden.other)
        #expect(abs(comparison.procrustesDisparity - golden.procrustes) < 1e-6)
        // Turned, mirrored, larger and elsewhere is still the same map.
        let moved = Tensor((0..<golden.rows).flatMap { [3 - 2 * golden.y[$0, 1], 2 * golden.y[$0, 0] + 1] }, shape: golden.y.shape)
        let same = try MapComparison(golden.y, moved)
        #expect(same.procrustesDisparity < 1e-9 && same.neighborOverlap > 0.999)
        #expect(largestDifference(same.aligned.elements.map(Double.init), golden.y.elements.map(Double.init)) < 1e-4)
        #expect(throws: DataError.self) { try MapComparison(golden.y, golden.y.rows(0..<50)) }
        #expect(throws: DataError.self) { try MapComparison(golden.y, Tensor(repeating: 1, shape: golden.y.shape)) }
    }
}

@Suite struct ClusterTests {
    @Test func communitiesAreThoseOfSentenceTransformers() throws {
        let golden = try Golden.load()
        let x = Tensor(golden.communityVectors, shape: [golden.rows, golden.columns])
        let mine = try CommunityDetection(threshold: 0.6, minimumSize: 5).fit(x)
        #expect(mine.map { $0.sorted() } == golden.communities.map { $0.sorted() })
        #expect(mine.map(\.first) == golden.communities.map(\.first))
        #expect(try CommunityDetection(threshold: 0.6, minimumSize: 5, threads: 1).fit(x) == mine)
        let clustering = Clustering(communities: mine, of: x)
        #expect(clustering.sizes == mine.map(\.count))
        #expect(clustering.labels.count(where: { $0 < 0 }) == golden.rows - mine.joined().count)
    }

    @Test func communitiesCrossBands() throws {
        let x = sample(rows: 8_400, columns: 8, clusters: 3)
        let found = try CommunityDetection(threshold: 0.85, minimumSize: 50).fit(x)
        #expect(found.count >= 3)
        for community in found { #expect(Set(community.map { $0 % 3 }).count == 1) }
    }

    @Test func kMeansFindsTheGroups() throws {
        let x = sample(rows: 600, columns: 16, clusters: 5)
        let clustering = try SphericalKMeans(clusters: 5).fit(x)
        #expect(clustering.sizes == [120, 120, 120, 120, 120])
        for group in 0..<5 { #expect(Set(stride(from: group, to: 600, by: 5).map { clustering.labels[$0] }).count == 1) }
        #expect(clustering.meanCosine > 0.8 && clustering.meanCosine < 1)
        for threads in 1...3 { #expect(try SphericalKMeans(clusters: 5, threads: threads).fit(x) == clustering) }
        for k in 0..<5 {
            let norm = (0..<16).reduce(0.0) { $0 + Double(clustering.centers[k, $1]) * Double(clustering.centers[k, $1]) }
            #expect(abs(norm - 1) < 1e-6)
        }
    }

    @Test func rowsWithoutDirectionBelongToNone() throws {
        var x = sample(rows: 50, columns: 4)
        for c in 0..<4 { x[3 * 4 + c] = 0 }
        let clustering = try SphericalKMeans(clusters: 3).fit(x, valid: (0..<50).map { $0 != 8 })
        #expect(clustering.labels[3] == -1 && clustering.labels[8] == -1)
        #expect(clustering.sizes.reduce(0, +) == 48)
        #expect(try CommunityDetection(threshold: 0.5, minimumSize: 1).fit(x).joined().contains(3) == false)
    }

    @Test func badInputIsAnError() throws {
        let x = sample(rows: 20, columns: 4)
        #expect(throws: DataError.self) { try SphericalKMeans(clusters: 21).fit(x) }
        #expect(throws: DataError.self) { try SphericalKMeans(clusters: 0).fit(x) }
        #expect(throws: DataError.self) { try SphericalKMeans(clusters: 3).fit(Tensor<Float>(repeating: 1, shape: [20, 4])) }
        #expect(throws: DataError.self) { try CommunityDetection(threshold: 1.5).fit(x) }
        #expect(throws: DataError.self) { try CommunityDetection(minimumSize: 0).fit(x) }
        var broken = x
        broken[9] = .nan
        #expect { try SphericalKMeans(clusters: 2).fit(broken) } throws: { "\($0)".contains("row 2") }
        #expect { try CommunityDetection().fit(broken) } throws: { "\($0)".contains("row 2") }
    }
}
