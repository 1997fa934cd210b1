import Foundation
import Simulation
import Testing

@Suite struct FrameTests {
    static func small() -> (Network, Network.Bank, Network.Bank) {
        var network = Network()
        let a = network.addBank("a", units: ["a1", "a2"]), b = network.addBank("b", units: ["b1", "b2", "b3"])
        network.addLink(from: a, to: b, weights: [[1, 0], [0.5, 1], [0, -1]], parameter: "w", isSymmetric: true)
        return (network, a, b)
    }

    /// Two steps by hand: net = Σ θ·W·a, all units at once, in both directions.
    @Test func spreadingByHand() throws {
        let (network, a, _) = Self.small()
        let simulator = try Simulator(
            network: network, dynamics: .spreading(decay: 0.5), trial: TrialProtocol([.init(at: 0, .add([a[0]], 8))], stop: .steps(2)),
            parameters: ["w": 0.25])
        let rows = simulator.trace(steps: 2)
        #expect(rows[1] == [4, 0, 2, 1, 0])
        let second = [2.625, 0.25, 2, 1, 0]
        #expect(rows[2] == second)
    }

    @Test func clampInputAndBoost() throws {
        let (network, a, b) = Self.small()
        let trial = TrialProtocol(
            [.init(steps: 0..<2, .clamp([a[1]], 3)), .init(at: 0, .input([a[0]], 2)), .init(at: 1, .boostWinner(b, to: 50))],
            stop: .steps(2))
        let rows = try Simulator(network: network, dynamics: .spreading(decay: 1), trial: trial, parameters: ["w": 1]).trace(steps: 2)
        // Step 0: the clamped unit stays, the input enters the net, b2 gets 3 and b3 −3.
        #expect(rows[1] == [2, 3, 0, 3, -3])
        // Step 1: b2 is boosted to 50 before the step.
        #expect(rows[2] == [25, 3, 2, 4, -3])
    }

    @Test func cascadeSettlesAtTheLogisticOfItsNet() throws {
        var network = Network()
        let input = network.addBank("input", units: ["x"]), hidden = network.addBank("hidden", units: ["h"]),
            output = network.addBank("output", units: ["o"])
        network.addLink(from: input, to: hidden, weights: [[2]])
        network.addLink(from: hidden, to: output, weights: [[-1]])
        let events = [TrialProtocol.Event(steps: 0..<400, .clamp([input[0]], 1))]
        let late = try Simulator(network: network, dynamics: .cascade(rate: 0.1), trial: TrialProtocol(events, stop: .steps(400))).trace(
            steps: 400)[400]
        let early = try Simulator(
            network: network, dynamics: .cascade(rate: 0.1), trial: TrialProtocol(events, stop: .steps(1), startsSettled: true)
        ).trace(steps: 0)[0]
        let h = 1 / (1 + exp(-2.0)), o = 1 / (1 + exp(h))
        for row in [late, early] {
            #expect(abs(row[1] - h) < 1e-12)
            #expect(abs(row[2] - o) < 1e-12)
        }
        _ = (hidden, output)
    }

    @Test func missingParameterIsNamed() {
        #expect {
            try Simulator(network: Self.small().0, dynamics: .spreading(decay: 0.5), trial: TrialProtocol([], stop: .steps(1)))
        } throws: { "\($0)".contains("parameter w") }
    }

    /// Moments against 200,000 trials, through shares beyond thresholds and against an own simulation of the second moment.
    @Test func momentsAreThoseOfTheSimulation() throws {
        let (network, a, b) = Self.small(), dynamics = Dynamics.spreading(decay: 0.4, sd: 0.05, relativeSD: 0.16), parameters = ["w": 0.2]
        var moments = try Moments(network: network, dynamics: dynamics, parameters: parameters)
        moments.add(10, to: a[0])
        for _ in 0..<5 { moments.advance() }
        let trial = TrialProtocol([.init(at: 0, .add([a[0]], 10))], stop: .steps(5)), trials = 200_000
        let simulator = try Simulator(network: network, dynamics: dynamics, trial: trial, parameters: parameters)
        // A histogram of b1 in 200 bins gives its mean and variance to a bin's width.
        let unit = b[0], sd = moments.covariance[unit][unit].squareRoot(), low = moments.mean[unit] - 8 * sd, width = 16 * sd / 200
        let counts = simulator.counts(trials: trials, seed: 4, categories: 200) { min(max(Int(($0[unit] - low) / width), 0), 199) }
        let n = Double(trials), middles = (0..<200).map { low + (Double($0) + 0.5) * width }
        let mean = zip(counts, middles).reduce(0) { $0 + Double($1.0) * $1.1 } / n
        let variance = zip(counts, middles).reduce(0) { $0 + Double($1.0) * ($1.1 - mean) * ($1.1 - mean) } / n - width * width / 12
        #expect(abs(mean - moments.mean[unit]) < 4 * sd / n.squareRoot())
        #expect(abs(variance / (sd * sd) - 1) < 6 * (2 / n).squareRoot())
        let noiseless = simulator.trace(steps: 5)[5]
        for i in noiseless.indices { #expect(abs(noiseless[i] - moments.mean[i]) < 1e-12) }
        #expect(throws: (any Error).self) { try Moments(network: network, dynamics: .cascade(rate: 0.1)) }
    }
}
