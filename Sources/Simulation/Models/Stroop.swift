import FileFormats
import Foundation
import Statistics
import Tensors

/// The Stroop effect by pathways of different strength.
///
/// Cohen, Dunbar & McClelland (1990), Psychological Review 97, 332–361. Ink colour and word reach the responses through hidden units of
/// their own; the unit of the task lifts its pathway's hidden units out of the bias that keeps them quiet. Word reading has been trained
/// more, so its weights are larger. Activation runs in a cascade, and two accumulators gather the difference of the responses until one
/// reaches its threshold.
///
/// The weights are those of the paper's figure 3. The cascade's rate τ, the accumulation rate α, its noise σ, the threshold and the SOA's
/// milliseconds per cycle are the paper's as remembered, not read from a table.
public struct StroopModel: Sendable {
    /// What is to be named.
    public enum Task: String, Sendable, CaseIterable { case wordReading = "word reading", colourNaming = "colour naming" }
    /// How word and ink relate.
    public enum Condition: String, Sendable, CaseIterable { case control, conflict, congruent }

    /// Weights by the names of the units that they join, one matrix per pair of banks.
    package struct Weights: Sendable, Equatable {
        /// `(hidden, input)` of the ink and of the word pathway; hidden and input units in the order red, green.
        package var ink = [[2.2, -2.2], [-2.2, 2.2]], word = [[2.6, -2.6], [-2.6, 2.6]]
        /// Task unit to its hidden units, and the bias of all hidden units.
        package var inkTask = [4.0, 4], wordTask = [4.0, 4], inkBias = [-4.0, -4], wordBias = [-4.0, -4]
        /// `(response, hidden)`.
        package var inkResponse = [[1.3, -1.3], [-1.3, 1.3]], wordResponse = [[2.5, -2.5], [-2.5, 2.5]]

        /// Figure 3 of Cohen, Dunbar & McClelland (1990).
        package static let cohen1990 = Weights()
    }

    /// The network's weights.
    package var weights = Weights.cohen1990
    /// τ of the cascade.
    package var rate = 0.1
    /// α and σ of the accumulators, and the evidence at which they respond.
    package var accumulation = 0.1, sd = 0.1, threshold = 1.0
    /// Activation of the unit of the task, 1 for full attention.
    package var taskDemand = 1.0
    /// Cycles after which a trial counts as unanswered.
    package var limit = 2000
    /// Milliseconds of one cycle.
    package static let millisecondsPerCycle = 12.1

    /// The published parameters.
    public init() {}

    /// Beside the simulation: seconds for 100 items of Stroop (1935), tables I and III, all participants.
    package static let stroop1935: [(task: Task, condition: Condition, n: Int, seconds: Double, sd: Double)] = [
        (.wordReading, .control, 70, 41.0, 4.84), (.wordReading, .conflict, 70, 43.3, 6.15),
        (.colourNaming, .control, 100, 63.3, 10.8), (.colourNaming, .conflict, 100, 110.3, 18.8),
    ]

    /// A trial whose correct response is red.
    ///
    /// - Parameter soa: cycles by which the stimulus that the task ignores follows the other one; negative if it comes first.
    package func simulator(_ task: Task, _ condition: Condition, soa: Int = 0) throws -> Simulator {
        var network = Network()
        let ink = network.addBank("ink", units: ["ink red", "ink green"]),
            word = network.addBank("word", units: ["word RED", "word GREEN"])
        let tasks = network.addBank("task", units: Task.allCases.map { "task \($0.rawValue)" }),
            bias = network.addBank("bias", units: ["bias"])
        let inkHidden = network.addBank("ink hidden", units: ["hidden ink 1", "hidden ink 2"])
        let wordHidden = network.addBank("word hidden", units: ["hidden word 1", "hidden word 2"])
        let response = network.addBank("response", units: ["response red", "response green"])
        let w = weights
        network.addLink(from: ink, to: inkHidden, weights: w.ink)
        network.addLink(from: word, to: wordHidden, weights: w.word)
        network.addLink(from: tasks, to: wordHidden, weights: w.wordTask.map { [$0, 0] })
        network.addLink(from: tasks, to: inkHidden, weights: w.inkTask.map { [0, $0] })
        network.addLink(from: bias, to: inkHidden, weights: w.inkBias.map { [$0] })
        network.addLink(from: bias, to: wordHidden, weights: w.wordBias.map { [$0] })
        network.addLink(from: inkHidden, to: response, weights: w.inkResponse)
        network.addLink(from: wordHidden, to: response, weights: w.wordResponse)

        let onset = max(0, -soa), end = onset + limit + 1
        let (relevant, irrelevant) = task == .wordReading ? (word, ink) : (ink, word)
        // The last clamp of a unit counts.
        var events: [TrialProtocol.Event] = [
            .init(steps: 0..<end, .clamp(Array(ink.units) + Array(word.units) + Array(tasks.units), 0)),
            .init(steps: 0..<end, .clamp([bias[0]], 1)),
            .init(steps: 0..<end, .clamp([tasks[task == .wordReading ? 0 : 1]], taskDemand)),
            .init(steps: onset..<end, .clamp([relevant[0]], 1)),
        ]
        if condition != .control {
            events.append(.init(steps: onset + soa..<end, .clamp([irrelevant[condition == .congruent ? 0 : 1]], 1)))
        }
        // The network settles under the task before anything is shown, so the trial begins one step early.
        for i in events.indices where i > 2 { events[i].steps = events[i].steps.lowerBound + 1..<end }
        let race = TrialProtocol.Accumulators(
            units: Array(response.units), rate: accumulation, sd: sd, threshold: threshold, firstStep: onset + 1, limit: limit)
        return try Simulator(
            network: network, dynamics: .cascade(rate: rate), trial: TrialProtocol(events, stop: .accumulators(race), startsSettled: true))
    }

    /// Cycles to the response without noise, nil if none comes; whether it is the right one.
    package func cycles(_ task: Task, _ condition: Condition, soa: Int = 0) throws -> (cycles: Int?, isCorrect: Bool) {
        var quiet = self
        quiet.sd = 0
        let response = try quiet.simulator(task, condition, soa: soa).responses(trials: 1, seed: 0, threads: 1)[0]
        return (response.choice == nil ? nil : response.steps, response.choice == 0)
    }

    /// What trials with noise come to.
    public struct Result: Sendable {
        /// Task, condition and the word's onset relative to the ink, in cycles.
        public var task: Task, condition: Condition, soa: Int
        /// Mean and standard error of the cycles of correct responses, NaN without any.
        public var mean: Double, standardError: Double
        /// Share of wrong responses, and of trials without a response.
        public var errors: Double, omissions: Double
        /// Simulated trials.
        public var trials: Int
    }

    /// Simulated trials of one cell of the design. Results do not depend on threads.
    public func simulate(
        _ task: Task, _ condition: Condition, soa: Int = 0, trials: Int, seed: UInt64, threads: Int = Parallel.availableThreads
    ) throws -> Result {
        let responses = try simulator(task, condition, soa: soa).responses(trials: trials, seed: seed, threads: threads)
        let correct = responses.filter { $0.choice == 0 }.map { Double($0.steps) }, n = Double(correct.count)
        return Result(
            task: task, condition: condition, soa: soa, mean: mean(correct), standardError: (variance(correct) / n).squareRoot(),
            errors: Double(responses.count { $0.choice == 1 }) / Double(trials),
            omissions: Double(responses.count { $0.choice == nil }) / Double(trials),
            trials: trials)
    }

    // MARK: Training

    /// Weights learned by back-propagation from zero knowledge of the colours: every epoch shows each word to be read `frequency` times as
    /// often as each colour to be named. Task weights and biases stay, as in the paper; the squared error of the response is minimized by
    /// gradient descent.
    ///
    /// - Parameters:
    ///   - frequency: how many times as often words are read as colours are named; the paper has 10.
    ///   - seed: of the first weights, small and random.
    package static func trained(frequency: Double = 10, epochs: Int = 1000, learningRate: Double = 0.1, seed: UInt64 = 0) -> Weights {
        var random = RandomSource(seed: seed)
        func small() -> [[Double]] { (0..<2).map { _ in (0..<2).map { _ in random.uniform() * 0.2 - 0.1 } } }
        var w = Weights()
        // One sign tells the hidden units apart from the beginning, as they are labelled.
        func seeded() -> [[Double]] { zip(small(), [[0.1, -0.1], [-0.1, 0.1]]).map { zip($0, $1).map { $0 + $1 } } }
        (w.ink, w.word, w.inkResponse, w.wordResponse) = (seeded(), seeded(), seeded(), seeded())
        for _ in 0..<epochs {
            var step = Weights(
                ink: [[0, 0], [0, 0]], word: [[0, 0], [0, 0]], inkResponse: [[0, 0], [0, 0]], wordResponse: [[0, 0], [0, 0]])
            for (isWord, times) in [(true, frequency), (false, 1)] {
                for colour in 0..<2 {
                    let gradient = w.gradient(isWord: isWord, colour: colour)
                    func add(_ a: inout [[Double]], _ b: [[Double]]) {
                        for i in 0..<2 { for j in 0..<2 { a[i][j] -= learningRate * times * b[i][j] } }
                    }
                    add(&step.ink, gradient.ink)
                    add(&step.word, gradient.word)
                    add(&step.inkResponse, gradient.inkResponse)
                    add(&step.wordResponse, gradient.wordResponse)
                }
            }
            func add(_ a: inout [[Double]], _ b: [[Double]]) { for i in 0..<2 { for j in 0..<2 { a[i][j] += b[i][j] } } }
            add(&w.ink, step.ink)
            add(&w.word, step.word)
            add(&w.inkResponse, step.inkResponse)
            add(&w.wordResponse, step.wordResponse)
        }
        return w
    }
}

extension StroopModel.Weights {
    private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// Activations when one stimulus is shown alone under its task and everything has settled.
    private func forward(isWord: Bool, colour: Int) -> (ink: [Double], word: [Double], response: [Double]) {
        func hidden(_ weights: [[Double]], _ task: [Double], _ bias: [Double], isShown: Bool) -> [Double] {
            (0..<2).map { h in Self.logistic(bias[h] + (isShown ? task[h] + weights[h][colour] : 0)) }
        }
        let ink = hidden(self.ink, inkTask, inkBias, isShown: !isWord), word = hidden(self.word, wordTask, wordBias, isShown: isWord)
        let response = (0..<2).map { r -> Double in
            var net = 0.0
            for h in 0..<2 { net += inkResponse[r][h] * ink[h] + wordResponse[r][h] * word[h] }
            return Self.logistic(net)
        }
        return (ink, word, response)
    }

    /// ½ Σ (response − target)² of one pattern.
    package func loss(isWord: Bool, colour: Int) -> Double {
        let response = forward(isWord: isWord, colour: colour).response
        return response.enumerated().reduce(0) { sum, unit in
            let error = unit.element - (unit.offset == colour ? 1 : 0)
            return sum + 0.5 * error * error
        }
    }

    /// Derivatives of `loss` by the weights that learn.
    package func gradient(
        isWord: Bool, colour: Int
    ) -> (ink: [[Double]], word: [[Double]], inkResponse: [[Double]], wordResponse: [[Double]]) {
        let (inkA, wordA, response) = forward(isWord: isWord, colour: colour)
        let delta = (0..<2).map { r -> Double in
            let error = response[r] - (r == colour ? 1 : 0)
            return error * response[r] * (1 - response[r])
        }
        func outer(_ a: [Double], _ b: [Double]) -> [[Double]] { a.map { x in b.map { x * $0 } } }
        func back(_ weights: [[Double]], _ a: [Double]) -> [Double] {
            (0..<2).map { h -> Double in
                let sum = delta[0] * weights[0][h] + delta[1] * weights[1][h]
                return sum * a[h] * (1 - a[h])
            }
        }
        let input = (0..<2).map { $0 == colour ? 1.0 : 0 }, none = [[0.0, 0], [0, 0]]
        return (
            isWord ? none : outer(back(inkResponse, inkA), input), isWord ? outer(back(wordResponse, wordA), input) : none,
            outer(delta, inkA), outer(delta, wordA)
        )
    }

    /// Weights from a table with the columns `from`, `to`, `weight`; every link of the network once, named as in Cohen, Dunbar &
    /// McClelland's figure 3: `ink red`, `word GREEN`, `task colour naming`, `bias`, `hidden ink 1`, `response red` …
    ///
    /// - Throws: `DataError` for an unknown, repeated or missing link, and for a weight that is not a number.
    package init(path: String, options: TableOptions = TableOptions()) throws {
        let table = try TextTable(path: path, options: options, wanted: ["from", "to", "weight"])
        let places = try ["from", "to", "weight"].map(table.index)
        var found: [String: Double] = [:], cells: [String] = []
        let colours = ["red", "green"], hidden = ["1", "2"]
        func key(_ from: String, _ to: String) -> String { "\(from) → \(to)" }
        var known: [String] = []
        for h in hidden {
            for c in colours {
                known += [
                    key("ink \(c)", "hidden ink \(h)"), key("word \(c.uppercased())", "hidden word \(h)"),
                    key("hidden ink \(h)", "response \(c)"), key("hidden word \(h)", "response \(c)"),
                ]
            }
            known += [
                key("task colour naming", "hidden ink \(h)"), key("task word reading", "hidden word \(h)"), key("bias", "hidden ink \(h)"),
                key("bias", "hidden word \(h)"),
            ]
        }
        while let line = try table.next(into: &cells) {
            let name = key(cells[places[0]], cells[places[1]])
            guard known.contains(name) else {
                throw DataError(
                    .badData, "the network has no link \(name); its links are \(known.joined(separator: ", "))", file: table.name,
                    line: line)
            }
            guard let weight = Double(cells[places[2]]), weight.isFinite else {
                throw DataError(.badData, "the weight '\(cells[places[2]])' is not a number", file: table.name, line: line)
            }
            guard found.updateValue(weight, forKey: name) == nil else {
                throw DataError(.badData, "the link \(name) occurs twice", file: table.name, line: line)
            }
        }
        if let missing = known.first(where: { found[$0] == nil }) {
            throw DataError(.badData, "the link \(missing) has no weight", file: table.name)
        }
        func matrix(_ from: [String], _ to: [String]) -> [[Double]] { to.map { t in from.map { found[key($0, t)] ?? 0 } } }
        let inks = hidden.map { "hidden ink \($0)" }, words = hidden.map { "hidden word \($0)" },
            responses = colours.map { "response \($0)" }
        ink = matrix(colours.map { "ink \($0)" }, inks)
        word = matrix(colours.map { "word \($0.uppercased())" }, words)
        inkTask = matrix(["task colour naming"], inks).map { $0[0] }
        wordTask = matrix(["task word reading"], words).map { $0[0] }
        inkBias = matrix(["bias"], inks).map { $0[0] }
        wordBias = matrix(["bias"], words).map { $0[0] }
        inkResponse = matrix(inks, responses)
        wordResponse = matrix(words, responses)
    }
}
