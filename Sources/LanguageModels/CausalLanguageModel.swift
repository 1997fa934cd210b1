import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import Tensors
import Tokenizers

/// A causal model with its tokenizer, from a folder in Hugging Face's layout: GPT-2, GPT-NeoX, Llama, Mistral, Qwen, Gemma.
public final class CausalLanguageModel: LanguageModel {
    package let directory: ModelDirectory
    package let network: CausalNetwork<Float>
    /// The model's tokenizer.
    public let tokenizer: Tokenizer
    package let precision: Precision
    /// The token put before a text; nil if there is none.
    public let beginID: Int32?
    /// Tokens that end a text.
    public let endIDs: [Int32]
    /// Special tokens that the tokenizer itself puts before a text.
    package let leadingIDs: [Int32]

    /// - Throws: `DataError` that names the file, key or tensor that does not fit; for a folder without a language-model head, what it can
    ///   do instead.
    public init(directory: ModelDirectory, precision: Precision = .f32, dictionary: String? = nil) throws {
        self.directory = directory
        let folder = directory.transformerFolder, file = folder.appendingPathComponent("config.json").path
        let configuration = try DecoderConfiguration(json: directory.configuration, file: file)
        guard configuration.isCausal else {
            throw DataError(.badData, "this network is bidirectional and cannot predict the next token; use it with `embed`", file: file)
        }
        self.precision = precision
        tokenizer = try Tokenizer(directory: folder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        try tokenizer.check(vocabularySize: configuration.vocabularySize, of: directory.folder.path)
        network = CausalNetwork(configuration, precision: precision)
        let weights = try ModelDirectory.weights(in: folder)
        if let key = network.headEntries.first?.key, weights.shape(of: key) == nil {
            throw DataError(
                .badData,
                "the checkpoint has no language-model head ('\(key)'); use this model with "
                    + "`embed`", file: weights.fileName)
        }
        try network.load(from: weights)

        let generation = try ModelDirectory.optionalJSON(folder.appendingPathComponent("generation_config.json"))
        let ends = generation?["eos_token_id"].map { ($0.array ?? [$0]).compactMap { $0.int.flatMap { Int32(exactly: $0) } } } ?? []
        endIDs = (ends.isEmpty ? configuration.endIDs : ends).filter { $0 >= 0 && Int($0) < configuration.vocabularySize }
        let settings = try ModelDirectory.optionalJSON(folder.appendingPathComponent("tokenizer_config.json"))
        let probe = try tokenizer.encode("a")
        leadingIDs = Array(probe.ids.prefix(probe.specialTokensMask.prefix { $0 == 1 }.count))
        let named = settings?["bos_token"].flatMap { $0.string ?? $0["content"]?.string }.flatMap { [tokenizer] in tokenizer.id(for: $0) }
        beginID = leadingIDs.first ?? named ?? configuration.beginID
    }

    /// The model's name, as outputs give it.
    public var name: String { directory.name }
    /// Causal or masked.
    public var kind: LanguageModelKind { .causal }
    /// Columns of the logits.
    public var vocabularySize: Int { network.configuration.vocabularySize }
    /// The longest sequence in tokens, special ones included.
    public var contextLength: Int { network.configuration.positions }
    /// Nil: a causal model has no mask.
    public var maskID: Int32? { nil }
    /// As `f32`, `bf16`.
    public var precisionName: String { precision.rawValue }
    /// A hash of everything that decides the numbers, the settings of a run aside.
    public func identity() throws -> String { try directory.sha256() }

    /// Numbers that training has set, shared ones counted once.
    package var parameterCount: Int { network.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// Scores before any softmax at rows of the packed batch, `(rows.count, vocabularySize)`.
    public func logits(of batch: PackedBatch, at rows: [Int]) -> Tensor<Float> {
        network.logits(gatherRows(network.decoder(batch, on: nil), rows, on: nil), on: nil).value
    }

    /// How expected `targets[i]` is after the token at `rows[i]`, one score per row.
    public func scores(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore] {
        let states = gatherRows(network.decoder(batch, on: nil), rows, on: nil).value
        return tokenScores(states, targets: targets) { network.logits($0, on: nil) }
    }

    /// Token ids of a text that is to be continued: behind what the tokenizer itself puts before a text, without an end mark. An empty text
    /// is the begin mark.
    ///
    /// - Throws: `DataError` for a text that is empty if the model has no begin mark, and for one that fills its positions.
    public func prompt(_ text: String, file: String? = nil, line: Int? = nil) throws -> [Int32] {
        let plain = try tokenizer.encode(text, addSpecialTokens: false).ids
        var ids = leadingIDs + plain
        if ids.isEmpty, let beginID { ids = [beginID] }
        guard !ids.isEmpty else { throw DataError(.badData, "the text is empty, and the model has no begin token", file: file, line: line) }
        guard ids.count < contextLength else {
            throw DataError(.badData, "the text has \(ids.count) tokens, and the model reads \(contextLength)", file: file, line: line)
        }
        if let id = ids.first(where: { Int($0) >= vocabularySize }) {
            throw DataError(
                .badData,
                "the text contains '\(tokenizer.token(for: id) ?? "")', for which the network has no "
                    + "vector", file: file, line: line)
        }
        return ids
    }

    /// The text that a continuation adds to its prompt: the tokens behind it may begin with a space that they would lose alone.
    public func continuation(_ ids: [Int32], of prompt: [Int32]) -> String {
        let before = tokenizer.decode(prompt), whole = tokenizer.decode(prompt + ids)
        return whole.utf8.starts(with: before.utf8)
            ? String(decoding: whole.utf8.dropFirst(before.utf8.count), as: UTF8.self) : tokenizer.decode(ids)
    }

    /// Continues texts, in batches on several threads, in the texts' order.
    ///
    /// - Parameters:
    ///   - prompts: as `prompt` makes them.
    ///   - firstSource: the first one's number in the whole input, which samples depend on.
    /// - Throws: `DataError` if a probability came out as NaN; `DecodingOptionError`.
    public func generate(
        _ prompts: [[Int32]], options: DecodingOptions, batchSize: Int = 64, threads: Int = Parallel.availableThreads, firstSource: Int = 0
    ) throws -> [[GeneratedSequence]] {
        let batches = Parallel.chunks(prompts.count, size: max(1, min(batchSize, (prompts.count + threads - 1) / max(1, threads))))
        let ends = Set(endIDs)
        let results = try Parallel.map(batches.count, threads: threads) { index, _ in
            try network.generate(
                Array(prompts[batches[index]]), options: options, ends: ends, firstSource: firstSource + batches[index].lowerBound)
        }.flatMap { $0 }
        guard results.allSatisfy({ $0.allSatisfy { !$0.logProbability.isNaN } }) else {
            throw DataError(
                .badData,
                "a probability is NaN; the model's weights are damaged or overflow in this "
                    + "precision", file: directory.name)
        }
        return results
    }
}
