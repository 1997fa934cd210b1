import FileFormats
import Foundation
import ModelFolders
import Networks
import Synchronization
import Tensors
import Tokenizers

/// Judges pairs of texts read together, as rerankers do: slower than comparing vectors, and more exact (Nogueira & Cho 2019).
public final class CrossEncoder: Sendable {
    public let directory: ModelDirectory
    public let tokenizer: Tokenizer
    /// The longest pair in tokens; longer ones are cut, the longer text first.
    public let maxLength: Int
    let network: SequenceClassifier<Float>
    /// Numbers that training has set.
    public var parameterCount: Int { network.parameters.reduce(0) { $0 + $1.value.count } }
    public var configuration: EncoderConfiguration { network.encoder.configuration }
    private let options: SentenceEncoder.Options
    let isSigmoid: Bool

    /// - Parameters:
    ///   - model: a folder, or a name to look for (`ModelLocation`).
    ///   - options: precision, threads, batch size and maximum length count.
    /// - Throws: `DataError` where the folder holds no reranker: a sequence classifier with one label.
    public init(model: String, options: SentenceEncoder.Options = SentenceEncoder.Options()) throws {
        directory = try ModelDirectory(folder: ModelLocation.folder(for: model))
        self.options = options
        try options.precision.checkProcessor()
        let json = directory.configuration, file = directory.transformerFolder.appendingPathComponent("config.json").path
        let architecture = json["architectures"]?.array?.first?.string ?? ""
        guard architecture.hasSuffix("ForSequenceClassification") else {
            throw DataError(.usage, "this model is no reranker: its architecture is '\(architecture)', one that ends in ForSequenceClassification is wanted; "
                            + "a model of sentence vectors compares texts with rank and similarity", file: file)
        }
        network = try SequenceClassifier(json: json, file: file, precision: options.precision)
        guard network.labels == 1 else {
            throw DataError(.usage, "this classifier has \(network.labels) labels; a reranker has one", file: file)
        }
        tokenizer = try Tokenizer(directory: directory.transformerFolder, dictionary: options.dictionary.map { URL(fileURLWithPath: $0) })
        guard tokenizer.idBound <= network.encoder.configuration.vocabularySize else {
            throw DataError(.badData, "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the configuration's vocabulary has "
                            + "\(network.encoder.configuration.vocabularySize) entries", file: directory.folder.path)
        }
        try network.load(from: ModelDirectory.weights(in: directory.transformerFolder))
        let limit = network.encoder.configuration.longestSequence
        maxLength = min(limit, options.maxLength ?? directory.maxLength ?? limit)
        guard maxLength > tokenizer.addedTokenCount(isPair: true) + 1 else {
            throw DataError(.usage, "a maximum length of \(maxLength) leaves no room for two texts beside the special tokens")
        }
        // sentence-transformers puts a sigmoid behind a single label unless the model says otherwise.
        let activation = json["sentence_transformers"]?["activation_fn"]?.string ?? json["sbert_ce_default_activation_function"]?.string
        isSigmoid = activation.map { $0.hasSuffix("Sigmoid") } ?? true
    }

    /// The score of each pair: in 0 ... 1 where the model ends in a sigmoid, else any number; higher is better.
    ///
    /// - Returns: the scores, and how many pairs were cut at the maximum length.
    /// - Throws: `DataError` where a score came out as NaN or infinity.
    public func scores(_ pairs: [(String, String)]) throws -> (scores: [Double], truncated: Int) {
        let ranges = Parallel.chunks(pairs.count, size: 64)
        let encoded = Mutex([[Encoding]](repeating: [], count: ranges.count))
        try Parallel.forEach(ranges.count, threads: options.threads) { chunk, _ in
            let found = try pairs[ranges[chunk]].map { try tokenizer.encode($0.0, pair: $0.1, maxLength: maxLength) }
            encoded.withLock { $0[chunk] = found }
        }
        let encodings = encoded.withLock { $0.flatMap(\.self) }

        let work = PackedBatch.grouped(lengths: encodings.map(\.count), budget: options.batchTokens).map { rows in
            var batch = PackedBatch()
            for row in rows { batch.append(encodings[row].ids, typeIDs: typeIDs(encodings[row])) }
            return (batch: batch, rows: rows)
        }
        let scores = Mutex([Double](repeating: 0, count: pairs.count))
        try Parallel.forEach(work.count, threads: options.threads) { index, _ in
            let logits = network(work[index].batch, on: nil).value
            guard logits.isFinite else { throw DataError(.badData, "a score came out as NaN or infinity; the model's weights are damaged or overflow in this precision") }
            scores.withLock { scores in
                for (place, row) in work[index].rows.enumerated() {
                    let logit = Double(logits[place])
                    scores[row] = self.score(logit: logit)
                }
            }
        }
        return (scores.withLock { $0 }, encodings.count { !$0.overflow.isEmpty })
    }

    /// Models without segments, or with one only, see all tokens alike.
    func typeIDs(_ encoding: Encoding) -> [Int32]? {
        network.encoder.configuration.segments > 1 ? encoding.typeIDs : nil
    }
}
