import CKernels
import FileFormats
import Foundation
import Tensors

/// Runs trials of a network under a protocol.
///
/// Trials run in chunks of 32 with random numbers by counter, so the outcome is a function of the seed alone: neither threads nor the
/// number of other trials changes a bit of it.
package struct Simulator: Sendable {
    package let network: Network
    package let dynamics: Dynamics
    package let trial: TrialProtocol
    /// Edges ordered by the unit that they lead to: where each comes from, and its weight.
    private let sources: [Int32], weights: [Double]
    /// First edge of each unit, and one past the last.
    private let firstEdge: [Int]

    static let lanes = 32

    /// - Throws: `DataError` if the value of a parameter is missing or not finite.
    package init(network: Network, dynamics: Dynamics, trial: TrialProtocol, parameters: [String: Double] = [:]) throws {
        (self.network, self.dynamics, self.trial) = (network, dynamics, trial)
        let edges = try network.edges(parameters: parameters)
        (sources, weights) = (edges.map { Int32($0.from) }, edges.map(\.weight))
        var first = [Int](repeating: 0, count: network.unitCount + 1)
        for edge in edges { first[edge.to + 1] += 1 }
        for unit in 0..<network.unitCount { first[unit + 1] += first[unit] }
        firstEdge = first
    }

    /// How a trial of a race between responses ended.
    package struct Response: Sendable, Equatable {
        /// The response's index, nil if none reached the threshold.
        package var choice: Int?
        /// Steps from the first step of the race, at least 1.
        package var steps: Int
    }

    /// How many of `trials` trials fell into each category.
    ///
    /// - Parameter stream: trials of different streams are independent under one seed.
    /// - Complexity: trials × steps × (edges + units).
    package func counts(
        trials: Int, seed: UInt64, stream: UInt32 = 0, categories: Int, threads: Int = Parallel.availableThreads,
        classify: @Sendable (Activations) -> Int
    ) -> [Int] {
        let chunks = Parallel.chunks(trials, size: Self.lanes), groups = Parallel.chunks(chunks.count, size: 8)
        var counts = [Int](repeating: 0, count: groups.count * categories)
        counts.withUnsafeMutableBufferPointer { buffer in
            let shared = buffer.baseAddress.map { Shared($0) }
            Parallel.forEach(groups.count, threads: threads) { group, _ in
                let lanes = Lanes(self)
                for chunk in groups[group] {
                    lanes.begin(seed: seed, stream: stream, chunk: UInt32(truncatingIfNeeded: chunk))
                    for step in 0..<trial.stop.limit { lanes.advance(step) }
                    for lane in 0..<chunks[chunk].count {
                        let category = classify(Activations(start: lanes.a + lane, stride: Self.lanes))
                        shared?.pointer[group * categories + category] += 1
                    }
                }
            }
        }
        return (0..<categories).map { category in groups.indices.reduce(0) { $0 + counts[$1 * categories + category] } }
    }

    /// The responses of `trials` trials whose protocol stops by accumulators.
    package func responses(trials: Int, seed: UInt64, stream: UInt32 = 0, threads: Int = Parallel.availableThreads) -> [Response] {
        guard case .accumulators(let race) = trial.stop else { preconditionFailure("responses need a protocol that stops by accumulators") }
        let chunks = Parallel.chunks(trials, size: Self.lanes)
        var responses = [Response](repeating: Response(choice: nil, steps: race.limit), count: trials)
        responses.withUnsafeMutableBufferPointer { buffer in
            let shared = buffer.baseAddress.map { Shared($0) }
            Parallel.forEach(chunks.count, threads: threads) { chunk, _ in
                let lanes = Lanes(self)
                lanes.begin(seed: seed, stream: stream, chunk: UInt32(truncatingIfNeeded: chunk))
                lanes.run(race, count: chunks[chunk].count) { lane, response in shared?.pointer[chunks[chunk].lowerBound + lane] = response
                }
            }
        }
        return responses
    }

    /// The activations of one trial without noise, `(steps + 1, units)`: row 0 is the beginning.
    package func trace(steps: Int) -> [[Double]] {
        let lanes = Lanes(self, isNoisy: false)
        lanes.begin(seed: 0, stream: 0, chunk: 0)
        var rows = [lanes.activations]
        for step in 0..<steps {
            lanes.advance(step)
            rows.append(lanes.activations)
        }
        return rows
    }

    /// The chance that the target is selected at each step, for a protocol that stops by a hazard: the hazard times what no earlier step
    /// selected.
    ///
    /// - Returns: `limit + 2` probabilities; what is missing to 1 was never selected.
    package func selectionProbabilities() -> [Double] {
        guard case .hazard(let rule) = trial.stop else { preconditionFailure("selection needs a protocol that stops by a hazard") }
        let lanes = Lanes(self, isNoisy: false)
        lanes.begin(seed: 0, stream: 0, chunk: 0)
        var probabilities = [Double](repeating: 0, count: rule.limit + 2), survival = 1.0
        for step in 0..<rule.limit {
            // Before the update: what is active now decides over the next step.
            let a = Activations(start: UnsafePointer(lanes.a), stride: Self.lanes), target = a[rule.target]
            if step >= rule.firstStep, rule.competitors.allSatisfy({ target - a[$0] > rule.criticalDifference }) {
                let hazard = min(max(target / rule.choices.reduce(0) { $0 + a[$1] }, 0), 1)
                probabilities[step + 1] = survival * hazard
                survival *= 1 - hazard
            }
            lanes.advance(step)
        }
        return probabilities
    }

    /// Steps until the unit of a protocol that stops by a threshold reaches its level, without noise, interpolated within the last step;
    /// nil if it does not.
    package func thresholdSteps() -> Double? {
        guard case .threshold(let unit, let level, let limit) = trial.stop else {
            preconditionFailure("needs a protocol that stops by a threshold")
        }
        let lanes = Lanes(self, isNoisy: false)
        lanes.begin(seed: 0, stream: 0, chunk: 0)
        var before = lanes.a[unit * Self.lanes]
        if before >= level { return 0 }
        for step in 0..<limit {
            lanes.advance(step)
            let now = lanes.a[unit * Self.lanes]
            if now >= level { return Double(step) + (level - before) / (now - before) }
            before = now
        }
        return nil
    }

    // MARK: Lanes

    /// The state of 32 trials side by side: of each unit the trials, so that every loop runs over neighbouring numbers.
    private final class Lanes {
        let owner: Simulator
        let units: Int
        let isNoisy: Bool
        /// Activations, net input, net̄ and noise, each `(units, lanes)`.
        let a: UnsafeMutablePointer<Double>, net: UnsafeMutablePointer<Double>, average: UnsafeMutablePointer<Double>,
            noise: UnsafeMutablePointer<Double>
        private var isClamped: [Bool]
        private var place: (seed: UInt64, stream: UInt32, chunk: UInt32) = (0, 0, 0)

        init(_ owner: Simulator, isNoisy: Bool = true) {
            self.owner = owner
            self.isNoisy = isNoisy
            units = owner.network.unitCount
            let size = max(units * Simulator.lanes, 4)
            a = .allocate(capacity: size)
            net = .allocate(capacity: size)
            average = .allocate(capacity: size)
            noise = .allocate(capacity: size)
            for pointer in [a, net, average, noise] { pointer.initialize(repeating: 0, count: size) }
            isClamped = [Bool](repeating: false, count: units)
        }

        deinit { for pointer in [a, net, average, noise] { pointer.deallocate() } }

        var activations: [Double] { (0..<units).map { a[$0 * Simulator.lanes] } }

        func begin(seed: UInt64, stream: UInt32, chunk: UInt32) {
            place = (seed, stream, chunk)
            for i in 0..<units * Simulator.lanes { (a[i], average[i]) = (0, 0) }
            if owner.trial.startsSettled, case .cascade = owner.dynamics {
                act(at: 0, isBefore: true)
                for bank in owner.network.banks { cascade(bank, rate: 1) }
            }
        }

        func advance(_ step: Int) {
            act(at: step, isBefore: true)
            switch owner.dynamics {
            case .spreading(let decay, let sd, let relativeSD, let isRectified):
                for unit in 0..<units { gather(unit) }
                act(at: step, isBefore: false)
                let isNoisy = isNoisy && (sd > 0 || relativeSD > 0)
                if isNoisy { draw(into: noise, count: units * Simulator.lanes, step: UInt32(step)) }
                for unit in 0..<units where !isClamped[unit] {
                    let start = unit * Simulator.lanes
                    kt_spread_step(
                        a + start, net + start, isNoisy ? noise + start : nil, 1 - decay, sd * sd, relativeSD * relativeSD,
                        Int64(Simulator.lanes))
                    if isRectified { for i in start..<start + Simulator.lanes where a[i] < 0 { a[i] = 0 } }
                }
            case .cascade(let rate):
                for bank in owner.network.banks { cascade(bank, rate: rate, step: step) }
            }
        }

        private func cascade(_ bank: Network.Bank, rate: Double, step: Int = 0) {
            for unit in bank.units { gather(unit) }
            act(at: step, isBefore: false, within: bank.units)
            for unit in bank.units where !isClamped[unit] {
                for i in unit * Simulator.lanes..<(unit + 1) * Simulator.lanes {
                    average[i] = rate * net[i] + (1 - rate) * average[i]
                    a[i] = 1 / (1 + exp(-average[i]))
                }
            }
        }

        /// net[unit] = Σ weight · a.
        private func gather(_ unit: Int) {
            let first = owner.firstEdge[unit], lanes = Simulator.lanes
            owner.sources.withUnsafeBufferPointer { sources in
                owner.weights.withUnsafeBufferPointer { weights in
                    kt_spread_net(
                        sources.baseAddress.map { $0 + first }, weights.baseAddress.map { $0 + first },
                        Int64(owner.firstEdge[unit + 1] - first), a,
                        Int64(lanes), net + unit * lanes)
                }
            }
        }

        /// Events of a step: those on activations before it is computed, inputs after the net input was summed.
        private func act(at step: Int, isBefore: Bool, within units: Range<Int>? = nil) {
            let lanes = Simulator.lanes
            if isBefore { for unit in isClamped.indices { isClamped[unit] = false } }
            for event in owner.trial.events where event.steps.contains(step) {
                switch event.action {
                case .clamp(let targets, let value) where isBefore:
                    for unit in targets {
                        isClamped[unit] = true
                        for lane in 0..<lanes { a[unit * lanes + lane] = value }
                    }
                case .add(let targets, let value) where isBefore:
                    for unit in targets { for lane in 0..<lanes { a[unit * lanes + lane] += value } }
                case .boostWinner(let bank, let value) where isBefore:
                    for lane in 0..<lanes {
                        a[Activations(start: UnsafePointer(a) + lane, stride: lanes).winner(bank.units) * lanes + lane] = value
                    }
                case .input(let targets, let value) where !isBefore:
                    for unit in targets where units?.contains(unit) ?? true { for lane in 0..<lanes { net[unit * lanes + lane] += value } }
                default: break
                }
            }
        }

        private func draw(into numbers: UnsafeMutablePointer<Double>, count: Int, step: UInt32) {
            CounterRandom(seed: place.seed).normals(
                into: UnsafeMutableBufferPointer(start: numbers, count: count), stream: place.stream, chunk: place.chunk, step: step)
        }

        /// The race of accumulators in the first `count` lanes.
        func run(_ race: TrialProtocol.Accumulators, count: Int, finish: (Int, Response) -> Void) {
            let lanes = Simulator.lanes, responses = race.units.count
            var evidence = [Double](repeating: 0, count: responses * lanes), steps = [Double](repeating: 0, count: responses * lanes)
            var isRunning = [Bool](repeating: true, count: count), running = count
            for step in 0..<race.firstStep + race.limit where running > 0 {
                advance(step)
                guard step >= race.firstStep else { continue }
                if race.sd > 0 {
                    // The dynamics' own noise has steps below 2³¹.
                    steps.withUnsafeMutableBufferPointer { buffer in
                        if let start = buffer.baseAddress { draw(into: start, count: responses * lanes, step: UInt32(step) | 1 << 31) }
                    }
                }
                for lane in 0..<count where isRunning[lane] {
                    var leader = 0
                    for r in 0..<responses {
                        let own = a[race.units[r] * lanes + lane]
                        var rival = -Double.infinity
                        for other in 0..<responses where other != r { rival = max(rival, a[race.units[other] * lanes + lane]) }
                        evidence[r * lanes + lane] += race.rate * (own - rival) + race.sd * steps[r * lanes + lane]
                        if evidence[r * lanes + lane] > evidence[leader * lanes + lane] { leader = r }
                    }
                    guard evidence[leader * lanes + lane] >= race.threshold else { continue }
                    finish(lane, Response(choice: leader, steps: step - race.firstStep + 1))
                    isRunning[lane] = false
                    running -= 1
                }
            }
        }
    }
}
