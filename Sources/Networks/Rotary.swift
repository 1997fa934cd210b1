import Autograd
import Foundation
import Synchronization
import Tensors

/// Rotary positions of one kind of layer (Su et al. 2021): how fast each pair of a head turns.
package struct RotaryPositions: Sendable, Hashable {
    /// What models do to reach further than their first training did.
    package enum Scaling: Sendable, Hashable {
        case none
        /// All pairs turn more slowly by one factor (Chen et al. 2023).
        case linear(factor: Double)
        /// Pairs that turn less than `lowFrequency` times in the original context are slowed down by the factor, those that turn more
        /// than `highFrequency` times are not, those between by degrees (Llama 3.1).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, original: Int)
        /// YaRN (Peng et al. 2023): as llama3 with a ramp over the pairs' numbers, and queries and keys scaled.
        case yarn(factor: Double, fast: Double, slow: Double, original: Int, magnitude: Double, truncates: Bool)
    }

    /// θ.
    package var base: Double
    /// Elements of each head that turn, the first ones; even.
    package var turned: Int
    /// How far positions are stretched.
    package var scaling = Scaling.none

    /// Positions with base θ for the first `turned` elements of each head.
    package init(base: Double, turned: Int, scaling: Scaling = .none) {
        (self.base, self.turned, self.scaling) = (base, turned, scaling)
    }

    /// Radians per position of each pair, `turned / 2`. In 32 bits, as the reference keeps them: at far positions that rounding shows.
    var frequencies: [Float] {
        let half = turned / 2
        let powers = (0..<half).map { Float(pow(Float(base), Float(2 * $0) / Float(turned))) }
        let plain = powers.map { 1 / $0 }
        switch scaling {
        case .none: return plain
        case .linear(let factor): return plain.map { $0 / Float(factor) }
        case .llama3(let factor, let low, let high, let original):
            return plain.map { frequency in
                let length = 2 * Float.pi / frequency
                if length < Float(Double(original) / high) { return frequency }
                if length > Float(Double(original) / low) { return frequency / Float(factor) }
                let smooth = (Float(original) / length - Float(low)) / Float(high - low)
                return (1 - smooth) * frequency / Float(factor) + smooth * frequency
            }
        case .yarn(let factor, let fast, let slow, let original, _, let truncates):
            func place(turns: Double) -> Double {
                Double(turned) * log(Double(original) / (turns * 2 * .pi)) / (2 * log(base))
            }
            var (first, last) = (place(turns: fast), place(turns: slow))
            if truncates { (first, last) = (first.rounded(.down), last.rounded(.up)) }
            (first, last) = (max(first, 0), min(last, Double(turned - 1)))
            if first == last { last += 0.001 }
            return (0..<half).map { pair in
                let ramp = min(max((Float(pair) - Float(first)) / Float(last - first), 0), 1)
                return 1 / (Float(factor) * powers[pair]) * ramp + plain[pair] * (1 - ramp)
            }
        }
    }

    /// What turned queries and keys are multiplied with.
    var magnitude: Double {
        if case .yarn(_, _, _, _, let magnitude, _) = scaling { return magnitude }
        return 1
    }
}

/// Rotary angles of one network, made as far as sequences have reached.
final class RotaryCache<Scalar: TensorScalar>: Sendable {
    private let known = Mutex<[RotaryPositions: RotaryAngles<Scalar>]>([:])

    func angles(_ rotary: RotaryPositions, positions: Int) -> RotaryAngles<Scalar> {
        known.withLock { known in
            if let angles = known[rotary], angles.cosines.rows >= positions { return angles }
            // Doubling keeps long runs from making a new table for every longer sentence.
            let made = RotaryAngles<Scalar>(positions: max(64, 2 * positions), frequencies: rotary.frequencies, magnitude: rotary.magnitude)
            known[rotary] = made
            return made
        }
    }
}
