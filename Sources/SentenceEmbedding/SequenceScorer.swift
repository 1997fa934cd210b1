import FileFormats
import Foundation
import ModelFolders
import Networks
import Synchronization
import Tensors
import Tokenizers

/// A sequence classifier's network with its tokenizer: texts, or pairs of texts read together, to logits.
final class SequenceScorer: Sendable {
    let tokenizer: Tokenizer
    /// The longest text or pair in tokens; longer ones are cut, of a pair the longer text first.
    let maxLength: Int
    let network: SequenceClassifier<Float>
    let options: SentenceEncoder.Options

    /// - Throws: `DataError` that names the file, key or tensor that does not fit.
    init(_ directory: ModelDirectory, options: SentenceEncoder.Options) throws {
        self.options = options
        try options.precision.checkProcessor()
        let file = directory.transformerFolder.appendingPathComponent("config.json").path
        network = try SequenceClassifier(json: directory.configuration, file: file, precision: options.precision)
        tokenizer = try Tokenizer(directory: directory.transformerFolder, dictionary: options.dictionary.map { URL(fileURLWithPath: $0) })
        guard tokenizer.idBound <= network.encoder.configuration.vocabularySize else {
            throw DataError(
                .badData,
                "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the configuration's vocabulary has "
                    + "\(network.encoder.configuration.vocabularySize) entries", file: directory.folder.path)
        }
        try network.load(from: ModelDirectory.weights(in: directory.transformerFolder))
        let limit = network.encoder.configuration.longestSequence
        maxLength = min(limit, options.maxLength ?? directory.maxLength ?? limit)
        guard maxLength > tokenizer.addedTokenCount(isPair: true) + 1 else {
            throw DataError(.usage, "a maximum length of \(maxLength) leaves no room for two texts in addition to special tokens")
        }
    }

    /// Logits (texts, labels), and how many texts or pairs were cut at the maximum length.
    ///
    /// - Throws: `DataError` if a logit came out as NaN or infinity.
    func logits(_ firsts: [String], _ seconds: [String]? = nil) throws -> (logits: Tensor<Double>, truncated: Int) {
        let (encodings, truncated) = try EncodedSequences.encode(firsts, seconds, tokenizer, maxLength: maxLength, threads: options.threads)
        return (try EncodedSequences.logits(encodings, network, batchTokens: options.batchTokens, threads: options.threads), truncated)
    }
}

/// Token ids of texts or pairs for a sequence classifier, and what it makes of them; for inference and for training alike.
package enum EncodedSequences {
    /// - Returns: the encodings in order, and how many were cut.
    package static func encode(
        _ firsts: [String], _ seconds: [String]?, _ tokenizer: Tokenizer, maxLength: Int, threads: Int
    ) throws -> ([Encoding], truncated: Int) {
        let ranges = Parallel.chunks(firsts.count, size: 64)
        let encoded = Mutex([[Encoding]](repeating: [], count: ranges.count))
        try Parallel.forEach(ranges.count, threads: threads) { chunk, _ in
            let found = try ranges[chunk].map { try tokenizer.encode(firsts[$0], pair: seconds?[$0], maxLength: maxLength) }
            encoded.withLock { $0[chunk] = found }
        }
        let all = encoded.withLock { $0.flatMap(\.self) }
        return (all, all.count { !$0.overflow.isEmpty })
    }

    /// Models without segments, or with one only, see all tokens alike.
    package static func append(_ encoding: Encoding, to batch: inout PackedBatch, _ configuration: EncoderConfiguration) {
        batch.append(encoding.ids, typeIDs: configuration.segments > 1 ? encoding.typeIDs : nil)
    }

    /// (texts, labels).
    package static func logits(
        _ encodings: [Encoding], _ network: SequenceClassifier<Float>, batchTokens: Int, threads: Int
    ) throws -> Tensor<Double> {
        let labels = network.labels, configuration = network.encoder.configuration
        let work = PackedBatch.grouped(lengths: encodings.map(\.count), budget: batchTokens).map { rows in
            var batch = PackedBatch()
            for row in rows { append(encodings[row], to: &batch, configuration) }
            return (batch: batch, rows: rows)
        }
        let found = try Parallel.map(work.count, threads: threads) { index, _ in
            let logits = network(work[index].batch, on: nil).value
            guard logits.isFinite else {
                throw DataError(.badData, "a score is NaN or infinite; the model's weights are damaged or overflow in this precision")
            }
            return logits
        }
        var result = Tensor<Double>(uninitialized: [encodings.count, labels])
        for (part, logits) in zip(work, found) {
            for (place, row) in part.rows.enumerated() { for k in 0..<labels { result[row, k] = Double(logits[place, k]) } }
        }
        return result
    }
}
