import FileFormats
import Foundation
import LanguageModels
import Statistics
import TestTools
import Testing

@Suite struct ReadingTimesTests {
    @Test("A placeholder-free check: words before a text's first do not exist")
    func textsDoNotTouch() throws {
        var rows: [(String, Double, Double, Double)] = []
        for text in 0..<6 {
            for word in 0..<10 {
                rows.append(
                    (
                        "t\(text)", 300 + Double((word * 7 + text * 3) % 11) * 4, Double((word * 5 + text) % 7),
                        Double(1 + (word * 3 + text) % 8)
                    ))
            }
        }
        let table = Table(
            name: "made",
            columns: [
                ("story", rows.map(\.0)), ("rt", rows.map { "\($0.1)" }), ("surprisal", rows.map { "\($0.2)" }),
                ("length", rows.map { "\($0.3)" }),
            ])
        var columns = ReadingTimes.Columns(time: "rt")
        columns.lag = 2
        let reading = try ReadingTimes(table, columns: columns)
        #expect(reading.time.count == 6 * 8 && reading.leftOut == 12 && reading.groupCount == 6)
        #expect(reading.surprisals[1].values[0] == rows[1].2 && reading.surprisals[2].values[0] == rows[0].2)
        let result = try reading.analyse(resamples: 200)
        #expect(
            result.folds == 6 && result.isByGroup
                && result.full.names == ["(intercept)", "length", "surprisal", "surprisal_prev1", "surprisal_prev2"])
        #expect(result.gain.value >= 0)
    }
}
