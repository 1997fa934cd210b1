/// How activations change from one step to the next. The net input of a unit is Σ θ·w·a over its links in either case.
package enum Dynamics: Sendable, Equatable {
    /// Spreading activation: a′ = (1 − decay) a + net, then + N(0, sd) + N(0, relativeSD · a′); `sd` and `relativeSD` are standard
    /// deviations, and the second noise is in proportion to the *new* activation. All units change at once. Linear but for the noise,
    /// unless rectified: then what would fall below 0 is 0.
    case spreading(decay: Double, sd: Double = 0, relativeSD: Double = 0, isRectified: Bool = false)
    /// Cascade: net̄ ← rate · net + (1 − rate) · net̄, a = 1 / (1 + e^−net̄). Banks change in their order, so that a bank sees the new
    /// activations of those before it.
    case cascade(rate: Double)
}

/// What happens in a trial, and when it ends. Steps count from 0.
package struct TrialProtocol: Sendable {
    package enum Action: Sendable {
        /// Holds these units at an activation; their dynamics rest.
        case clamp([Int], Double)
        /// Adds to the activation of these units, before the step is computed.
        case add([Int], Double)
        /// Adds to the net input of these units in the step.
        case input([Int], Double)
        /// Sets the most active unit of a bank to an activation, before the step is computed.
        case boostWinner(Network.Bank, to: Double)
    }

    package struct Event: Sendable {
        /// The steps at which it acts.
        package var steps: Range<Int>
        package var action: Action

        package init(at step: Int, _ action: Action) { self.init(steps: step..<step + 1, action) }
        package init(steps: Range<Int>, _ action: Action) { (self.steps, self.action) = (steps, action) }
    }

    /// Evidence for each response grows by `rate` times its activation's lead over the best other one, plus N(0, sd); the first at
    /// `threshold` is given.
    package struct Accumulators: Sendable {
        /// One unit per response.
        package var units: [Int]
        package var rate: Double
        package var sd = 0.0
        package var threshold: Double
        /// Latencies count from here, and evidence is gathered from here.
        package var firstStep = 0
        /// Steps after which a trial ends without a response.
        package var limit: Int

        package init(units: [Int], rate: Double, sd: Double = 0, threshold: Double, firstStep: Int = 0, limit: Int) {
            (self.units, self.rate, self.sd, self.threshold, self.firstStep, self.limit) = (units, rate, sd, threshold, firstStep, limit)
        }
    }

    /// Selection of a target by Luce's ratio: while its activation leads that of every competitor by more than the critical difference, the
    /// chance to select it in the next step is its share in the activation of `choices` (Roelofs 1992).
    package struct Hazard: Sendable {
        package var target: Int
        package var competitors: [Int]
        /// The units in Luce's denominator, the target among them.
        package var choices: [Int]
        package var criticalDifference: Double
        package var firstStep: Int
        package var limit: Int

        package init(target: Int, competitors: [Int], choices: [Int], criticalDifference: Double, firstStep: Int, limit: Int) {
            (self.target, self.competitors, self.choices) = (target, competitors, choices)
            (self.criticalDifference, self.firstStep, self.limit) = (criticalDifference, firstStep, limit)
        }
    }

    package enum Stop: Sendable {
        case steps(Int)
        case accumulators(Accumulators)
        case hazard(Hazard)
        /// Ends when a unit's activation reaches a level.
        case threshold(unit: Int, level: Double, limit: Int)

        /// Steps that a trial can last.
        var limit: Int {
            switch self {
            case .steps(let count): count
            case .accumulators(let race): race.firstStep + race.limit
            case .hazard(let hazard): hazard.limit
            case .threshold(_, _, let limit): limit
            }
        }
    }

    package var events: [Event]
    package var stop: Stop
    /// Whether a cascade begins at the state to which the clamps of step 0 bring it when they have stood for long.
    package var startsSettled = false

    package init(_ events: [Event], stop: Stop, startsSettled: Bool = false) {
        (self.events, self.stop, self.startsSettled) = (events, stop, startsSettled)
    }
}

/// The activations of one trial, by place of the unit.
package struct Activations {
    let start: UnsafePointer<Double>
    let stride: Int

    package subscript(_ unit: Int) -> Double { start[unit * stride] }

    /// The most active of these units; the first of equals.
    package func winner(_ units: Range<Int>) -> Int {
        var best = units.lowerBound
        for unit in units where self[unit] > self[best] { best = unit }
        return best
    }
}
