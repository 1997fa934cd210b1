import Foundation
import Simulation
import Testing

@Suite struct StroopTests {
    @Test func cyclesWithoutNoise() throws {
        let model = StroopModel()
        for (task, expected) in [(StroopModel.Task.wordReading, [24, 25, 23]), (.colourNaming, [35, 47, 30])] {
            for (condition, cycles) in zip(StroopModel.Condition.allCases, expected) {
                let found = try model.cycles(task, condition)
                #expect(found.cycles == cycles && found.isCorrect, "\(task) \(condition): \(String(describing: found.cycles))")
            }
        }
    }

    @Test func colourConflictByAsynchrony() throws {
        let found = try [-33, -25, -17, -8, 0, 8, 17, 25, 33].map { try StroopModel().cycles(.colourNaming, .conflict, soa: $0).cycles }
        #expect(found == [65, 63, 60, 54, 47, 42, 37, 36, 35])
    }

    @Test func cyclesWithNoise() throws {
        let model = StroopModel(), trials = 10_000
        // The expected means come from 400 trials; a standard deviation of 7 to 26 cycles makes them uncertain. So few trials show errors
        // in colour conflict only (1 %). The same computation with 1,000,000 trials has some in every condition; those shares are expected
        // here.
        let expected: [(StroopModel.Task, cycles: [Double], errors: [Double])] = [
            (.wordReading, [24.7, 25.0, 24.0], [0.00032, 0.00040, 0.00032]),
            (.colourNaming, [35.8, 49.2, 30.5], [0.00369, 0.00961, 0.00188]),
        ]
        for (task, cycles, errors) in expected {
            for (k, condition) in StroopModel.Condition.allCases.enumerated() {
                let found = try model.simulate(task, condition, trials: trials, seed: 1)
                let uncertainty = 3 * (found.standardError * (Double(trials) / 400).squareRoot() + found.standardError)
                #expect(abs(found.mean - cycles[k]) < uncertainty + 0.05, "\(task) \(condition): \(found.mean)")
                let share = errors[k], deviation = (share * (1 - share) / Double(trials)).squareRoot()
                #expect(abs(found.errors - share) < 3 * deviation, "\(task) \(condition): \(found.errors)")
            }
        }
    }

    @Test func sameBitsForAnyNumberOfThreads() throws {
        let simulator = try StroopModel().simulator(.colourNaming, .conflict)
        #expect(simulator.responses(trials: 333, seed: 2, threads: 1) == simulator.responses(trials: 333, seed: 2, threads: 5))
        // A trial does not depend on how many others there are.
        #expect(Array(simulator.responses(trials: 333, seed: 2).prefix(40)) == simulator.responses(trials: 40, seed: 2))
    }

    /// A bias that is left out lets the word through: the network names the word.
    @Test func withoutBiasTheWordIsNamed() throws {
        var model = StroopModel()
        (model.weights.inkBias, model.weights.wordBias) = ([0, 0], [0, 0])
        #expect(try !model.cycles(.colourNaming, .conflict).isCorrect)
    }

    @Test func gradientsAgreeWithFiniteDifferences() {
        var w = StroopModel.Weights.cohen1990
        (w.ink, w.word) = ([[0.8, -0.5], [-0.7, 0.9]], [[1.1, -0.4], [-0.9, 0.6]])
        for isWord in [true, false] {
            let g = w.gradient(isWord: isWord, colour: 1), h = 1e-5
            func check(_ path: WritableKeyPath<StroopModel.Weights, [[Double]]>, _ gradient: [[Double]]) {
                for i in 0..<2 {
                    for j in 0..<2 {
                        var (up, down) = (w, w)
                        up[keyPath: path][i][j] += h
                        down[keyPath: path][i][j] -= h
                        let slope = (up.loss(isWord: isWord, colour: 1) - down.loss(isWord: isWord, colour: 1)) / (2 * h)
                        #expect(abs(slope - gradient[i][j]) < 1e-9)
                    }
                }
            }
            check(\.ink, g.ink)
            check(\.word, g.word)
            check(\.inkResponse, g.inkResponse)
            check(\.wordResponse, g.wordResponse)
        }
    }

    @Test func trainingTenToOneMakesReadingStronger() throws {
        var model = StroopModel()
        model.weights = StroopModel.trained(frequency: 10, epochs: 1000, seed: 1)
        print(model.weights)
        let colour = try StroopModel.Condition.allCases.map { try model.cycles(.colourNaming, $0) },
            word = try StroopModel.Condition.allCases.map { try model.cycles(.wordReading, $0) }
        print(colour, word)
        let (control, conflict) = (try #require(colour[0].cycles), try #require(colour[1].cycles))
        #expect(conflict > control + 3)
        let (wordControl, wordConflict) = (try #require(word[0].cycles), try #require(word[1].cycles))
        #expect(wordControl < control && abs(wordConflict - wordControl) < conflict - control)
        // Trained alike, neither is stronger.
        let even = StroopModel.trained(frequency: 1, epochs: 1000, seed: 1)
        #expect(abs(even.ink[0][0] - even.word[0][0]) < 0.3)
    }

    @Test(.enabled(if: SharedData.has("stroop/cohen1990-weights.tsv"))) func weightsFromTable() throws {
        #expect(try StroopModel.Weights(path: SharedData.path("stroop/cohen1990-weights.tsv")) == .cohen1990)
    }
}
