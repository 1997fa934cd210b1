import FileFormats
import Foundation
import LanguageModels
import Statistics
import TestTools
import Testing
import Tokenizers

@Suite struct EvaluationTests {
    @Test(
        "Natural Stories: the published correlations and regression are found again",
        .enabled(if: SharedData.path("language/naturalstories/word_surprisal_rt.tsv") != nil))
    func naturalStories() throws {
        let path = try #require(SharedData.path("language/naturalstories/word_surprisal_rt.tsv"))
        var columns = ReadingTimes.Columns(time: "mean_rt")
        columns.surprisal = "surprisal_gpt3_bits"
        let reading = try ReadingTimes(Table(path: path), columns: columns), result = try reading.analyse(resamples: 500)
        #expect(reading.groupName == "story" && reading.groupCount == 10 && reading.time.count == 9994 && reading.leftOut == 10)
        let r = Dictionary(uniqueKeysWithValues: result.correlations.map { ($0.name, $0.estimate.value) })
        #expect(
            abs((r["surprisal_gpt3_bits"] ?? 0) - 0.2158) < 5e-5 && abs((r["surprisal_gpt3_bits_prev1"] ?? 0) - 0.1187) < 5e-5
                && abs((r["length"] ?? 0) - 0.3231) < 5e-5)
        let coefficients = Dictionary(uniqueKeysWithValues: zip(result.full.names, result.full.coefficients.map(\.value)))
        #expect(abs((coefficients["(intercept)"] ?? 0) - 302.43) < 0.005 && abs((coefficients["surprisal_gpt3_bits"] ?? 0) - 1.573) < 5e-4)
        #expect(abs((coefficients["surprisal_gpt3_bits_prev1"] ?? 0) - 1.539) < 5e-4 && abs((coefficients["length"] ?? 0) - 5.551) < 5e-4)
        #expect(abs(result.full.rSquared - 0.1374) < 5e-5)
        #expect(result.folds == 10 && result.isByGroup && result.heldOut.value > 0 && (result.heldOut.interval?.lowerBound ?? 0) > 0)
        // The gain is that of the log-likelihoods, and the held-out gain of a word lies below the sample's.
        #expect(abs(result.gain.value - (result.full.logLikelihood - result.baseline.logLikelihood)) < 1e-9)
        #expect(result.heldOut.value < result.gain.value / Double(reading.time.count))
    }

    @Test("BLiMP and JBLiMP are known by their columns", .enabled(if: SharedData.path("language/blimp/blimp-100.tsv") != nil))
    func publishedSets() throws {
        let blimp = try MinimalPairs(Table(path: #require(SharedData.path("language/blimp/blimp-100.tsv"))))
        #expect(blimp.pairs.count == 6700 && blimp.categoryNames == ["uid", "term", "field"])
        let tokenizer = try Tokenizer(json: try Fixtures.json("causal-tokenizer.json"), file: "t")
        let scorer = SurprisalScorer(model: BigramModel(tokenizer: tokenizer, beginID: 0, contextLength: 512))
        let outcomes = try blimp.outcomes(of: scorer, file: nil)
        let accuracies = try blimp.accuracies(outcomes, resamples: 200, seed: 1, threads: 2)
        #expect(accuracies.count { $0.by == "uid" } == 67 && accuracies.filter { $0.by == "uid" }.allSatisfy { $0.pairs == 100 })
        let mean = accuracies.filter { $0.by == "uid" }.reduce(0) { $0 + $1.bySum.value } / 67
        #expect(abs(accuracies[0].bySum.value - mean) < 1e-12 && accuracies[0].bySum.interval!.contains(mean))
        #expect(accuracies[0].bySum.method.description.contains("bootstrap") && accuracies[1].bySum.method.description == "Wilson")

        let japanese = try MinimalPairs(Table(path: #require(SharedData.path("language/jblimp/validated_minimal_pairs.jsonl"))))
        #expect(
            japanese.pairs.count == 331 && japanese.categoryNames == ["paradigm", "phenomenon", "type"]
                && japanese.columns.good == "good_sentence")
    }

    @Test("Ties are errors, and sums and means may differ")
    func ties() throws {
        let table = Table(name: "made", columns: [("good", ["a", "b", "c"]), ("bad", ["d", "e", "f"]), ("type", ["x", "x", "y"])])
        let pairs = try MinimalPairs(table)
        let outcomes: [MinimalPairs.Outcome] = [
            .init(good: -4, bad: -4, goodTokens: 2, badTokens: 2), .init(good: -6, bad: -5, goodTokens: 3, badTokens: 2),
            .init(good: -1, bad: -2, goodTokens: 1, badTokens: 1),
        ]
        let found = try pairs.accuracies(outcomes, resamples: 100, seed: 0, threads: 1)
        #expect(found.map(\.value) == ["all", "x", "y"] && found[0].ties == 1)
        #expect(
            found[0].bySum.value == 1.0 / 3 && found[0].byMean.value == 2.0 / 3 && found[1].bySum.value == 0 && found[2].bySum.value == 1)
        #expect(throws: DataError.self) { try MinimalPairs(Table(name: "m", columns: [("good", ["a"]), ("bad", ["a"])])) }
        #expect(throws: DataError.self) { try MinimalPairs(Table(name: "m", columns: [("one", ["a"]), ("two", ["b"])])) }
        #expect(try MinimalPairs(Table(name: "m", columns: [("one", ["a"]), ("two", ["b"])]), good: "one", bad: "2").pairs.count == 1)
    }
}
