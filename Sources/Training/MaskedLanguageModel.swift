import Autograd
import Networks
import Tensors

/// Words hidden from an encoder, to be guessed from their neighbours (Devlin et al. 2019): of the chosen tokens 80 % become `[MASK]`,
/// 10 % a random token, 10 % stay; all are to be guessed.
package struct MaskedBatch: Sendable {
    package var batch = PackedBatch()
    /// Rows of the batch's tokens that are to be guessed, and what they were.
    package var rows: [Int] = []
    package var targets: [Int32] = []
    /// One a sequence where next sentences are predicted: 0 follows, 1 does not (BERT's order of classes).
    package var isRandomNext: [Int32] = []

    package init() {}
}

/// Draws what is masked.
package struct TokenMasking: Sendable {
    package var rate: Double
    package var maskID: Int32
    package var vocabularySize: Int
    /// Never masked and never put in: `[CLS]`, `[SEP]`, `[PAD]`, `[MASK]`.
    package var specialIDs: Set<Int32>

    package init(rate: Double, maskID: Int32, vocabularySize: Int, specialIDs: Set<Int32>) {
        self.rate = rate
        self.maskID = maskID
        self.vocabularySize = vocabularySize
        self.specialIDs = specialIDs
    }

    /// Masks one sequence.
    ///
    /// - Parameter words: the word that each token belongs to (negative for none): all tokens of a word are masked together (whole-word
    ///   masking); nil masks single tokens.
    /// - Returns: the sequence as the encoder sees it, and the masked places. At least one if there is anything to mask.
    package func mask(_ ids: [Int32], words: [Int32]? = nil, random: inout RandomSource) -> (ids: [Int32], places: [Int]) {
        var groups: [[Int]] = []
        for (place, id) in ids.enumerated() where !specialIDs.contains(id) {
            if let words, let last = groups.last?.last, last == place - 1, words[place] >= 0, words[last] == words[place] {
                groups[groups.count - 1].append(place)
            } else {
                groups.append([place])
            }
        }
        let maskable = groups.reduce(0) { $0 + $1.count }
        guard maskable > 0 else { return (ids, []) }
        let wanted = max(1, Int((rate * Double(maskable)).rounded()))
        var places: [Int] = []
        for group in random.permutation(groups.count) {
            if places.count >= wanted { break }
            // A long word would overshoot; a shorter one may still fit.
            if !places.isEmpty && places.count + groups[group].count > wanted { continue }
            places += groups[group]
        }
        places.sort()
        var masked = ids
        for place in places {
            let draw = random.uniform()
            if draw < 0.8 {
                masked[place] = maskID
            } else if draw < 0.9 {
                var id = Int32(random.below(vocabularySize))
                while specialIDs.contains(id) { id = Int32(random.below(vocabularySize)) }
                masked[place] = id
            }
        }
        return (masked, places)
    }
}

/// What is on an encoder while it is pre-trained: the guess of masked words, and whether the second sentence follows the first.
package final class PretrainingHead: Module {
    package typealias Scalar = Float
    package let masked: MaskedLanguageHead<Float>
    private let pooler: Linear<Float>
    private let relation: Linear<Float>

    /// - Parameter words: the encoder's word table `(vocabulary, hiddenSize)`, which is the output matrix too.
    package init(_ configuration: EncoderConfiguration, words: Parameter<Float>, seed: UInt64) {
        let size = configuration.hiddenSize
        masked = MaskedLanguageHead(configuration, words: words)
        pooler = Linear(inputs: size, outputs: size)
        relation = Linear(inputs: size, outputs: 2)
        for (index, linear) in [masked.dense, pooler, relation].enumerated() {
            var random = RandomSource(seed: seed).split(UInt64(index))
            linear.weight.fill { 0.02 * random.normal() }
        }
    }

    package var parameters: [Parameter<Float>] { masked.parameters + pooler.parameters + relation.parameters }

    /// Where transformers' BertForMaskedLM has the guess of masked words.
    var guessEntries: [CheckpointEntry<Float>] {
        // The bias has two names; all versions of transformers read this one.
        masked.checkpointEntries.map { entry in
            entry.key == "cls.predictions.decoder.bias"
                ? CheckpointEntry(key: "cls.predictions.bias", parameter: entry.parameter, olderKeys: [entry.key]) : entry
        }
    }

    /// Where its BertForPreTraining has the rest.
    var relationEntries: [CheckpointEntry<Float>] {
        [("bert.pooler.dense", pooler), ("cls.seq_relationship", relation)].flatMap { key, linear in
            zip(["weight", "bias"], linear.parameters).map { CheckpointEntry(key: "\(key).\($0)", parameter: $1) }
        }
    }

    /// Goes on from the heads that a checkpoint of BERT has.
    func load(from archive: some WeightArchive) throws {
        let names = Set(archive.names)
        for entries in [guessEntries, relationEntries]
        where entries.allSatisfy({ !names.isDisjoint(with: [$0.key] + $0.olderKeys) }) {
            try Networks.load(entries, from: archive)
        }
    }

    /// The loss of one shard, as a share of the whole batch's.
    ///
    /// - Parameters:
    ///   - hidden: `(tokens, hiddenSize)`.
    ///   - maskedInBatch, sequencesInBatch: what the sums are divided by.
    func loss(
        _ hidden: Variable<Float>, _ shard: MaskedBatch, maskedInBatch: Int, sequencesInBatch: Int, on tape: Tape<Float>
    ) -> (loss: Variable<Float>, correct: Int)? {
        var parts: [Variable<Float>] = [], correct = 0
        if !shard.rows.isEmpty {
            let guesses = masked.transformed(gatherRows(hidden, shard.rows, on: tape), on: tape)
            let found = linearCrossEntropy(
                guesses, weight: masked.output.weight, bias: masked.output.bias, targets: shard.targets,
                divisor: Float(maskedInBatch), on: tape)
            parts.append(found.loss)
            correct = found.correct
        }
        if !shard.isRandomNext.isEmpty {
            let first = gatherRows(hidden, (0..<shard.batch.sequences).map { Int(shard.batch.offsets[$0]) }, on: tape)
            let scores = relation(pooler(first, activation: .tanh, on: tape), on: tape)
            let losses = crossEntropy(scores, targets: shard.isRandomNext, on: tape)
            parts.append(scaled(total(losses, on: tape), by: 1 / Float(sequencesInBatch), on: tape))
        }
        guard let first = parts.first else { return nil }
        return (parts.count == 1 ? first : sum(first, parts[1], on: tape), correct)
    }
}
