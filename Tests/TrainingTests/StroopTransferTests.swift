import Testing
import Training

@Suite struct StroopTransferTests {
    private static func surprisal(
        _ results: [[StroopTransfer.Result]], _ task: StroopTransfer.Task, _ condition: StroopTransfer.Condition
    ) -> Double {
        results.reduce(0) { sum, network in sum + (network.first { $0.task == task && $0.condition == condition }?.surprisal ?? .nan) }
            / Double(results.count)
    }

    @Test func sameBitsForASeedAndAnyNumberOfThreads() throws {
        var model = StroopTransfer()
        (model.readingSteps, model.jointSteps) = (10, 20)
        let one = try model.experiment(networks: 3, seed: 7, threads: 1)
        #expect(try model.experiment(networks: 3, seed: 7, threads: 3) == one)
        #expect(try model.experiment(networks: 2, seed: 7) == Array(one.prefix(2)))
        #expect(try model.experiment(networks: 3, seed: 8) != one)
        #expect(
            one.allSatisfy { $0.count == 6 && $0.allSatisfy { $0.surprisal.isFinite && $0.surprisal > 0 && (0...1).contains($0.errors) } })
    }

    /// What was learned is known; a word disturbs the naming of its ink where naming began from reading, and an ink does not disturb
    /// reading.
    @Test func readingDisturbsNamingWhereNamingBeganFromIt() throws {
        var model = StroopTransfer()
        func mean(_ results: [[StroopTransfer.Result]], _ task: StroopTransfer.Task, _ condition: StroopTransfer.Condition) -> Double {
            Self.surprisal(results, task, condition)
        }
        let found = try model.experiment(networks: 8, seed: 1)
        for task in StroopTransfer.Task.allCases {
            let errors = found.flatMap { $0.filter { $0.task == task && $0.condition == .control }.map(\.errors) }
            #expect(errors.allSatisfy { $0 == 0 }, "\(task): \(errors)")
        }
        let interference = mean(found, .colourNaming, .conflict) - mean(found, .colourNaming, .control)
        #expect(
            interference > 2 && abs(mean(found, .wordReading, .conflict) - mean(found, .wordReading, .control)) < 0.1, "\(interference)")
        // The word's own colour is far less trouble than another one.
        #expect(mean(found, .colourNaming, .congruent) < mean(found, .colourNaming, .conflict) / 4)
        // Read in black alone, inks are new to reading, and it suffers too.
        model.readsAnyInk = false
        let black = try model.experiment(networks: 8, seed: 1)
        #expect(mean(black, .wordReading, .conflict) > mean(found, .wordReading, .conflict) + 0.2)
        // Of a head that began at random, a word's own colour is no better than another: what a word does there has no direction.
        (model.readsAnyInk, model.transfers) = (true, false)
        let fresh = try model.experiment(networks: 8, seed: 1)
        let direction = mean(fresh, .colourNaming, .conflict) - mean(fresh, .colourNaming, .congruent)
        #expect(direction < (mean(found, .colourNaming, .conflict) - mean(found, .colourNaming, .congruent)) / 2, "\(direction)")
    }
}
