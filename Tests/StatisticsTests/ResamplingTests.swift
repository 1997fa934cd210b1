import FileFormats
import Statistics
import Testing

@Suite struct BootstrapTests {
    private func statistic(_ name: String, _ values: [Double]) -> @Sendable ([Int]) -> Double {
        { rows in
            let drawn = rows.map { values[$0] }
            switch name {
            case "mean": return mean(drawn)
            case "sd": return (drawn.reduce(0) { $0 + ($1 - mean(drawn)) * ($1 - mean(drawn)) } / Double(drawn.count - 1)).squareRoot()
            default: return quantile(0.5, ofSorted: drawn.sorted())
            }
        }
    }

    @Test func intervalsAgreeWithScipyOnTheSameResamples() throws {
        for golden in try Golden.load().bootstrap.one {
            let kind = try #require(Bootstrap.Kind(rawValue: golden.kind))
            for threads in [1, 2] {
                let found = try Bootstrap(kind, resamples: 300, seed: 7, threads: threads).estimate(
                    .items(golden.values.count), statistic(golden.statistic, golden.values))
                let interval = try #require(found.interval)
                #expect(
                    deviation(interval.lowerBound, golden.low) < 1e-12 && deviation(interval.upperBound, golden.high) < 1e-12,
                    "\(golden.statistic) \(golden.kind)")
            }
        }
    }

    @Test func twoSamplesAreDrawnEachByItself() throws {
        let golden = try Golden.load().bootstrap.two, first = golden.a.count, pooled = golden.a + golden.b
        let units = Bootstrap.Units.strata(pooled.indices.map { $0 < first })
        let found = try Bootstrap(.bca, resamples: 300, seed: 7).estimate(units) { rows in
            mean(rows.filter { $0 < first }.map { pooled[$0] }) - mean(rows.filter { $0 >= first }.map { pooled[$0] })
        }
        #expect(
            deviation(found.interval?.lowerBound ?? 0, golden.low) < 1e-12
                && deviation(found.interval?.upperBound ?? 0, golden.high) < 1e-12)
    }

    @Test func groupsAreDrawnWhole() throws {
        let groups = ["a", "b", "a", "c", "b", "c"]
        _ = Bootstrap(resamples: 50).distribution(.groups(groups)) { rows in
            for group in Set(rows.map { groups[$0] }) { #expect(rows.count { groups[$0] == group } % 2 == 0) }
            #expect(rows.count == 6)
            return 0
        }
        // Copies of the same rows say nothing new: drawn by group, the interval stays as wide; drawn by row, it shrinks.
        let values = (0..<12).map { Double($0 * $0 % 7) }, doubled = values.flatMap { [$0, $0, $0, $0] }
        func width(_ estimate: Estimate) -> Double { (estimate.interval?.upperBound ?? 0) - (estimate.interval?.lowerBound ?? 0) }
        let plain = width(try Bootstrap().meanEstimate(values))
        let grouped = width(try Bootstrap().meanEstimate(doubled, units: .groups(doubled.indices.map { $0 / 4 })))
        let ungrouped = width(try Bootstrap().meanEstimate(doubled))
        #expect(abs(plain - grouped) < 1e-12 && ungrouped < 0.6 * plain)
    }

    @Test func degenerateSamples() throws {
        for kind in Bootstrap.Kind.allCases {
            #expect(try Bootstrap(kind, resamples: 100).meanEstimate([2, 2, 2]).interval == 2...2)
            #expect(throws: DataError.self) { try Bootstrap(kind).meanEstimate([]) }
            #expect(throws: DataError.self) { try Bootstrap(kind, level: 1).meanEstimate([1, 2]) }
            #expect(throws: DataError.self) { try Bootstrap(kind, resamples: 0).meanEstimate([1, 2]) }
            #expect(throws: DataError.self) { try Bootstrap(kind).estimate(.items(5)) { $0.count == Set($0).count ? 1 : .nan } }
        }
    }
}

@Suite struct PermutationTests {
    @Test func exactTestsAgreeWithScipy() throws {
        let golden = try Golden.load().permutation
        for alternative in Alternative.allCases {
            let test = PermutationTest(alternative: alternative)
            for sample in golden.signs {
                let found = try test.mean(ofDifferences: sample.values)
                #expect(found.isExact && abs(found.p - sample.p[alternative.rawValue]!) < 1e-12)
            }
            for sample in golden.groups {
                let found = try test.differenceOfMeans(sample.a, sample.b)
                #expect(found.isExact && abs(found.p - sample.p[alternative.rawValue]!) < 1e-12)
            }
            for sample in golden.orders {
                let found = try test.orders(sample.a.count) { order in
                    (try? Correlation.pearson(order.map { sample.a[$0] }, sample.b)) ?? .nan
                }
                #expect(found.isExact && abs(found.p - sample.p[alternative.rawValue]!) < 1e-12)
            }
        }
    }

    @Test func drawnTestsAreNearTheExactOnes() throws {
        let golden = try Golden.load().permutation, sample = golden.signs[0], groups = golden.groups[0]
        let drawn = PermutationTest(permutations: 20_000, exactLimit: 0, seed: 5)
        let found = try drawn.mean(ofDifferences: sample.values)
        #expect(!found.isExact && found.count == 20_000 && abs(found.p - sample.p["two-sided"]!) < 0.02)
        #expect(abs(try drawn.differenceOfMeans(groups.a, groups.b).p - groups.p["two-sided"]!) < 0.02)
        var single = drawn
        single.threads = 1
        #expect(try single.mean(ofDifferences: sample.values) == found)
        single.seed = 6
        #expect(try single.mean(ofDifferences: sample.values) != found)
        // The observed arrangement is counted: p is never 0.
        #expect(try PermutationTest(permutations: 99, exactLimit: 0).mean(ofDifferences: (1...40).map(Double.init)).p == 0.02)
    }

    @Test func degenerateSamples() throws {
        #expect(throws: DataError.self) { try PermutationTest().mean(ofDifferences: []) }
        #expect(throws: DataError.self) { try PermutationTest().mean(ofDifferences: [1, .nan]) }
        #expect(throws: DataError.self) { try PermutationTest().differenceOfMeans([1], []) }
        #expect(throws: DataError.self) { try PermutationTest(permutations: 0).mean(ofDifferences: [1]) }
        #expect(try PermutationTest().mean(ofDifferences: [0, 0, 0]).p == 1)
        #expect(try PermutationTest().mean(ofDifferences: [1]).p == 1)
    }
}
