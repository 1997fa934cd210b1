import Autograd
import FileFormats
import Foundation
import Networks
import SentenceEmbedding
import Synchronization
import Tensors
import Tokenizers

/// How a score is spread over the tokens that it rests on.
package enum AttributionMethod: String, Sendable, CaseIterable {
    /// Along the way from a reference without words to the text: integrated Jacobians of both sides of a similarity (Moeller, Nikolaev &
    /// Padó 2023, 2024), integrated gradients of a classifier's score (Sundararajan et al. 2017). The attributions add up to the score
    /// against the reference.
    case integrated
    /// Derivative times input at the text itself.
    case gradientInput = "gradient-input"
}

/// Which pair of tokens makes two texts similar: their cosine spread over a matrix of tokens.
///
/// The vector of a text changes from that of its reference, in which padding stands for every token, by a sum over its tokens:
/// u_i = ∫ J_i(r + α (x − r)) (x_i − r_i) dα. The matrix holds u_i · v_j of the two texts' unit vectors, and sums to
/// f(a, b) − f(r_a, b) − f(a, r_b) + f(r_a, r_b). Each product of a Jacobian with a direction is a difference quotient of fourth order
/// (2 n evaluations instead of the vector's dimension), the integral Gauss–Legendre quadrature.
package struct SimilarityAttribution: Sendable {
    /// The first text and its tokens.
    package let first: AttributedText
    /// The second text and its tokens.
    package let second: AttributedText
    /// `(first tokens, second tokens)`.
    package let matrix: [[Double]]
    /// The cosine, and those with a reference in place of the first text, the second, and both.
    package let score: Double
    package let referenceScores: (first: Double, second: Double, both: Double)
    package let method: AttributionMethod

    package var sum: Double { matrix.reduce(0) { $0 + $1.reduce(0, +) } }
    /// What the attributions should add up to; nil for a method that does not promise it.
    package var expected: Double? {
        method == .integrated ? score - referenceScores.first - referenceScores.second + referenceScores.both : nil
    }

    /// - Parameters:
    ///   - encoder: the model's own, or one of its shape (random weights, for a sanity check).
    ///   - nodes: of the quadrature.
    /// - Throws: `DataError` for a text without a token or longer than the model reads, and where a vector has no length.
    package init(
        _ model: SentenceEncoder, encoder: (any LayeredNetwork<Float>)? = nil, _ a: String, _ b: String,
        method: AttributionMethod = .integrated, nodes: Int = 24,
        cutter: WordCutter = WordCutter(), threads: Int = Parallel.availableThreads
    ) throws {
        let encoder = try encoder ?? model.encoder
        first = try AttributedText(a, nil, model.tokenizer, limit: model.maxLength, name: model.directory.name, cutter: cutter)
        second = try AttributedText(b, nil, model.tokenizer, limit: model.maxLength, name: model.directory.name, cutter: cutter)
        let contributions = TextContributions(model: model, encoder: encoder, method: method, nodes: nodes, threads: threads)
        let (u, v) = (try contributions(first), try contributions(second))
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        matrix = u.tokens.map { token in v.tokens.map { dot(token, $0) } }
        score = dot(u.vector, v.vector)
        referenceScores = (dot(u.reference, v.vector), dot(u.vector, v.reference), dot(u.reference, v.reference))
        self.method = method
    }

    /// The matrix summed over the tokens of each word; special tokens are left out where nothing falls to them.
    package func words() -> (first: [String], second: [String], matrix: [[Double]]) {
        var sums = [[Double]](repeating: [Double](repeating: 0, count: second.units.count), count: first.units.count)
        for (i, row) in matrix.enumerated() { for (j, value) in row.enumerated() { sums[first.owners[i]][second.owners[j]] += value } }
        // With a reference, what is the same on both ends of the way has no part in it.
        let rows = first.units.indices.filter { !first.unitIsSpecial[$0] || sums[$0].contains { $0 != 0 } }
        let columns = second.units.indices.filter { column in !second.unitIsSpecial[column] || sums.contains { $0[column] != 0 } }
        return (rows.map { first.units[$0] }, columns.map { second.units[$0] }, rows.map { row in columns.map { sums[row][$0] } })
    }
}

/// A text, or two read together, with its reference and its words.
package struct AttributedText: Sendable {
    /// The tokens, special ones included.
    package let tokens: [String]
    /// The unit of each token, as a place in `units`.
    package let owners: [Int]
    /// Words of the text, and special tokens, in the order of the tokens.
    package let units: [String]
    package let unitIsSpecial: [Bool]
    /// 0 for the first text, 1 for the second, nil for special tokens; one for each unit.
    package let unitSentences: [Int?]
    let ids: [Int32]
    let typeIDs: [Int32]
    /// Padding in place of every token of text.
    let referenceIDs: [Int32]

    init(_ text: String, _ pair: String?, _ tokenizer: Tokenizer, limit: Int, name: String, cutter: WordCutter) throws {
        let encoding = try tokenizer.encode(text, pair: pair), isText = encoding.specialTokensMask.map { $0 == 0 }
        guard isText.contains(true) else { throw DataError(.usage, "the tokenizer finds no tokens in \"\(text.prefix(40))\"") }
        guard encoding.count <= limit else { throw DataError(.usage, "the text has \(encoding.count) tokens, but \(name) reads \(limit)") }
        guard let blank = tokenizer.padID ?? tokenizer.maskID ?? tokenizer.unknownID else {
            throw DataError(.usage, "the tokenizer has no padding, mask or unknown token for a reference without words", file: name)
        }
        tokens = encoding.shown(of: text, pair: pair)
        (ids, typeIDs) = (encoding.ids, encoding.typeIDs)
        referenceIDs = zip(encoding.ids, isText).map { $1 ? blank : $0 }
        let cuts = try [text, pair].compactMap(\.self).map { try cutter.cut($0) }
        let wordOwners = cuts.enumerated().map { number, cut in
            cut.owners(
                of: encoding.offsets, isText: isText.indices.map { isText[$0] && Int(encoding.sequenceIDs[$0] ?? 0) == number },
                among: cut.words
            ).owners
        }
        var owners: [Int] = [], units: [String] = [], special: [Bool] = [], sentences: [Int?] = [], last: (sentence: Int, word: Int)?
        for token in encoding.ids.indices {
            let sentence = Int(encoding.sequenceIDs[token] ?? 0)
            if isText[token], let word = wordOwners[sentence][token] {
                if last?.sentence != sentence || last?.word != word {
                    let range = cuts[sentence].words[word]
                    units.append(String(decoding: Array(cuts[sentence].text.utf8)[range], as: UTF8.self))
                    special.append(false)
                    sentences.append(sentence)
                    last = (sentence, word)
                }
            } else {
                units.append(tokens[token])
                special.append(!isText[token])
                sentences.append(isText[token] ? sentence : nil)
                last = nil
            }
            owners.append(units.count - 1)
        }
        (self.owners, self.units, unitIsSpecial, unitSentences) = (owners, units, special, sentences)
    }

    func batch(_ ids: [Int32], _ encoder: any LayeredNetwork<Float>) -> PackedBatch {
        var batch = PackedBatch()
        batch.append(ids, typeIDs: encoder.hasSegments ? typeIDs : nil)
        return batch
    }
}

/// What each token of a text contributes to its unit vector.
private struct TextContributions {
    let model: SentenceEncoder
    let encoder: any LayeredNetwork<Float>
    let method: AttributionMethod
    let nodes: Int
    let threads: Int
    /// Half the width of the difference quotient, as a share of the direction. Its error is of the fourth order; a smaller one would show
    /// the rounding of single precision.
    private static let width: Float = 0.05
    /// Places and factors of the quotient of fourth order.
    private static let stencil: [(place: Float, factor: Double)] = [(-2, 1.0 / 12), (-1, -8.0 / 12), (1, 8.0 / 12), (2, -1.0 / 12)]

    func callAsFunction(_ text: AttributedText) throws -> (tokens: [[Double]], vector: [Double], reference: [Double]) {
        let x = encoder.embeddings(of: text.batch(text.ids, encoder), on: nil).value.elements
        let blank = encoder.embeddings(of: text.batch(text.referenceIDs, encoder), on: nil).value.elements
        let n = text.ids.count, size = x.count / n
        let start = method == .integrated ? blank : [Float](repeating: 0, count: x.count), way = zip(x, start).map { $0 - $1 }
        let rule = method == .integrated ? Quadrature(nodes) : nil
        let places = rule.map { zip($0.nodes, $0.weights).map { (Float($0), $1) } } ?? [(Float(1), 1.0)]
        let moving = (0..<n).filter { token in (0..<size).contains { way[token * size + $0] != 0 } }

        // Every evaluation is a copy of the text with one token moved a little.
        var work: [(token: Int, place: Float, shift: Float, factor: Double)] = []
        for (place, weight) in places {
            for token in moving {
                for (step, factor) in Self.stencil { work.append((token, place, step * Self.width, weight * factor / Double(Self.width))) }
            }
        }
        let evaluations = work, ranges = Parallel.chunks(work.count, size: max(1, 2048 / n))
        let parts = Mutex([[Int: [Double]]](repeating: [:], count: ranges.count))
        try Parallel.forEach(ranges.count, threads: threads) { index, _ in
            let members = evaluations[ranges[index]]
            var states = [Float](unsafeUninitializedCapacity: members.count * x.count) {
                $1 = members.count * x.count
                $0.update(repeating: 0)
            }
            for (copy, member) in members.enumerated() {
                for k in x.indices {
                    let along = k / size == member.token ? member.place + member.shift : member.place
                    states[copy * x.count + k] = start[k] + along * way[k]
                }
            }
            let vectors = try unitVectors(states, count: members.count, tokens: n, size: size)
            var sums: [Int: [Double]] = [:]
            for (member, vector) in zip(members, vectors) {
                var sum = sums[member.token] ?? [Double](repeating: 0, count: vector.count)
                for k in vector.indices { sum[k] += member.factor * vector[k] }
                sums[member.token] = sum
            }
            parts.withLock { $0[index] = sums }
        }
        let ends = try unitVectors(x + blank, count: 2, tokens: n, size: size)
        var tokens = [[Double]](repeating: [Double](repeating: 0, count: ends[0].count), count: n)
        // In the order of the batches, so that threads change nothing.
        for sums in parts.withLock({ $0 }) {
            for token in moving { if let sum = sums[token] { for k in sum.indices { tokens[token][k] += sum[k] } } }
        }
        return (tokens, ends[0], ends[1])
    }

    private func unitVectors(_ states: [Float], count: Int, tokens: Int, size: Int) throws -> [[Double]] {
        let offsets = (0...count).map { Int64($0 * tokens) }
        let vectors = model.vectors(
            ofEmbeddings: Variable(Tensor(states, shape: [count * tokens, size])), offsets: offsets, by: encoder, on: nil
        ).value
        return try (0..<count).map { row in
            let vector = vectors.rows(row..<row + 1).elements.map(Double.init), length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard length > 0, length.isFinite else {
                throw DataError(.badData, "a vector is zero, so its cosine is undefined", file: model.directory.name)
            }
            return vector.map { $0 / length }
        }
    }
}
