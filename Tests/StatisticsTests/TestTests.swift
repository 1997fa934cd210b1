import FileFormats
import Statistics
import Testing

@Suite struct ProportionTests {
    @Test func intervalsAgreeWithScipy() throws {
        for golden in try Golden.load().proportions.intervals {
            let proportion = try Proportion(golden.k, of: golden.n)
            #expect(deviation(bounds(try proportion.clopperPearson(level: golden.level)), golden.exact) < 1e-11)
            #expect(deviation(bounds(try proportion.wilson(level: golden.level)), golden.wilson, floor: 1e-4) < 1e-11)
        }
    }

    @Test func binomialTestsAgreeWithScipy() throws {
        for golden in try Golden.load().proportions.tests {
            for alternative in Alternative.allCases {
                let p = try Proportion(golden.k, of: golden.n).test(against: golden.chance, alternative).p
                #expect(
                    deviation(p ?? 9, golden.p[alternative.rawValue]!) < 1e-11,
                    "\(golden.k) of \(golden.n) against \(golden.chance), \(alternative)")
            }
        }
    }

    @Test func mcNemarAgreesWithStatsmodels() throws {
        for golden in try Golden.load().proportions.mcnemar {
            let test = try McNemar(firstOnly: golden.b, secondOnly: golden.c)
            #expect(deviation(test.exact, golden.exact) < 1e-12)
            for (corrected, expected) in [(true, golden.corrected), (false, golden.plain)] {
                let found = test.chiSquare(corrected: corrected)
                if let expected { #expect(deviation([found.statistic, found.p], expected) < 1e-12) } else { #expect(found == (0, 1)) }
            }
        }
        #expect(try McNemar([true, true, false, false, true], [true, false, true, false, false]) == McNemar(firstOnly: 2, secondOnly: 1))
        #expect(throws: DataError.self) { try McNemar([true], []) }
    }

    @Test func impossibleCountsAreErrors() {
        for (k, n) in [(0, 0), (-1, 4), (5, 4)] { #expect(throws: DataError.self) { try Proportion(k, of: n) } }
        #expect(throws: DataError.self) { try Proportion(1, of: 4).wilson(level: 95) }
        #expect(throws: DataError.self) { try Proportion(1, of: 4).test(against: 1.5) }
    }
}

@Suite struct MultipleComparisonTests {
    @Test func agreesWithStatsmodels() throws {
        for golden in try Golden.load().adjustments {
            for (method, expected) in [
                (MultipleComparisons.holm, golden.holm), (.benjaminiHochberg, golden.fdr), (.benjaminiYekutieli, golden.fdrBY),
                (.bonferroni, golden.bonferroni),
            ] {
                #expect(deviation(method.adjusted(golden.p), expected) < 1e-12, "\(method)")
            }
        }
    }

    @Test func missingTestsDoNotCount() {
        let adjusted = MultipleComparisons.holm.adjusted([0.01, .nan, 0.04])
        #expect(adjusted[0] == 0.02 && adjusted[1].isNaN && adjusted[2] == 0.04)
        #expect(MultipleComparisons.benjaminiHochberg.adjusted([]).isEmpty)
    }
}

@Suite struct LocationTests {
    @Test func oneSampleAgreesWithScipy() throws {
        for golden in try Golden.load().located.one {
            for alternative in Alternative.allCases {
                let name = alternative.rawValue
                #expect(deviation(try TTest(golden.values, alternative).estimate.p ?? 9, golden.p[name]!) < 1e-10)
                let wilcoxon = try Wilcoxon(golden.values, alternative), nonzero = golden.values.filter { $0 != 0 }
                let tied = Set(nonzero.map(abs)).count < nonzero.count
                // With ties we stay exact up to 50 differences; scipy enumerates up to 13.
                if nonzero.count <= 13 || !tied || nonzero.count > 50 {
                    #expect(deviation(wilcoxon.p, golden.wilcoxon[name]!) < 1e-10, "n = \(nonzero.count)")
                } else {
                    #expect(abs(wilcoxon.p - golden.wilcoxon[name]!) < 0.02)
                }
                #expect(wilcoxon.positive == golden.positive)
            }
            let test = try TTest(golden.values)
            #expect(deviation(test.t, golden.t) < 1e-10 && deviation(bounds(test.estimate), golden.interval) < 1e-10)
            #expect(deviation(try Wilcoxon(golden.values, exactLimit: 0, continuity: false).p, golden.uncorrected) < 1e-10)
            if let dz = golden.dz, let interval = golden.dzInterval {
                let found = try EffectSize.dz(golden.values)
                #expect(
                    deviation(found.value, dz) < 1e-11 && deviation(bounds(found), interval, floor: 0.1) < 1e-8,
                    "\(bounds(found)) \(interval)")
            }
        }
    }

    @Test func twoSamplesAgreeWithScipy() throws {
        for golden in try Golden.load().located.two {
            for alternative in Alternative.allCases {
                let name = alternative.rawValue
                #expect(
                    deviation(try TTest(golden.a, golden.b, equalVariances: true, alternative).estimate.p ?? 9, golden.student[name]!)
                        < 1e-10)
                #expect(deviation(try TTest(golden.a, golden.b, alternative).estimate.p ?? 9, golden.welch[name]!) < 1e-10)
                #expect(deviation(try MannWhitney(golden.a, golden.b, alternative).p, golden.mannWhitney[name]!) < 1e-10)
            }
            let welch = try TTest(golden.a, golden.b), student = try TTest(golden.a, golden.b, equalVariances: true)
            #expect(
                deviation(welch.freedom, golden.welchFreedom) < 1e-11 && deviation(bounds(welch.estimate), golden.welchInterval) < 1e-10)
            #expect(deviation(bounds(student.estimate), golden.studentInterval) < 1e-10)
            #expect(try MannWhitney(golden.a, golden.b).u == golden.u)
            let d = try EffectSize.d(golden.a, golden.b), delta = try EffectSize.cliffsDelta(golden.a, golden.b)
            #expect(deviation(d.value, golden.d) < 1e-11 && deviation(bounds(d), golden.dInterval, floor: 0.1) < 1e-8)
            #expect(deviation(try EffectSize.d(golden.a, golden.b, corrected: true).value, golden.hedges) < 1e-11)
            #expect(deviation([delta.value] + bounds(delta), golden.cliff, floor: 0.01) < 1e-11)
        }
    }

    @Test func degenerateSamplesAreErrors() {
        #expect(throws: DataError.self) { try TTest([1]) }
        #expect(throws: DataError.self) { try TTest([0.1, 0.1, 0.1]) }
        #expect(throws: DataError.self) { try TTest([1, 2], [3]) }
        #expect(throws: DataError.self) { try TTest([1, .nan]) }
        #expect(throws: DataError.self) { try Wilcoxon([0, 0]) }
        #expect(throws: DataError.self) { try Wilcoxon([]) }
        #expect(throws: DataError.self) { try MannWhitney([], [1]) }
        #expect(throws: DataError.self) { try EffectSize.cliffsDelta([1], []) }
        #expect(throws: DataError.self) { try EffectSize.dz([2, 2]) }
    }
}
