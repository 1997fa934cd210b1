import FileFormats
import Foundation
import Networks
import Synchronization
import Tensors
import Tokenizers
import VectorStore

/// One run of `embed --tokens`: the sentences of a treebank become vectors of their words from several layers of the encoder,
/// portion by portion, so that a treebank of any size needs little memory.
package struct TokenVectorRun: Sendable {
    package var treebank: Treebank
    package var output: String
    /// 0 for the embeddings, then 1, 2, …; nil for all.
    package var layers: [Int]?
    package var merging = PieceMerging.mean
    package var text = WordText.written
    package var storage = VectorStorage.float32
    package var isCompressed = true
    /// Use an encoder of the same shape with random weights of this seed: what the architecture alone gives, before any training.
    package var untrainedSeed: UInt64?
    package var createdBy: String
    package var provenance = ""
    /// Sentences held in memory at once.
    package var portion = 256

    package init(treebank: Treebank, output: String, createdBy: String) {
        (self.treebank, self.output, self.createdBy) = (treebank, output, createdBy)
    }

    package struct Summary: Sendable, Equatable {
        package var sentences = 0
        package var words = 0
        package var pieces = 0
        /// Pieces that cross a boundary between words; each of those words has its share.
        package var crossingPieces = 0
        /// Words whose characters the tokenizer drops; they have the vector of the piece next to them.
        package var bareWords = 0
        /// Words that share one written token and so have one vector (French `au`).
        package var sharedWords = 0
        /// Sentences whose text was put together from the words.
        package var rebuiltTexts = 0
        /// Sentences longer than the encoder's limit, read in overlapping windows.
        package var windowedSentences = 0
        package var seconds = 0.0
    }

    /// - Throws: `DataError`; then there is no output, or the earlier one.
    package func run(
        with sentenceEncoder: SentenceEncoder, progress: (_ done: Int, _ fraction: Double?) -> Void = { _, _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> Summary {
        var encoder = try sentenceEncoder.encoder
        let all = Array(0...encoder.layerCount)
        let layers = self.layers ?? all
        if let wrong = layers.first(where: { !all.contains($0) }) {
            throw DataError(
                .usage,
                "no layer \(wrong); \(sentenceEncoder.directory.name) has layers 0 (the embeddings) to "
                    + "\(encoder.layerCount)")
        }
        var modelHash = try sentenceEncoder.directory.sha256(), model = sentenceEncoder.directory.name
        if let untrainedSeed {
            encoder = encoder.untrained(seed: untrainedSeed)
            model += " (untrained, seed \(untrainedSeed))"
            modelHash = SHA256.hex(of: "untrained \(untrainedSeed) \(modelHash)")
        }
        let metadata = VectorMetadata(
            model: model, modelSHA256: modelHash, pooling: "words", isNormalized: false,
            precision: sentenceEncoder.options.precision.rawValue,
            maxLength: encoder.longestSequence, createdBy: createdBy, source: Provenance.Source(path: treebank.file, sha256: "").name,
            sourceSHA256: treebank.sha256, provenance: provenance)
        let writer = try LayerFileWriter(
            path: output, layers: layers, dimension: encoder.hiddenSize, metadata: metadata, storage: storage, isCompressed: isCompressed,
            settings: [("pieces", merging.rawValue), ("text", text.rawValue)])

        var summary = Summary()
        let begin = ContinuousClock.now
        let embedder = WordEmbedder(
            encoder: encoder, tokenizer: sentenceEncoder.tokenizer, layers: layers, merging: merging,
            batchTokens: sentenceEncoder.options.batchTokens, threads: sentenceEncoder.options.threads)
        for range in Parallel.chunks(treebank.sentences.count, size: portion) {
            if isCancelled() { throw DataError(.interrupted, "stopped after \(summary.sentences) sentences; nothing was written") }
            let texts = treebank.sentences[range].map { text.text(of: $0) }
            let embedded = try embedder.embed(texts) { treebank.name(of: range.lowerBound + $0) }
            for (place, sentence) in embedded.sentences.enumerated() {
                let words = treebank.sentences[range.lowerBound + place].words
                try sentence.vectors.withUnsafeBufferPointer {
                    try writer.append(sentence: words.map(\.form).joined(separator: " "), words: words.count, vectors: $0)
                }
                summary.sentences += 1
                summary.words += words.count
                summary.pieces += sentence.pieces
                summary.crossingPieces += sentence.alignment.crossingPieces
                summary.bareWords += sentence.alignment.bareWords
                summary.sharedWords += texts[place].sharedWords
                summary.rebuiltTexts += text == .written && !texts[place].isOriginal ? 1 : 0
                summary.windowedSentences += sentence.windows > 1 ? 1 : 0
            }
            progress(summary.sentences, Double(summary.sentences) / Double(treebank.sentences.count))
        }
        summary.seconds = (ContinuousClock.now - begin) / .seconds(1)
        try writer.finish()
        return summary
    }
}

/// Turns sentences into vectors of their words.
public struct WordEmbedder: Sendable {
    /// The network.
    package let encoder: any LayeredNetwork<Float>
    /// The network's tokenizer.
    package let tokenizer: Tokenizer
    /// The layers whose states are kept; 0 for the embeddings.
    package let layers: [Int]
    /// How the pieces of a word become one vector.
    package let merging: PieceMerging
    /// Tokens processed together by one thread.
    package let batchTokens: Int
    /// Number of worker threads; results do not depend on it.
    package let threads: Int

    /// Numbers in one word vector of one layer.
    public var hiddenSize: Int { encoder.hiddenSize }

    /// Word vectors from chosen layers of a model: 0 for the embeddings, to its `layerCount`.
    /// - Throws: `DataError` of kind `usage` if the model is a table of token vectors and has no layers.
    public init(
        _ model: SentenceEncoder, layers: [Int], merging: PieceMerging = .mean, batchTokens: Int = 1024,
        threads: Int = Parallel.availableThreads
    ) throws {
        self.init(
            encoder: try model.encoder, tokenizer: model.tokenizer, layers: layers, merging: merging, batchTokens: batchTokens,
            threads: threads)
    }

    /// Word vectors from chosen layers of a network.
    package init(
        encoder: any LayeredNetwork<Float>, tokenizer: Tokenizer, layers: [Int], merging: PieceMerging = .mean, batchTokens: Int = 1024,
        threads: Int = Parallel.availableThreads
    ) {
        (self.encoder, self.tokenizer, self.layers) = (encoder, tokenizer, layers)
        (self.merging, self.batchTokens, self.threads) = (merging, batchTokens, threads)
    }

    /// The word vectors of one sentence.
    public struct Sentence: Sendable {
        /// (layers, words, hiddenSize), row-major.
        public var vectors: [Float]
        /// Which pieces make up each word.
        package var alignment: WordAlignment
        /// Tokens that stand for text.
        package var pieces: Int
        /// Stretches in which the sentence was read; 1 unless it is longer than the network reads.
        package var windows: Int
    }

    /// A stretch of a sentence that fits into the encoder, and which of the sentence's tokens are read from it.
    private struct Window {
        var ids: [Int32]
        var typeIDs: [Int32]
        /// Places in the window and in the sentence's tokens.
        var rows: [(row: Int, token: Int)]
        var sentence: Int
    }

    private struct Prepared {
        var alignment: WordAlignment
        var tokens: Int
        var pieces: Int
        var windows: [Window]
    }

    /// - Parameter name: what errors call a sentence.
    /// - Throws: `DataError` if a text has no token at all or a vector is not finite.
    public func embed(_ texts: [TreebankText], name: @Sendable (Int) -> String) throws -> (sentences: [Sentence], tokens: Int) {
        let prepared = try texts.enumerated().map { try prepare($1, sentence: $0, name: name) }
        let size = encoder.hiddenSize
        // Token vectors of each sentence, (layers, tokens, hiddenSize), filled window by window.
        var buffers = prepared.map { [Float](repeating: 0, count: layers.count * $0.tokens * size) }
        let windows = prepared.flatMap(\.windows)
        let work = PackedBatch.grouped(lengths: windows.map(\.ids.count), budget: batchTokens).map { members in members.map { windows[$0] }
        }
        let places = Dictionary(uniqueKeysWithValues: Set(layers).map { layer in (layer, layers.indices.filter { layers[$0] == layer }) })
        let done = Mutex([(batch: Int, layer: Int, states: Tensor<Float>)]())
        // A few batches at a time: all layers of all batches together would not fit into memory.
        for group in Parallel.chunks(work.count, size: max(threads, 1) * 2) {
            Parallel.forEach(group.count, threads: threads) { number, _ in
                var batch = PackedBatch()
                for window in work[group.lowerBound + number] { batch.append(window.ids, typeIDs: window.typeIDs) }
                var kept: [(Int, Tensor<Float>)] = []
                _ = encoder(batch, eachLayer: { layer, states in if places[layer] != nil { kept.append((layer, states.value)) } }, on: nil)
                let found = kept.map { (batch: group.lowerBound + number, layer: $0.0, states: $0.1) }
                done.withLock { $0 += found }
            }
            let results = done.withLock { results in
                defer { results = [] }
                return results
            }
            for result in results {
                var row = 0
                result.states.withUnsafeElements { from in
                    for window in work[result.batch] {
                        let tokens = prepared[window.sentence].tokens
                        for place in places[result.layer] ?? [] {
                            for pair in window.rows {
                                let source = from + (row + pair.row) * size, target = (place * tokens + pair.token) * size
                                buffers[window.sentence].withUnsafeMutableBufferPointer {
                                    ($0.baseAddress! + target).update(from: source, count: size)
                                }
                            }
                        }
                        row += window.ids.count
                    }
                }
            }
        }
        let sentences = try prepared.enumerated().map { index, sentence in
            let vectors = merge(buffers[index], sentence)
            guard vectors.withUnsafeBufferPointer({ Float.allFinite($0.baseAddress!, count: $0.count) }) else {
                throw DataError(
                    .badData,
                    "sentence \(name(index)): a vector contains NaN or infinity; the model's weights are damaged or "
                        + "overflow in this precision")
            }
            return Sentence(vectors: vectors, alignment: sentence.alignment, pieces: sentence.pieces, windows: sentence.windows.count)
        }
        return (sentences, prepared.reduce(0) { $0 + $1.tokens })
    }

    /// Tokens, alignment and windows of one text.
    private func prepare(_ text: TreebankText, sentence: Int, name: (Int) -> String) throws -> Prepared {
        let encoding = try tokenizer.encode(text.text)
        let isSpecial = encoding.specialTokensMask.map { $0 == 1 }
        let pieces = isSpecial.count { !$0 }
        guard pieces > 0, !text.ranges.isEmpty else {
            throw DataError(.badData, "sentence \(name(sentence)): the tokenizer finds no tokens in \"\(text.text.prefix(40))\"")
        }
        let alignment = WordAlignment(text, encoding)
        let limit = encoder.longestSequence
        guard encoding.count > limit else {
            let window = Window(
                ids: encoding.ids, typeIDs: encoding.typeIDs, rows: (0..<encoding.count).map { ($0, $0) }, sentence: sentence)
            return Prepared(alignment: alignment, tokens: encoding.count, pieces: pieces, windows: [window])
        }
        // Each window: the special tokens at both ends and a stretch that overlaps the next by half. A token is read from the window in
        // which it lies furthest from an edge.
        let first = isSpecial.firstIndex(of: false) ?? 0, last = (isSpecial.lastIndex(of: false) ?? 0) + 1
        let head = 0..<first, tail = last..<encoding.count
        let room = limit - head.count - tail.count
        guard room >= 2 else { throw DataError(.usage, "the encoder's limit of \(limit) tokens leaves no room for words") }
        var windows: [Window] = []
        var start = first
        while true {
            let end = min(start + room, last), begin = max(first, end - room)
            let isFirst = begin == first, isLast = end == last
            let quarter = room / 4
            let kept = (isFirst ? begin : begin + quarter)..<(isLast ? end : end - quarter)
            var rows = kept.map { (row: head.count + $0 - begin, token: $0) }
            if isFirst { rows += head.map { ($0, $0) } }
            let chosen = Array(head) + Array(begin..<end) + Array(tail)
            windows.append(
                Window(ids: chosen.map { encoding.ids[$0] }, typeIDs: chosen.map { encoding.typeIDs[$0] }, rows: rows, sentence: sentence))
            if isLast { break }
            start = kept.upperBound - quarter
        }
        return Prepared(alignment: alignment, tokens: encoding.count, pieces: pieces, windows: windows)
    }

    private func merge(_ tokenVectors: [Float], _ sentence: Prepared) -> [Float] {
        let size = encoder.hiddenSize, words = sentence.alignment.tokens
        var vectors = [Float](repeating: 0, count: layers.count * words.count * size)
        vectors.withUnsafeMutableBufferPointer { to in
            tokenVectors.withUnsafeBufferPointer { from in
                guard let to = to.baseAddress, let from = from.baseAddress else { return }
                for layer in layers.indices {
                    for (word, range) in words.enumerated() {
                        let target = to + (layer * words.count + word) * size
                        let tokens =
                            switch merging {
                            case .mean: range
                            case .first: range.lowerBound..<range.lowerBound + 1
                            case .last: range.upperBound - 1..<range.upperBound
                            }
                        for token in tokens { Float.add(from + (layer * sentence.tokens + token) * size, count: size, to: target) }
                        Float.scale(target, by: 1 / Float(tokens.count), count: size)
                    }
                }
            }
        }
        return vectors
    }
}
