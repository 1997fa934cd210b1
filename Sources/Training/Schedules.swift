import Foundation

/// How the learning rate moves over a run; every schedule begins with a linear warm-up if requested. Formulas are those of
/// transformers' schedules and of torch's OneCycleLR and ReduceLROnPlateau.
package struct LearningRateSchedule: Sendable, Equatable {
    package enum Shape: String, Sendable, CaseIterable {
        case constant, linear, cosine
        /// Up and down in half cosines, from 1/25 of the peak to it and then to 1/250,000 (Smith & Topin 2018).
        case oneCycle = "one-cycle"
        /// Falls to a tenth whenever the evaluation has not become better for a while.
        case plateau
    }

    package var shape: Shape
    /// Steps from 0 to the full rate; of one-cycle, the rising part.
    package var warmupSteps: Int
    package var totalSteps: Int

    package init(_ shape: Shape = .linear, warmupSteps: Int = 0, totalSteps: Int) {
        self.shape = shape
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// What the peak learning rate is multiplied by at a step, counted from 0.
    ///
    /// - Parameter reductions: how often a plateau was met.
    package func factor(step: Int, reductions: Int = 0) -> Double {
        if shape == .oneCycle { return oneCycle(step) }
        if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
        let progress = min(1, Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps)))
        switch shape {
        case .constant, .oneCycle: return 1
        case .linear: return max(0, 1 - progress)
        case .cosine: return max(0, 0.5 * (1 + cos(.pi * progress)))
        case .plateau: return pow(0.1, Double(reductions))
        }
    }

    private func oneCycle(_ step: Int) -> Double {
        let first = 1.0 / 25, last = first / 10_000
        let up = Double(warmupSteps > 0 ? warmupSteps : Int((0.3 * Double(totalSteps)).rounded())) - 1, end = Double(totalSteps - 1),
            at = Double(min(step, totalSteps - 1))
        func between(_ a: Double, _ b: Double, _ share: Double) -> Double { b + (a - b) / 2 * (1 + cos(.pi * share)) }
        if at <= up { return between(first, 1, up > 0 ? at / up : 1) }
        return between(1, last, (at - up) / max(1, end - up))
    }
}

/// Watches a measure that should grow: which evaluation was the best, when to lower the rate, when to stop.
package struct EvaluationHistory: Sendable, Equatable {
    package private(set) var best: Double?
    package private(set) var bestStep = 0
    /// Evaluations since the best one.
    package private(set) var sinceBest = 0
    /// How often the learning rate was lowered.
    package private(set) var reductions = 0
    private var sinceReduction = 0

    package init() {}

    /// Takes a measure in; true if it is the best so far.
    ///
    /// - Parameter plateauPatience: evaluations without a new best before the learning rate falls; nil for never.
    package mutating func add(_ measure: Double, step: Int, plateauPatience: Int? = nil) -> Bool {
        if best.map({ measure > $0 }) ?? true {
            (best, bestStep, sinceBest, sinceReduction) = (measure, step, 0, 0)
            return true
        }
        sinceBest += 1
        sinceReduction += 1
        if let plateauPatience, sinceReduction > plateauPatience {
            reductions += 1
            sinceReduction = 0
        }
        return false
    }

    // MARK: For checkpoints

    /// The history as numbers.
    var numbers: [Double] { [best ?? .nan, Double(bestStep), Double(sinceBest), Double(reductions), Double(sinceReduction)] }

    init?(numbers: [Double]) {
        guard numbers.count == 5, numbers[1...].allSatisfy({ $0 >= 0 && $0 < 1e15 }) else { return nil }
        best = numbers[0].isNaN ? nil : numbers[0]
        (bestStep, sinceBest) = (Int(numbers[1]), Int(numbers[2]))
        (reductions, sinceReduction) = (Int(numbers[3]), Int(numbers[4]))
    }
}
