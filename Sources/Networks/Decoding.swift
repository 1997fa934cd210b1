import Autograd
import Foundation
import Tensors

/// How a network writes its output.
public struct DecodingOptions: Sendable, Equatable {
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

    public var method = Method.greedy
    /// Outputs wanted of each source: the best of the beam, or independent samples.
    public var outputs = 1
    /// Most tokens of an output, the end mark not counted; the network's positions limit it as well.
    public var maximumLength: Int?
    /// Samples depend on this and on the source's number, not on the batch.
    public var seed: UInt64 = 0

    public init() {}

    /// - Throws: `DecodingOptionError` that says which option makes no sense.
    public func validate() throws {
        func check(_ isFine: Bool, _ message: String) throws { if !isFine { throw DecodingOptionError(message: message) } }
        try check(outputs >= 1, "at least one output is wanted of each source, not \(outputs)")
        try check(maximumLength ?? 1 >= 1, "an output's maximum length is at least 1")
        switch method {
        case .greedy: try check(outputs == 1, "greedy decoding has one output; \(outputs) need a beam or sampling")
        case .beam(let width, let penalty):
            try check(width >= 1, "a beam is at least 1 wide, not \(width)")
            try check(outputs <= width, "a beam of width \(width) holds no \(outputs) outputs")
            try check(penalty.isFinite, "the length penalty is a number")
        case .sampling(let temperature, let k, let p):
            try check(temperature > 0 && temperature.isFinite, "the temperature is greater than 0, not \(temperature); greedy decoding is its limit at 0")
            try check(k ?? 1 >= 1, "top-k keeps at least 1 token")
            try check(p.map { $0 > 0 && $0 <= 1 } ?? true, "top-p lies in (0, 1]")
        }
    }
}

/// A decoding option that makes no sense.
public struct DecodingOptionError: Error, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// What a network wrote, or was given to score.
public struct GeneratedSequence: Sendable, Equatable {
    /// Without begin and end marks.
    public var ids: [Int32]
    /// Σ log p of the tokens, the end mark included where the output ended by it.
    public var logProbability: Double
    /// What outputs of one source are ordered by: log p over the length penalty for a beam, log p otherwise.
    public var score: Double
    /// Whether the network itself ended the output; false where it ran into the maximum length.
    public var isFinished: Bool
}

extension Seq2SeqNetwork {
    /// Scores of the output layer over decoder states, `(states, vocabularySize)`; log p is what they lack of their log sum.
    fileprivate func scores(_ states: Tensor<Scalar>) -> Tensor<Scalar> { output(Variable(states), on: nil).value }

    /// log p of a token, from the scores of a state.
    fileprivate func logProbability(of token: Int, _ row: MatrixView<Scalar>) -> Double {
        -Double(Scalar.crossEntropy(row, targets: [Int32(token)], smoothing: 0)[0])
    }

    /// For each state the most probable token, and log p of it or, where `wanted` names a token, of that.
    private func mostProbable(_ states: Tensor<Scalar>, wanted: [Int32] = []) -> (classes: [Int32], logProbabilities: [Double]) {
        Autograd.mostProbable(states, weight: output.weight, bias: output.bias, wanted: wanted, precision: output.precision)
    }

    private func longestOutput(_ options: DecodingOptions) -> Int {
        // The begin mark takes a position; the end mark is never read.
        min(options.maximumLength ?? .max, configuration.maximumLength - 1)
    }

    /// Writes outputs for every source of a batch, running freely: each token is read back from what the network itself wrote.
    ///
    /// - Parameters:
    ///   - prefixes: for each source, tokens that its outputs must begin with; empty for none.
    ///   - firstSource: number of the batch's first source in the whole input, which samples depend on.
    /// - Returns: for each source, `options.outputs` outputs, best first.
    /// - Throws: `DecodingOptionError`.
    public func generate(
        _ source: PackedBatch, options: DecodingOptions = DecodingOptions(), prefixes: [[Int32]] = [], firstSource: Int = 0
    ) throws -> [[GeneratedSequence]] {
        try options.validate()
        precondition(prefixes.isEmpty || prefixes.count == source.sequences)
        let prefixes = prefixes.isEmpty ? [[Int32]](repeating: [], count: source.sequences) : prefixes
        switch options.method {
        case .greedy:
            return run(source, samples: 1, prefixes: prefixes, limit: longestOutput(options)) { states, _, forced in
                let best = mostProbable(states, wanted: forced)
                return (zip(best.classes, forced).map { $1 < 0 ? $0 : $1 }, best.logProbabilities)
            }
        case .sampling(let temperature, let topK, let topP):
            let streams = RandomSource(seed: options.seed)
            var randoms = (0..<source.sequences * options.outputs).map { i in
                streams.split(UInt64(firstSource + i / options.outputs)).split(UInt64(i % options.outputs))
            }
            var sampler = TokenSampler(temperature: temperature, topK: topK, topP: topP)
            return run(source, samples: options.outputs, prefixes: prefixes, limit: longestOutput(options)) { states, hypotheses, forced in
                let scores = scores(states)
                var tokens: [Int32] = [], logProbabilities: [Double] = []
                for (row, hypothesis) in hypotheses.enumerated() {
                    let values = scores.view[row]
                    let token = forced[row] < 0 ? sampler.draw(values, &randoms[hypothesis]) : Int(forced[row])
                    tokens.append(Int32(token))
                    logProbabilities.append(logProbability(of: token, values))
                }
                return (tokens, logProbabilities)
            }
        case .beam(let width, let penalty):
            return searchBeam(source, width: width, lengthPenalty: penalty, outputs: options.outputs, prefixes: prefixes, limit: longestOutput(options))
        }
    }

    /// Hypotheses that do not compete: greedy decoding, and sampling.
    ///
    /// - Parameter choose: the next token of each hypothesis, with its log-probability, from decoder states; `forced` has the tokens that
    ///   prefixes ask for, −1 for a free choice.
    private func run(
        _ source: PackedBatch, samples: Int, prefixes: [[Int32]], limit: Int,
        choose: (_ states: Tensor<Scalar>, _ hypotheses: [Int], _ forced: [Int32]) -> (tokens: [Int32], logProbabilities: [Double])
    ) -> [[GeneratedSequence]] {
        let count = source.sequences * samples, end = configuration.endID
        var results = (0..<count).map { _ in GeneratedSequence(ids: [], logProbability: 0, score: 0, isFinished: false) }
        var session = beginDecoding(source)
        if samples > 1 { session.select((0..<count).map { $0 / samples }) }
        var running = Array(0..<count), last = [Int32](repeating: configuration.beginID, count: count)
        var step = 0
        while !running.isEmpty && step <= limit {
            let forced = running.map { step < prefixes[$0 / samples].count ? prefixes[$0 / samples][step] : -1 }
            let chosen = choose(session.advance(last), running, forced)
            var kept: [Int] = []
            for (row, hypothesis) in running.enumerated() {
                // At the limit only the end mark is still possible, so that an output of exactly that length can end.
                guard step < limit || chosen.tokens[row] == end else { continue }
                results[hypothesis].logProbability += chosen.logProbabilities[row]
                if chosen.tokens[row] == end && forced[row] < 0 {
                    results[hypothesis].isFinished = true
                } else {
                    results[hypothesis].ids.append(chosen.tokens[row])
                    kept.append(row)
                }
            }
            running = kept.map { running[$0] }
            last = running.map { results[$0].ids[step] }
            if !running.isEmpty { session.select(kept) }
            step += 1
        }
        for i in results.indices { results[i].score = results[i].logProbability }
        return (0..<source.sequences).map { s in
            results[s * samples..<(s + 1) * samples].enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }.map(\.element)
        }
    }

    private func searchBeam(
        _ source: PackedBatch, width: Int, lengthPenalty: Double, outputs: Int, prefixes: [[Int32]], limit: Int
    ) -> [[GeneratedSequence]] {
        let vocabulary = configuration.vocabularySize, end = Int(configuration.endID)
        func penalized(_ logProbability: Double, length: Int) -> Double { logProbability / pow((5 + Double(length)) / 6, lengthPenalty) }
        func isBetter(_ a: GeneratedSequence, _ b: GeneratedSequence) -> Bool { a.score > b.score }

        var session = beginDecoding(source)
        var beams = [[BeamHypothesis]](repeating: [BeamHypothesis()], count: source.sequences)
        var finished = [[GeneratedSequence]](repeating: [], count: source.sequences)
        var step = 0
        while step <= limit && beams.contains(where: { !$0.isEmpty }) {
            let last = beams.flatMap { $0.map { $0.ids.last ?? configuration.beginID } }
            let scores = scores(session.advance(last))
            var rows: [Int] = [], first = 0
            for s in beams.indices where !beams[s].isEmpty {
                let beam = beams[s], prefix = prefixes[s]
                var next: [(row: Int, token: Int, logProbability: Double)] = []
                for (i, hypothesis) in beam.enumerated() {
                    let row = scores.view[first + i]
                    let before = hypothesis.logProbability + logProbability(of: 0, row) - Double(row[0, 0])
                    if step < prefix.count {
                        next.append((i, Int(prefix[step]), before + Double(row[0, Int(prefix[step])])))
                        continue
                    }
                    // One more than the width: one of them may be the end mark, which leaves the beam.
                    for token in Scalar.largest(row, wanted: min(vocabulary, width + 1)) {
                        next.append((i, token, before + Double(row[0, token])))
                    }
                }
                next.sort { ($1.logProbability, $0.row, $0.token) < ($0.logProbability, $1.row, $1.token) }
                var kept: [BeamHypothesis] = []
                for candidate in next {
                    let ids = beam[candidate.row].ids
                    if candidate.token == end && step >= prefix.count {
                        let score = penalized(candidate.logProbability, length: ids.count + 1)
                        // An end mark counts where it is among the best of the beam, as the tokens do.
                        if kept.count < width {
                            finished[s].append(GeneratedSequence(ids: ids, logProbability: candidate.logProbability, score: score, isFinished: true))
                        }
                    } else if kept.count < width && step < limit {
                        kept.append(BeamHypothesis(ids: ids + [Int32(candidate.token)], logProbability: candidate.logProbability))
                        rows.append(first + candidate.row)
                    }
                }
                finished[s].sort(by: isBetter)
                finished[s] = Array(finished[s].prefix(max(width, outputs)))
                // What is still running can only lose probability, and gains from the penalty at most what the longest length gives.
                if let best = kept.first, finished[s].count >= max(width, outputs) {
                    let bound = lengthPenalty > 0 ? penalized(best.logProbability, length: limit + 1) : penalized(best.logProbability, length: step + 2)
                    if finished[s][finished[s].count - 1].score >= bound {
                        rows.removeLast(kept.count)
                        kept = []
                    }
                } else if step == limit {
                    for hypothesis in beam {
                        finished[s].append(GeneratedSequence(ids: hypothesis.ids, logProbability: hypothesis.logProbability,
                                                             score: penalized(hypothesis.logProbability, length: hypothesis.ids.count), isFinished: false))
                    }
                }
                first += beam.count
                beams[s] = kept
            }
            if !rows.isEmpty { session.select(rows) }
            step += 1
        }
        return finished.map { results in
            // An output that ended by itself comes before one that was cut off.
            let sorted = results.enumerated().sorted {
                ($0.element.isFinished ? 0 : 1, -$0.element.score, $0.offset) < ($1.element.isFinished ? 0 : 1, -$1.element.score, $1.offset)
            }
            return Array(sorted.map(\.element).prefix(outputs))
        }
    }

    /// log p of given outputs, with the end mark; the network reads the given tokens, not its own.
    ///
    /// - Parameter targets: without begin and end marks, one for each source.
    /// - Returns: for each target the log-probability of every token and of the end mark; their sum is the output's.
    public func score(_ source: PackedBatch, targets: [[Int32]]) -> [[Double]] {
        let input = PackedBatch(targets.map { [configuration.beginID] + $0 })
        let found = mostProbable(states(source: source, decoderInput: input, on: nil).value, wanted: targets.flatMap { $0 + [configuration.endID] })
        return targets.indices.map { Array(found.logProbabilities[Int(input.offsets[$0])..<Int(input.offsets[$0 + 1])]) }
    }
}

/// An output that a beam is still writing.
private struct BeamHypothesis {
    var ids: [Int32] = []
    var logProbability = 0.0
}

/// Draws tokens from restricted, tempered distributions.
struct TokenSampler {
    let temperature: Double
    let topK: Int?
    let topP: Double?
    private var weights: [Double] = []

    init(temperature: Double, topK: Int?, topP: Double?) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// - Parameter scores: a row, up to a constant the log-probabilities.
    mutating func draw<S: TensorScalar>(_ scores: MatrixView<S>, _ random: inout RandomSource) -> Int {
        let count = scores.columns, top = Double(scores[0, S.indexOfLargest(scores)])
        weights = (0..<count).map { exp((Double(scores[0, $0]) - top) / temperature) }
        if topK.map({ $0 < count }) ?? false || topP.map({ $0 < 1 }) ?? false {
            let kept = Double.largest(weights, count: count, wanted: min(count, topK ?? count))
            let mass = kept.reduce(0) { $0 + weights[$1] } * (topP ?? 1)
            var sum = 0.0, restricted = [Double](repeating: 0, count: count)
            for token in kept where sum < mass {
                restricted[token] = weights[token]
                sum += weights[token]
            }
            weights = restricted
        }
        var left = random.uniform() * weights.reduce(0, +), chosen = 0
        for token in 0..<count where weights[token] > 0 {
            chosen = token
            left -= weights[token]
            if left < 0 { break }
        }
        return chosen
    }
}
