import Analysis
import FileFormats
import Foundation
import Statistics
import Tensors
import Testing

@Suite struct DissimilarityTests {
    @Test func distancesAgreeWithScipy() throws {
        let golden = try Golden.load().distances, x = Tensor(golden.x, shape: [golden.rows, golden.x.count / golden.rows])
        for (metric, expected) in [
            (DistanceMetric.cosine, golden.cosine), (.correlation, golden.correlation), (.euclidean, golden.euclidean),
            (.squaredEuclidean, golden.sqeuclidean),
        ] {
            let found = try RDM(x, metric: metric)
            #expect(largest(found.values, expected) < 1e-12, "\(metric)")
            #expect(try RDM(labels: found.labels, matrix: found.matrix, metric: metric.rawValue) == found)
            for pair in found.values.indices {
                let (i, j) = found.pair(pair)
                #expect(found[i, j] == found.values[pair] && found[j, i] == found.values[pair])
            }
        }
    }

    @Test func badMatricesAreNamed() throws {
        #expect(throws: DataError.self) { try RDM(labels: ["a"], values: []) }
        #expect(throws: DataError.self) { try RDM(labels: ["a", "a"], values: [1]) }
        #expect(throws: DataError.self) { try RDM(labels: ["a", "b"], values: [1, 2]) }
        #expect(throws: DataError.self) { try RDM(matrix: Tensor([0, 1, 2, 0], shape: [2, 2])) }
        let similarity = #expect(throws: DataError.self) { try RDM(matrix: Tensor([1, 0.5, 0.5, 1], shape: [2, 2])) }
        #expect(similarity?.message.contains("similarities") == true)
        let zero = #expect(throws: DataError.self) { try RDM(Tensor([1, 2, 0, 0], shape: [2, 2]), labels: ["x", "nothing"]) }
        #expect(zero?.message.contains("'nothing'") == true)
        #expect(throws: DataError.self) { try RDM(Tensor([1, 2, 5, 5], shape: [2, 2]), metric: .correlation) }
        let a = try rdm([1, 2, 3], 3)
        #expect(try a.aligned(to: ["c2", "c0", "c1"]).values == [2, 3, 1])
        let other = #expect(throws: DataError.self) { try a.aligned(to: ["c0", "c1", "d"]) }
        #expect(other?.message.contains("lacks d") == true && other?.message.contains("c2") == true)
    }

    @Test func conditionMeansLeaveRowsOut() {
        let means = conditionMeans(Tensor<Float>([1, 2, 3, 4, 5, 6], shape: [3, 2]), codes: [0, nil, 0], levels: 2)
        #expect(means[0, 0] == 3 && means[0, 1] == 4 && means[1, 0].isNaN)
    }
}

@Suite struct DendrogramTests {
    @Test func agreesWithScipy() throws {
        for golden in try Golden.load().trees {
            let linkage = try #require(Dendrogram.Linkage(rawValue: golden.method)), source = try rdm(golden.distances, golden.n)
            let tree = try Dendrogram(source, linkage: linkage)
            for (merge, expected) in zip(tree.merges, golden.merges) {
                #expect(
                    [Double(merge.first), Double(merge.second), Double(merge.size)] == [expected[0], expected[1], expected[3]]
                        && abs(merge.height - expected[2]) < 1e-12,
                    "\(golden.method) \(golden.n)")
            }
            #expect(tree.leaves == golden.leaves)
            #expect(largest(tree.copheneticDistances(), golden.cophenetic) < 1e-12)
            let clusters = tree.clusters(height: golden.height)
            for i in 0..<golden.n {
                for j in 0..<golden.n { #expect((clusters[i] == clusters[j]) == (golden.byHeight[i] == golden.byHeight[j])) }
            }
            #expect(try Set(tree.clusters(count: golden.n)).count == golden.n && Set(tree.clusters(count: 1)) == [0])
            #expect(throws: DataError.self) { try tree.clusters(count: golden.n + 1) }
        }
    }

    @Test func newickQuotesNames() throws {
        let tree = try Dendrogram(RDM(labels: ["a", "it's", "c"], values: [1, 4, 3]), linkage: .single)
        #expect(tree.newick == "('c':3.0,('a':1.0,'it''s':1.0):2.0);")
        #expect(throws: DataError.self) { try Dendrogram(rdm([1, .nan, 2], 3)) }
    }
}

@Suite struct MDSTests {
    @Test func agreesWithScikitLearn() throws {
        let golden = try Golden.load().scalings, source = try rdm(golden.distances, 16)
        let classical = try MDS(.classical).fit(source)
        #expect(
            largest(classical.eigenvalues, golden.eigenvalues) < 1e-10 && largest(classical.distances, golden.distancesOfClassical) < 1e-10)
        for (method, expected) in [(MDS.Method.metric, golden.metric), (.nonmetric, golden.nonmetric)] {
            let fit = try MDS(method).fit(source)
            #expect(
                abs(fit.stress - expected.stress) < 1e-9 && fit.iterations == expected.iterations,
                "\(method) \(fit.stress) \(fit.iterations)")
            #expect(largest(fit.distances, expected.distances) < 1e-7)
            let started = try MDS(method, starts: 3, seed: 2).fit(source)
            #expect(started.stress <= fit.stress)
        }
    }

    @Test func badInputIsNamed() throws {
        #expect(throws: DataError.self) { try MDS().fit(rdm([1, .nan, 1], 3)) }
        #expect(throws: DataError.self) { try MDS().fit(rdm([1, -1, 1], 3)) }
        #expect(throws: DataError.self) { try MDS().fit(rdm([0, 0, 0], 3)) }
        #expect(throws: DataError.self) { try MDS(dimensions: 3).fit(rdm([1, 1, 1], 3)) }
    }
}
