import Autograd
import Foundation
import Tensors

/// How a network writes its output.
public struct DecodingOptions: Sendable, Equatable {
    /// How the next token is chosen.
    public enum Method: Sendable, Equatable {
        /// The most probable token, each time.
        case greedy
        /// The `width` best prefixes are kept; of finished ones, the best by log p / penalty(length), penalty = ((5 + length) / 6)^α
        /// (Wu et al. 2016, equation 14). Lengths count the end mark.
        case beam(width: Int, lengthPenalty: Double)
        /// Tokens are drawn by their probability at a temperature, from the k most probable ones (`topK`), from the fewest that hold mass
        /// p together (`topP`, nucleus sampling of Holtzman et al. 2020), or from both restrictions.
        case sampling(temperature: Double, topK: Int?, topP: Double?)
    }

    /// How the next token is chosen.
    public var method = Method.greedy
    /// Outputs wanted of each source: the best of the beam, or independent samples.
    public var outputs = 1
    /// Most tokens of an output, the end mark not counted; the network's positions limit it as well.
    public var maximumLength: Int?
    /// Samples depend on this and on the source's number, not on the batch.
    public var seed: UInt64 = 0

    /// Greedy decoding.
    public init() {}

    /// - Throws: `DecodingOptionError` that names the invalid option.
    package func validate() throws {
        func check(_ isFine: Bool, _ message: String) throws { if !isFine { throw DecodingOptionError(message: message) } }
        try check(outputs >= 1, "at least one output is wanted of each source, not \(outputs)")
        try check(maximumLength ?? 1 >= 1, "an output's maximum length is at least 1")
        switch method {
        case .greedy: try check(outputs == 1, "greedy decoding has one output; \(outputs) need a beam or sampling")
        case .beam(let width, let penalty):
            try check(width >= 1, "a beam is at least 1 wide, not \(width)")
            try check(outputs <= width, "a beam of width \(width) cannot give \(outputs) outputs")
            try check(penalty.isFinite, "the length penalty is a number")
        case .sampling(let temperature, let k, let p):
            try check(
                temperature > 0 && temperature.isFinite,
                "the temperature is greater than 0, not \(temperature); greedy decoding is its limit at 0")
            try check(k ?? 1 >= 1, "top-k keeps at least 1 token")
            try check(p.map { $0 > 0 && $0 <= 1 } ?? true, "top-p must be above 0 and at most 1")
        }
    }
}

/// A decoding option that makes no sense.
public struct DecodingOptionError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, and what was expected.
    package let message: String
    /// The message.
    public var description: String { message }
}

/// What a network wrote, or was given to score.
public struct GeneratedSequence: Sendable, Equatable {
    /// Without begin and end marks.
    public var ids: [Int32]
    /// Σ log p of the tokens, the end mark included where the output ended by it.
    public var logProbability: Double
    /// What outputs of one source are ordered by: log p over the length penalty for a beam, log p otherwise.
    package var score: Double
    /// Whether the network itself ended the output; false if it ran into the maximum length.
    public var isFinished: Bool
}

extension Seq2SeqNetwork {
    /// Writes outputs for every source of a batch, running freely: each token is read back from what the network itself wrote.
    ///
    /// - Parameters:
    ///   - prefixes: for each source, tokens that its outputs must begin with; empty for none.
    ///   - firstSource: number of the batch's first source in the whole input, which samples depend on.
    /// - Returns: for each source, `options.outputs` outputs, best first.
    /// - Throws: `DecodingOptionError`.
    package func generate(
        _ source: PackedBatch, options: DecodingOptions = DecodingOptions(), prefixes: [[Int32]] = [], firstSource: Int = 0
    ) throws -> [[GeneratedSequence]] {
        try options.validate()
        // The begin mark takes a position; the end mark is never read.
        let limit = min(options.maximumLength ?? .max, configuration.maximumLength - 1)
        let writer = TokenWriter(
            begin: { self.beginDecoding(source) }, firstTokens: [Int32](repeating: configuration.beginID, count: source.sequences),
            ends: [configuration.endID],
            limits: [Int](repeating: limit, count: source.sequences), scores: { self.output(Variable($0), on: nil).value },
            mostProbable: mostProbable)
        return writer.write(options, prefixes: prefixes, firstSource: firstSource)
    }

    /// For each state the most probable token, and log p of it or, where `wanted` names a token, of that.
    private func mostProbable(_ states: Tensor<Scalar>, wanted: [Int32]) -> (classes: [Int32], logProbabilities: [Double]) {
        Autograd.mostProbable(states, weight: output.weight, bias: output.bias, wanted: wanted, precision: output.precision)
    }

    /// log p of given outputs, with the end mark; the network reads the given tokens, not its own.
    ///
    /// - Parameter targets: without begin and end marks, one for each source.
    /// - Returns: for each target the log-probability of every token and of the end mark; their sum is the output's.
    package func score(_ source: PackedBatch, targets: [[Int32]]) -> [[Double]] {
        let input = PackedBatch(targets.map { [configuration.beginID] + $0 })
        let found = mostProbable(
            states(source: source, decoderInput: input, on: nil).value, wanted: targets.flatMap { $0 + [configuration.endID] })
        return targets.indices.map { Array(found.logProbabilities[Int(input.offsets[$0])..<Int(input.offsets[$0 + 1])]) }
    }
}
