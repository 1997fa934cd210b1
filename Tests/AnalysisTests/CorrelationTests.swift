import Analysis
import FileFormats
import Testing

@Suite struct CorrelationTests {
    @Test func agreesWithScipy() throws {
        for golden in try Golden.load().correlations {
            let r = try Correlation.pearson(golden.a, golden.b), rho = try Correlation.spearman(golden.a, golden.b)
            #expect(abs(r - golden.pearson) < 1e-12)
            #expect(abs(rho - golden.spearman) < 1e-12)
            #expect(abs(try Correlation.kendall(golden.a, golden.b) - golden.kendall) < 1e-12)
            let interval = Correlation.pearson.fisherInterval(r, count: golden.a.count)
            #expect(abs(interval.lowerBound - golden.low) < 1e-10 && abs(interval.upperBound - golden.high) < 1e-10)
            #expect(abs((Correlation.pearson.pValue(r, count: golden.a.count) ?? 9) - golden.pearsonP) < 1e-9)
            #expect(abs((Correlation.spearman.pValue(rho, count: golden.a.count) ?? 9) - golden.spearmanP) < 1e-9)
        }
    }

    @Test func ranksShareTies() { #expect(averageRanks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4]) }

    @Test func perfectAndOpposite() throws {
        for kind in Correlation.allCases {
            #expect(abs(try kind([1, 2, 3, 4], [2, 4, 6, 8]) - 1) < 1e-15)
            #expect(abs(try kind([1, 2, 3, 4], [8, 6, 4, 2]) + 1) < 1e-15)
        }
    }

    @Test func bootstrapSurroundsTheCoefficient() throws {
        let golden = try Golden.load().correlations[0]
        let interval = try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 3)
        #expect(interval.contains(golden.spearman))
        #expect(try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 3, threads: 1) == interval)
        #expect(try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 4) != interval)
    }

    @Test func undefinedCorrelationsAreErrors() {
        for kind in Correlation.allCases {
            #expect(throws: DataError.self) { try kind([1, 2], [1]) }
            #expect(throws: DataError.self) { try kind([1], [1]) }
            #expect(throws: DataError.self) { try kind([], []) }
            #expect(throws: DataError.self) { try kind([1, .nan, 3], [1, 2, 3]) }
            #expect(throws: DataError.self) { try kind([5, 5, 5], [1, 2, 3]) }
            #expect(throws: DataError.self) { try kind([1, 2, 3], [0.1, 0.1, 0.1]) }
        }
    }
}
