import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Synchronization
import Tensors
import Tokenizers

/// Turns sentences into vectors: tokenizer, Transformer encoder, pooling, and whatever else the model's folder lists.
///
/// ```swift
/// let encoder = try SentenceEncoder(model: "all-MiniLM-L6-v2")
/// let vectors = try encoder.encode(["two dogs play in snow", "犬が走る"])   // (2, 384)
/// ```
///
/// A sentence's vector is the same to the last bit in any batch, in any order and with any number of threads.
public final class SentenceEncoder: Sendable {
    /// The model's folder.
    public let directory: ModelDirectory
    /// The settings, as given.
    package let options: Options
    /// The model's tokenizer.
    public let tokenizer: Tokenizer
    /// Components of a vector.
    public let dimension: Int
    /// The longest sequence in tokens; longer texts are cut.
    public let maxLength: Int
    /// What is put before every sentence, empty for nothing.
    public let prompt: String
    private let network: Network
    private let steps: [Step]
    /// Whether the prompt's tokens are left out of the pooling.
    private let skipsPrompt: Bool
    /// Layouts of the Transformer's weights, kept for the next process.
    private let packed: PackedWeights?
    /// Leading tokens that are not pooled.
    private let unpooledTokens: Int

    /// What makes vectors of token ids.
    private enum Network: Sendable {
        case transformer(any LayeredNetwork<Float>)
        /// One vector a sentence already.
        case table(StaticEmbedding<Float>)
    }

    private enum Step: Sendable {
        case pooling([PoolingMode])
        case dense(Linear<Float>, Activation)
        case normalize
    }

    /// - Parameter model: a folder, or a name to look for (`ModelLocation`); nil for the default model.
    /// - Throws: `DataError` that names the file, key or tensor that does not fit.
    public convenience init(model: String? = nil, options: Options = Options()) throws {
        let folder = try model.map(ModelLocation.folder) ?? ModelLocation.defaultFolder()
        try self.init(directory: ModelDirectory(folder: folder), options: options)
    }

    /// Loads the model of an opened folder.
    ///
    /// - Throws: `DataError` that names the file, key or tensor that does not fit.
    package convenience init(directory: ModelDirectory, options: Options = Options()) throws {
        try self.init(directory: directory, options: options, atMost: nil)
    }

    /// - Parameter most: more components than this are cut off; nil for no limit.
    init(directory: ModelDirectory, options: Options, atMost most: Int?) throws {
        var options = options
        self.directory = directory
        try options.precision.checkProcessor()
        // The tokenizer is read by one core and the network by another.
        let parts = try Self.parts(of: directory, options)
        tokenizer = parts.tokenizer
        var size: Int, limit: Int
        if let size = parts.vocabularySize { try tokenizer.check(vocabularySize: size, of: directory.folder.path) }
        (network, packed) = try parts.weights.get()
        switch network {
        case .table(let table):
            try tokenizer.check(vocabularySize: table.vocabularySize, of: directory.folder.path)
            // Texts of any length are averaged.
            (size, limit) = (table.size, Int(Int32.max))
        case .transformer(let transformer):
            try tokenizer.check(vocabularySize: transformer.vocabularySize, of: directory.folder.path)
            (size, limit) = (transformer.hiddenSize, transformer.longestSequence)
        }
        maxLength = min(limit, options.maxLength ?? (directory.isStatic ? nil : directory.maxLength) ?? limit)
        guard maxLength > (directory.isStatic ? 0 : tokenizer.addedTokenCount()) else {
            throw DataError(.usage, "a maximum length of \(maxLength) leaves no room for words in addition to special tokens")
        }
        prompt = try options.prompt ?? directory.prompt(named: options.promptName)

        var steps: [Step] = [], skipsPrompt = false
        for step in directory.steps {
            switch step {
            case .pooling(let modes, let includesPrompt):
                steps.append(.pooling(modes))
                size *= modes.count
                skipsPrompt = !includesPrompt
            case .dense(let folder, let inputs, let outputs, let hasBias, let activation):
                guard inputs == size else {
                    throw DataError(.badData, "the dense layer expects \(inputs) inputs, but gets \(size)", file: folder.path)
                }
                let layer = Linear<Float>(inputs: inputs, outputs: outputs, bias: hasBias)
                var entries = [CheckpointEntry(key: "linear.weight", parameter: layer.weight)]
                if let bias = layer.bias { entries.append(CheckpointEntry(key: "linear.bias", parameter: bias)) }
                try load(entries, from: ModelDirectory.weights(in: folder))
                steps.append(.dense(layer, activation))
                size = outputs
            case .normalize:
                steps.append(.normalize)
            }
        }
        self.steps = steps
        if options.truncatedDimension == nil, let most, most < size { options.truncatedDimension = most }
        self.options = options
        if let wanted = options.truncatedDimension {
            guard (1...size).contains(wanted) else {
                throw DataError(.usage, "\(Setting.truncateDim) \(wanted) is not between 1 and the model's dimension, \(size)")
            }
            size = wanted
        }
        dimension = size
        self.skipsPrompt = skipsPrompt
        unpooledTokens = try Self.unpooledTokens(of: prompt, skipsPrompt: skipsPrompt, tokenizer)
    }

    /// An encoder with the weights of another one, which are not copied, and another prompt.
    /// - Throws: `DataError` where the tokenizer cannot read the prompt.
    public init(sharing other: SentenceEncoder, prompt: String) throws {
        (directory, tokenizer, dimension, maxLength) = (other.directory, other.tokenizer, other.dimension, other.maxLength)
        (network, packed, steps, skipsPrompt, self.prompt) = (other.network, other.packed, other.steps, other.skipsPrompt, prompt)
        var options = other.options
        (options.prompt, options.promptName) = (prompt, nil)
        self.options = options
        unpooledTokens = try Self.unpooledTokens(of: prompt, skipsPrompt: skipsPrompt, tokenizer)
    }

    /// The prompt's own tokens, without a closing special token, which the sentence will bring.
    private static func unpooledTokens(of prompt: String, skipsPrompt: Bool, _ tokenizer: Tokenizer) throws -> Int {
        let tokens = skipsPrompt && !prompt.isEmpty ? try tokenizer.encode(prompt).specialTokensMask : []
        return tokens.count - (tokens.last == 1 ? 1 : 0)
    }

    /// What a model's folder holds. The vocabulary is compared with the tokenizer's before weights are looked at: where both are wrong, it
    /// says more.
    private struct Parts: Sendable {
        var tokenizer: Tokenizer
        /// Nil if the weights alone tell it.
        var vocabularySize: Int?
        var weights: Result<(network: Network, packed: PackedWeights?), any Error>
    }

    private static func parts(of directory: ModelDirectory, _ options: Options) throws -> Parts {
        enum Part: Sendable {
            case tokenizer(Tokenizer), weights(Int?, Result<(network: Network, packed: PackedWeights?), any Error>)
        }
        let folder = directory.transformerFolder
        let made = try Parallel.map(2, threads: options.threads) { item, _ -> Part in
            if item == 0 {
                return .tokenizer(try Tokenizer(directory: folder, dictionary: options.dictionary.map { URL(fileURLWithPath: $0) }))
            }
            if directory.isStatic {
                return .weights(nil, Result { (.table(try StaticEmbedding<Float>(from: ModelDirectory.weights(in: folder))), nil) })
            }
            let transformer = try makeLayeredNetwork(
                json: directory.configuration, file: folder.appendingPathComponent("config.json").path, precision: options.precision)
            return .weights(
                transformer.vocabularySize,
                Result {
                    let entries = transformer.checkpointEntries
                    let archive = try ModelDirectory.weights(in: folder),
                        packed = PackedWeights(weights: archive.fileName, precision: options.precision)
                    try load(entries, from: archive, prefixes: transformer.checkpointPrefixes, areNumbers: packed?.isKnown ?? false)
                    packed?.attach(entries)
                    return (.transformer(transformer), packed)
                })
        }
        guard case .tokenizer(let tokenizer) = made[0], case .weights(let size, let weights) = made[1] else {
            preconditionFailure("parts come in order")
        }
        return Parts(tokenizer: tokenizer, vocabularySize: size, weights: weights)
    }

    /// The Transformer, for what looks into its layers.
    /// - Throws: `DataError` of kind `usage` if the model is a table of token vectors and has none.
    package var encoder: any LayeredNetwork<Float> {
        get throws {
            guard case .transformer(let encoder) = network else {
                throw DataError(.usage, "this model is a table of token vectors and has no layers", file: directory.name)
            }
            return encoder
        }
    }

    /// Layers of the Transformer.
    /// - Throws: `DataError` of kind `usage` if the model is a table of token vectors and has none.
    public var layerCount: Int { get throws { try encoder.layerCount } }

    /// Numbers that training has set, those of dense layers behind the pooling included.
    package var parameterCount: Int {
        var parameters =
            switch network {
            case .transformer(let encoder): encoder.parameters
            case .table(let table): table.parameters
            }
        for case .dense(let layer, _) in steps { parameters += layer.parameters }
        return parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    /// Tokens of the vocabulary.
    package var vocabularySize: Int {
        switch network {
        case .transformer(let encoder): encoder.vocabularySize
        case .table(let table): table.vocabularySize
        }
    }

    /// Whether vectors come out with length 1.
    public var isNormalized: Bool {
        if options.normalizes { return true }
        guard options.truncatedDimension == nil, case .normalize? = steps.last else { return false }
        return true
    }

    // MARK: Encoding

    /// Vectors of sentences into a buffer of `sentences.count × dimension` numbers.
    /// - Throws: `DataError` if a vector came out as NaN or infinity.
    @discardableResult
    public func encode(_ sentences: [String], into vectors: UnsafeMutableBufferPointer<Float>) throws -> Counts {
        precondition(vectors.count == sentences.count * dimension)
        guard let base = vectors.baseAddress, !sentences.isEmpty else { return Counts() }
        let chunks = tokenized(sentences)
        if tokenizer.idBound > vocabularySize { try refuseTokensBeyondVocabulary(chunks) }
        let (batches, rows, counts) = batched(chunks)
        let target = Shared(base)
        defer { packed?.keep() }
        try Parallel.forEach(batches.count, threads: options.threads) { index, _ in
            let found = self.vectors(of: batches[index])
            found.withUnsafeElements { from in
                for (i, row) in rows[index].enumerated() {
                    (target.pointer + row * dimension).update(from: from + i * dimension, count: dimension)
                }
            }
            guard found.isFinite else {
                throw DataError(
                    .badData,
                    "a vector contains NaN or infinity; the model's weights are damaged or overflow in this "
                        + "precision")
            }
        }
        return counts
    }

    /// Vectors of a packed batch, `(sequences, dimension)`: encoder, then the model's steps.
    public func vectors(of batch: PackedBatch) -> Tensor<Float> {
        let x =
            switch network {
            case .transformer(let encoder): encoder(batch, on: nil)
            case .table(let table): table(batch, on: nil)
            }
        return finished(x, offsets: batch.offsets, on: nil).value
    }

    /// Vectors from the Transformer's embeddings, which need not be those of tokens.
    ///
    /// - Parameters:
    ///   - embeddings: `(tokens, hiddenSize)`, as `Encoder.embeddings(of:on:)` gives them.
    ///   - encoder: the model's own, or one of its shape.
    /// - Returns: `(sequences, dimension)`.
    package func vectors(
        ofEmbeddings embeddings: Variable<Float>, offsets: [Int64], by encoder: any LayeredNetwork<Float>, on tape: Tape<Float>?
    ) -> Variable<Float> {
        finished(encoder(embeddings, offsets: offsets, eachLayer: nil, on: tape), offsets: offsets, on: tape)
    }

    /// The model's steps behind the network.
    private func finished(_ x: Variable<Float>, offsets: [Int64], on tape: Tape<Float>?) -> Variable<Float> {
        var x = x
        for step in steps {
            switch step {
            case .pooling(let modes):
                let parts = modes.map { pooled(x, offsets: offsets, mode: $0, skipping: unpooledTokens, on: tape) }
                x = parts.count == 1 ? parts[0] : concatenatedColumns(parts, on: tape)
            case .dense(let layer, let activation): x = layer(x, activation: activation, on: tape)
            case .normalize: x = normalizedRows(x, on: tape)
            }
        }
        if let size = options.truncatedDimension { x = columns(x, 0..<size, on: tape) }
        if options.normalizes { x = normalizedRows(x, on: tape) }
        return x
    }

    // MARK: Tokens and batches

    /// Token ids of some sentences, one after the other.
    private struct TokenizedChunk: Sendable {
        var ids: [Int32] = []
        var lengths: [Int32] = []
        var counts = Counts()
    }

    private func tokenized(_ sentences: [String]) -> [TokenizedChunk] {
        let ranges = Parallel.chunks(sentences.count, size: 512)
        let results = Mutex([TokenizedChunk](repeating: TokenizedChunk(), count: ranges.count))
        Parallel.forEach(ranges.count, threads: options.threads) { index, _ in
            var chunk = TokenizedChunk(), scratch = TokenizerScratch()
            for sentence in sentences[ranges[index]] {
                var text = prompt.isEmpty ? sentence : prompt + sentence
                if directory.lowercases { text = text.lowercased() }
                let found = text.withUTF8 {
                    tokenizer.appendIDs(
                        of: $0, maxLength: maxLength, addsSpecialTokens: !directory.isStatic, to: &chunk.ids, scratch: &scratch)
                }
                chunk.lengths.append(Int32(found.tokens))
                chunk.counts += Counts(found)
            }
            let done = chunk
            results.withLock { $0[index] = done }
        }
        return results.withLock { $0 }
    }

    /// Some tokenizers have an added token for non-text input for which the network has no vector.
    private func refuseTokensBeyondVocabulary(_ chunks: [TokenizedChunk]) throws {
        let size = vocabularySize
        guard let id = chunks.lazy.flatMap(\.ids).first(where: { Int($0) >= size }) else { return }
        throw DataError(
            .badData,
            "a text contains '\(tokenizer.token(for: id) ?? "")', for which the network has no "
                + "vector", file: directory.name)
    }

    private func batched(_ chunks: [TokenizedChunk]) -> (batches: [PackedBatch], rows: [[Int]], counts: Counts) {
        var counts = Counts()
        var places: [(chunk: Int, start: Int, length: Int)] = []
        for (index, chunk) in chunks.enumerated() {
            var start = 0
            for length in chunk.lengths {
                places.append((index, start, Int(length)))
                start += Int(length)
            }
            counts += chunk.counts
        }
        let rows = PackedBatch.grouped(lengths: places.map(\.length), budget: options.batchTokens)
        let batches = rows.map { members in
            var batch = PackedBatch()
            for row in members {
                let place = places[row]
                batch.append(chunks[place.chunk].ids[place.start..<place.start + place.length])
            }
            return batch
        }
        return (batches, rows, counts)
    }
}

extension Precision {
    /// - Throws: `DataError` of kind `usage` if the processor has no instructions for this precision: it would be slow, and int8 sums
    ///   would saturate.
    func checkProcessor() throws {
        guard isFast else {
            throw DataError(
                .usage, "this processor has no \(rawValue) instructions (oneDNN found \(processorKernels)); f32 works everywhere")
        }
    }
}

extension SentenceEncoder.Counts {
    fileprivate init(_ found: TokenCounts) {
        sentences = 1
        tokens = found.tokens
        unknownTokens = found.unknowns
        truncated = found.isTruncated ? 1 : 0
    }
}
