import Autograd
import Foundation
import Tensors

/// Writes token after token with a network, whatever it is: an encoder–decoder that has read a source, or a causal model that has read the
/// beginning of a text.
struct TokenWriter<Scalar: TensorScalar> {
    /// A session with one hypothesis for each source.
    let begin: () -> any DecodingSession<Scalar>
    /// What each source's hypotheses read first: the begin mark, or the last token of a beginning.
    let firstTokens: [Int32]
    /// Tokens that end an output; they do not belong to it.
    let ends: Set<Int32>
    /// Most tokens of each source's outputs.
    let limits: [Int]
    /// Scores of the vocabulary, `(states, vocabulary)`; log p is what they lack of their log sum.
    let scores: (_ states: Tensor<Scalar>) -> Tensor<Scalar>
    /// For each state the most probable token, and log p of it or, where `wanted` names a token, of that.
    let mostProbable: (_ states: Tensor<Scalar>, _ wanted: [Int32]) -> (classes: [Int32], logProbabilities: [Double])

    private var sources: Int { firstTokens.count }

    /// - Parameters:
    ///   - options: valid ones.
    ///   - prefixes: for each source, tokens that its outputs must begin with; empty for none.
    ///   - firstSource: number of the first source in the whole input, which samples depend on.
    /// - Returns: for each source, `options.outputs` outputs, best first.
    func write(_ options: DecodingOptions, prefixes: [[Int32]], firstSource: Int) -> [[GeneratedSequence]] {
        precondition(prefixes.isEmpty || prefixes.count == sources)
        let prefixes = prefixes.isEmpty ? [[Int32]](repeating: [], count: sources) : prefixes
        switch options.method {
        case .greedy:
            return run(samples: 1, prefixes: prefixes) { states, _, forced in
                let best = mostProbable(states, forced)
                return (zip(best.classes, forced).map { $1 < 0 ? $0 : $1 }, best.logProbabilities)
            }
        case .sampling(let temperature, let topK, let topP):
            let streams = RandomSource(seed: options.seed)
            var randoms = (0..<sources * options.outputs).map { i in
                streams.split(UInt64(firstSource + i / options.outputs)).split(UInt64(i % options.outputs))
            }
            var sampler = TokenSampler(temperature: temperature, topK: topK, topP: topP)
            return run(samples: options.outputs, prefixes: prefixes) { states, hypotheses, forced in
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
            return searchBeam(width: width, lengthPenalty: penalty, outputs: options.outputs, prefixes: prefixes)
        }
    }

    /// log p of a token, from the scores of a state.
    private func logProbability(of token: Int, _ row: MatrixView<Scalar>) -> Double {
        -Double(Scalar.crossEntropy(row, targets: [Int32(token)], smoothing: 0)[0])
    }

    /// Hypotheses that do not compete: greedy decoding, and sampling.
    ///
    /// - Parameter choose: the next token of each hypothesis, with its log-probability, from decoder states; `forced` has the tokens that
    ///   prefixes ask for, −1 for a free choice.
    private func run(
        samples: Int, prefixes: [[Int32]],
        choose: (_ states: Tensor<Scalar>, _ hypotheses: [Int], _ forced: [Int32]) -> (tokens: [Int32], logProbabilities: [Double])
    ) -> [[GeneratedSequence]] {
        let count = sources * samples
        var results = (0..<count).map { _ in GeneratedSequence(ids: [], logProbability: 0, score: 0, isFinished: false) }
        var session = begin()
        var running = (0..<count).filter { limits[$0 / samples] >= 0 }, last = running.map { firstTokens[$0 / samples] }
        var step = 0
        if samples > 1 || running.count < count { session.select(running.map { $0 / samples }) }
        while !running.isEmpty {
            let forced = running.map { step < prefixes[$0 / samples].count ? prefixes[$0 / samples][step] : -1 }
            let chosen = choose(session.advance(last), running, forced)
            var kept: [Int] = []
            for (row, hypothesis) in running.enumerated() {
                // At the limit only the end mark is still possible, so that an output of exactly that length can end.
                guard step < limits[hypothesis / samples] || ends.contains(chosen.tokens[row]) else { continue }
                results[hypothesis].logProbability += chosen.logProbabilities[row]
                if ends.contains(chosen.tokens[row]) && forced[row] < 0 {
                    results[hypothesis].isFinished = true
                } else {
                    results[hypothesis].ids.append(chosen.tokens[row])
                    if step < limits[hypothesis / samples] { kept.append(row) }
                }
            }
            running = kept.map { running[$0] }
            last = running.map { results[$0].ids[step] }
            if !running.isEmpty { session.select(kept) }
            step += 1
        }
        for i in results.indices { results[i].score = results[i].logProbability }
        return (0..<sources).map { s in
            results[s * samples..<(s + 1) * samples].enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
                .map(\.element)
        }
    }

    private func searchBeam(width: Int, lengthPenalty: Double, outputs: Int, prefixes: [[Int32]]) -> [[GeneratedSequence]] {
        func penalized(_ logProbability: Double, length: Int) -> Double { logProbability / pow((5 + Double(length)) / 6, lengthPenalty) }
        func isBetter(_ a: GeneratedSequence, _ b: GeneratedSequence) -> Bool { a.score > b.score }

        var session = begin()
        var beams = [[BeamHypothesis]](repeating: [BeamHypothesis()], count: sources)
        var finished = [[GeneratedSequence]](repeating: [], count: sources)
        var step = 0
        while beams.contains(where: { !$0.isEmpty }) {
            let last = beams.indices.flatMap { s in beams[s].map { $0.ids.last ?? firstTokens[s] } }
            let scores = scores(session.advance(last))
            var rows: [Int] = [], first = 0
            for s in beams.indices where !beams[s].isEmpty {
                let beam = beams[s], prefix = prefixes[s], limit = limits[s]
                var next: [(row: Int, token: Int, logProbability: Double)] = []
                for (i, hypothesis) in beam.enumerated() {
                    let row = scores.view[first + i]
                    let before = hypothesis.logProbability + logProbability(of: 0, row) - Double(row[0, 0])
                    if step < prefix.count {
                        next.append((i, Int(prefix[step]), before + Double(row[0, Int(prefix[step])])))
                        continue
                    }
                    // More than the width by the end marks, which leave the beam.
                    for token in Scalar.largest(row, wanted: min(scores.columns, width + ends.count)) {
                        next.append((i, token, before + Double(row[0, token])))
                    }
                }
                next.sort { ($1.logProbability, $0.row, $0.token) < ($0.logProbability, $1.row, $1.token) }
                var kept: [BeamHypothesis] = []
                for candidate in next {
                    let ids = beam[candidate.row].ids
                    if ends.contains(Int32(candidate.token)) && step >= prefix.count {
                        let score = penalized(candidate.logProbability, length: ids.count + 1)
                        // An end mark counts where it is among the best of the beam, as the tokens do.
                        if kept.count < width {
                            finished[s].append(
                                GeneratedSequence(ids: ids, logProbability: candidate.logProbability, score: score, isFinished: true))
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
                    let bound =
                        lengthPenalty > 0
                        ? penalized(best.logProbability, length: limit + 1) : penalized(best.logProbability, length: step + 2)
                    if finished[s][finished[s].count - 1].score >= bound {
                        rows.removeLast(kept.count)
                        kept = []
                    }
                } else if step == limit {
                    for hypothesis in beam {
                        finished[s].append(
                            GeneratedSequence(
                                ids: hypothesis.ids, logProbability: hypothesis.logProbability,
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
                ($0.element.isFinished ? 0 : 1, -$0.element.score, $0.offset) < (
                    $1.element.isFinished ? 0 : 1, -$1.element.score, $1.offset
                )
            }
            return Array(sorted.map(\.element).prefix(outputs))
        }
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
