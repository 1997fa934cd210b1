/// What a number may be that a user gives: one statement for an option of the command line, which prints it in its help, and for
/// the key of a configuration file.
///
/// Bounds are chosen so that no product of two bounded numbers leaves 64 bits; what still needs too much memory is rejected where
/// the memory is allocated.
public struct Bounds<Value: Comparable & LosslessStringConvertible & Sendable>: Sendable {
    package let lower: Value
    package let upper: Value
    private let excludesLower: Bool
    private let excludesUpper: Bool

    /// Both ends belong to it.
    package init(_ range: ClosedRange<Value>) {
        (lower, upper, excludesLower, excludesUpper) = (range.lowerBound, range.upperBound, false, false)
    }

    /// The upper end does not belong to it.
    package init(_ range: Range<Value>) {
        (lower, upper, excludesLower, excludesUpper) = (range.lowerBound, range.upperBound, false, true)
    }

    /// Above `lower`, and `upper` at most.
    package init(above lower: Value, through upper: Value) {
        precondition(lower < upper, "the bounds hold nothing")
        (self.lower, self.upper, excludesLower, excludesUpper) = (lower, upper, true, false)
    }

    /// NaN lies within no bounds.
    public func contains(_ value: Value) -> Bool {
        (excludesLower ? value > lower : value >= lower) && (excludesUpper ? value < upper : value <= upper)
    }

    /// The number that `text` spells, in the digits of a program: `1000`, `0.5`, `1e-3`.
    /// - Throws: `BoundsError` where it spells none, or one outside.
    package func parse(_ text: String) throws(BoundsError) -> Value {
        guard let value = Value(text), contains(value) else { throw BoundsError(expected: expectation) }
        return value
    }

    /// Numbers with commas between them.
    package func parseList(_ text: String) throws(BoundsError) -> [Value] {
        var values: [Value] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let value = Value(part.filter { $0 != " " }), contains(value) else {
                throw BoundsError(expected: "numbers with commas between them, each \(description)")
            }
            values.append(value)
        }
        return values
    }

    /// "a whole number from 1 to 64".
    public var expectation: String { (Value.self is any BinaryInteger.Type ? "a whole number " : "a number ") + description }
}

extension Bounds: CustomStringConvertible {
    /// "from 1 to 1,000", "above 0, up to 1", "from 0 to below 1".
    public var description: String {
        let (low, high) = (Self.text(lower), Self.text(upper))
        return switch (excludesLower, excludesUpper) {
        case (true, _): "above \(low), up to \(high)"
        case (false, true): "from \(low) to below \(high)"
        case (false, false): lower == upper ? "equal to \(low)" : "from \(low) to \(high)"
        }
    }

    /// Whole numbers in groups of three digits; the largest 64-bit one is given as a formula.
    private static func text(_ value: Value) -> String {
        if let number = value as? Double { return number == number.rounded() && abs(number) < 1e6 ? String(Int(number)) : "\(number)" }
        var digits = value.description, groups: [String] = []
        if digits == String(Int64.max) { return "2⁶³ − 1" }
        let sign = digits.hasPrefix("-") ? "-" : ""
        digits.removeFirst(sign.count)
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return sign + ([digits] + groups).joined(separator: ",")
    }
}

/// A number outside its bounds, or no number.
package struct BoundsError: Error, Equatable, CustomStringConvertible {
    /// "a whole number from 1 to 64".
    package let expected: String
    package var description: String { "expected \(expected)" }
}

extension Bounds<Int> {
    /// A whole number of a configuration, nil if it is none or lies outside.
    package func read(_ value: JSON) -> Int? { value.int.flatMap { contains($0) ? $0 : nil } }
}

extension Bounds<Double> {
    /// A number of a configuration, nil if it is none, NaN, or lies outside.
    package func read(_ value: JSON) -> Double? { value.double.flatMap { contains($0) ? $0 : nil } }
}

// MARK: Bounds that several commands, or a command and a configuration, share

extension Bounds<Int> {
    /// Workers.
    public static let threads = Bounds(1...1024)
    /// Results that are asked for: neighbours, pairs, outputs.
    package static let results = Bounds(1...1_000_000_000)
    /// Steps of training.
    public static let steps = Bounds(1...1_000_000_000)
    /// Passes over the data.
    package static let epochs = Bounds(1...10_000_000)
    /// Items that are computed together.
    package static let batch = Bounds(1...1_000_000)
    /// Tokens of a text or of a packed batch.
    package static let tokens = Bounds(1...1_048_576)
    /// Components of a vector, units of a layer.
    package static let dimension = Bounds(1...65_536)
    /// Layers of a network.
    package static let layers = Bounds(1...1024)
    /// Heads of attention.
    package static let heads = Bounds(1...1024)
    /// Units between the two halves of a feed-forward layer.
    package static let intermediate = Bounds(1...1_048_576)
    /// Tokens of a vocabulary.
    package static let vocabulary = Bounds(1...10_000_000)
    /// Clusters, components, ranks: no more than there are rows.
    package static let rows = Bounds(1...2_147_483_647)
    /// Random samples: bootstrap, permutation.
    package static let samples = Bounds(1...10_000_000)
    /// Hypotheses of a beam, outputs of a source.
    package static let beam = Bounds(1...10_000)
    /// Iterations of a method that converges.
    package static let iterations = Bounds(0...10_000_000)
}

extension Bounds<UInt64> {
    /// Seeds stay below 2⁶³, so that every format writes them as they are.
    package static let seed = Bounds(0...UInt64(Int64.max))
}

extension Bounds<Double> {
    package static let learningRate = Bounds(above: 0, through: 1e6)
    package static let dropout = Bounds(0..<1)
    /// A share, both ends included.
    package static let share = Bounds(0...1)
    /// The length beyond which gradients are scaled down; 0 for never.
    package static let clip = Bounds(0...1e9)
}
