import FileFormats
import Statistics
import Testing

@Suite struct CorrelationTests {
    @Test func agreesWithScipy() throws {
        for golden in try Golden.load().correlations.pairs {
            let pearson = try Correlation.pearson.estimate(golden.a, golden.b),
                spearman = try Correlation.spearman.estimate(golden.a, golden.b)
            let kendall = try Correlation.kendall.estimate(golden.a, golden.b)
            #expect(abs(pearson.value - golden.pearson) < 1e-12)
            #expect(abs(spearman.value - golden.spearman) < 1e-12)
            #expect(abs(kendall.value - golden.kendall) < 1e-12)
            #expect(abs(try Correlation.tauA(golden.a, golden.b) - golden.tauA) < 1e-12)
            if let interval = pearson.interval, golden.a.count > 3 {
                #expect(abs(interval.lowerBound - golden.low) < 1e-10 && abs(interval.upperBound - golden.high) < 1e-10)
            }
            #expect(abs((pearson.p ?? 9) - golden.pearsonP) < 1e-12)
            #expect(abs((spearman.p ?? 9) - golden.spearmanP) < 1e-12)
            #expect(deviation(kendall.p ?? 9, golden.kendallP) < 1e-10, "n = \(golden.a.count)")
        }
    }

    @Test func rhoAIsTheMeanOverAllWaysToBreakTies() throws {
        for golden in try Golden.load().correlations.rhoA { #expect(abs(try Correlation.rhoA(golden.a, golden.b) - golden.value) < 1e-12) }
    }

    @Test func partialCorrelationIsThatOfResiduals() throws {
        let golden = try Golden.load().partial
        for (kind, r, p) in [(Correlation.pearson, golden.pearson, golden.pearsonP), (.spearman, golden.spearman, golden.spearmanP)] {
            let found = try kind.partial(golden.x, golden.y, given: golden.covariates)
            #expect(abs(found.value - r) < 1e-12 && abs((found.p ?? 9) - p) < 1e-12)
        }
        #expect(throws: DataError.self) { try Correlation.pearson.partial(golden.x, golden.y, given: [golden.x]) }
        #expect(throws: DataError.self) { try Correlation.kendall.partial(golden.x, golden.y, given: golden.covariates) }
        let message = #expect(throws: DataError.self) {
            try Correlation.pearson.partial(golden.x, golden.y, given: [golden.covariates[0], golden.covariates[0]])
        }
        #expect(message?.message.contains("linear combination") == true)
    }

    @Test func ranksShareTies() { #expect(averageRanks([3, 1, 3, 2, 3]) == [4, 1, 4, 2, 4]) }

    @Test func perfectAndOpposite() throws {
        for kind in Correlation.allCases {
            #expect(abs(try kind([1, 2, 3, 4], [2, 4, 6, 8]) - 1) < 1e-15)
            #expect(abs(try kind([1, 2, 3, 4], [8, 6, 4, 2]) + 1) < 1e-15)
        }
    }

    @Test func bootstrapSurroundsTheCoefficient() throws {
        let golden = try Golden.load().correlations.pairs[0]
        let interval = try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 3)
        #expect(interval.contains(golden.spearman))
        #expect(try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 3, threads: 1) == interval)
        #expect(try Correlation.spearman.bootstrapInterval(golden.a, golden.b, resamples: 500, seed: 4) != interval)
    }

    @Test func undefinedCorrelationsAreErrors() throws {
        for kind in Correlation.allCases {
            #expect(throws: DataError.self) { try kind([1, 2], [1]) }
            #expect(throws: DataError.self) { try kind([1], [1]) }
            #expect(throws: DataError.self) { try kind([], []) }
            #expect(throws: DataError.self) { try kind([1, .nan, 3], [1, 2, 3]) }
            if kind == .tauA || kind == .rhoA {
                #expect(try kind([5, 5, 5], [1, 2, 3]) == 0)
                continue
            }
            #expect(throws: DataError.self) { try kind([5, 5, 5], [1, 2, 3]) }
            #expect(throws: DataError.self) { try kind([1, 2, 3], [0.1, 0.1, 0.1]) }
        }
    }
}
