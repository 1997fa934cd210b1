import Autograd
import FileFormats
import Foundation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

/// How a classifier is fine-tuned. Formulas are those of transformers' `run_glue.py` where it has them.
package struct FineTuning: Sendable, Equatable {
    /// What stands still.
    package enum Freeze: Sendable, Equatable {
        case none, embeddings
        /// Embeddings and this many layers, from below.
        case layers(Int)
        /// The whole encoder: vectors are computed once.
        case all

        /// `none`, `embeddings`, a number, `all`.
        package init?(_ text: String) {
            switch text {
            case "none": self = .none
            case "embeddings": self = .embeddings
            case "all": self = .all
            default:
                guard let count = Int(text), count >= 1 else { return nil }
                self = .layers(count)
            }
        }
    }

    /// What learns on the encoder.
    package enum Head: String, Sendable, CaseIterable {
        /// The family's own in transformers: a dense layer of the hidden size, its activation (tanh in most families), dropout, output. BERT's
        /// dense layer is its pooler and begins with the pretrained weights where the model has some.
        case mlp
        /// Dropout and the output layer, on the last layer pooled as the model's sentence vectors are.
        case linear
    }

    package var freeze = Freeze.none
    package var head = Head.mlp
    package var epochs = 3
    package var batchSize = 32
    package var learningRate = 2e-5
    /// Each layer's learning rate is that of the layer above times this; the embeddings count as the lowest layer (Howard & Ruder 2018).
    package var layerDecay = 1.0
    package var weightDecay = 0.01
    /// Share of the steps in which the learning rate rises; it then falls to 0 in a line.
    package var warmup = 0.06
    package var clipping = 1.0
    /// All classes count alike, however many rows each has.
    package var isBalanced = false
    /// λ of −learning rate · λ · (w − pretrained w) in every step: "error + λ · constraint" (L2-SP, Li et al. 2018), decoupled as AdamW's
    /// decay is.
    package var pull = 0.0
    /// Keeps the weights of the epoch with the best figure on a part of the training rows that is held out for this.
    package var stopsEarly = false
    /// Finds a temperature for the logits on that part.
    package var calibrates = false
    /// Share of the training rows that is held out for early stopping and calibration.
    package var heldOutShare = 0.1
    package var seed: UInt64 = 0
    package var precision = Precision.f32
    package var maxLength: Int?
    /// nil for the model's own.
    package var dropout: Double?
    var shardTokens = 1024
    /// Batches of classifiers are small: 32 short sentences are one shard by their tokens alone, which would leave all threads but one
    /// with the shares of products.
    static let shards = 4
    var lanes = 8

    package init() {}

    /// Everything that decides a result, for checkpoints.
    var description: String {
        "\(freeze) \(head) \(epochs) \(batchSize) \(learningRate) \(layerDecay) \(weightDecay) \(warmup) \(clipping) \(isBalanced) \(pull) \(stopsEarly) \(calibrates) \(heldOutShare) \(seed) "
            + "\(precision) \(maxLength ?? 0) \(dropout ?? -1) \(shardTokens) \(Self.shards) \(lanes)"
    }
}

/// A pretrained encoder's folder, from which classifiers begin.
package struct PretrainedBase: Sendable {
    package let directory: ModelDirectory
    package let tokenizer: Tokenizer
    package let maxLength: Int
    let configuration: EncoderConfiguration

    /// A peak learning rate that suits the model's size: 2e-5 as for BERT-base (Devlin et al. 2019), 1e-4 for compact models, which that hardly moves in a
    /// few hundred steps; from the grid of Turc et al. 2019 for those.
    package var usualLearningRate: Double { configuration.hiddenSize < 512 ? 1e-4 : 2e-5 }

    /// - Parameter model: a folder, or a name to look for; nil for the default model.
    /// - Throws: `DataError` if it is not a Transformer encoder of a family with a classification head.
    package init(model: String?, maxLength: Int? = nil, dictionary: String? = nil) throws {
        directory = try ModelDirectory(folder: model.map(ModelLocation.folder) ?? ModelLocation.defaultFolder())
        guard !directory.isStatic else {
            throw DataError(
                .usage,
                "this model is a table of token vectors and has no layers to fine-tune; \(Setting.freeze) all fits a classifier on its vectors",
                file: directory.name)
        }
        let file = directory.transformerFolder.appendingPathComponent("config.json").path
        configuration = try EncoderConfiguration(json: directory.configuration, file: file)
        tokenizer = try Tokenizer(directory: directory.transformerFolder, dictionary: dictionary.map { URL(fileURLWithPath: $0) })
        guard tokenizer.idBound <= configuration.vocabularySize else {
            throw DataError(
                .badData,
                "the tokenizer gives ids up to \(tokenizer.idBound - 1), but the model's vocabulary has \(configuration.vocabularySize) entries",
                file: file)
        }
        let limit = configuration.longestSequence
        self.maxLength = min(limit, maxLength ?? directory.maxLength ?? limit)
    }

    /// `config.json` of a classifier of this family.
    ///
    /// - Parameter remarks: what Kotonoha wants to know again, under its own key.
    func configuration(task: ClassificationTask, labels: [String], architecture: Bool, remarks: [(key: String, value: JSON)] = []) -> JSON {
        var members = directory.configuration.object ?? []
        members.removeAll {
            ["architectures", "id2label", "label2id", "num_labels", "problem_type", "dtype", "torch_dtype", "_name_or_path", "kotonoha"]
                .contains($0.key)
        }
        if architecture {
            members.append(("architectures", .array([.string(Self.architecture(directory.configuration["model_type"]?.string ?? "bert"))])))
            if directory.configuration["model_type"] == nil { members.append(("model_type", .string("bert"))) }
        } else if let own = directory.configuration["architectures"],
            own.array?.first?.string?.hasSuffix("ForSequenceClassification") != true
        {
            // The head of a classifier to begin with is not in this folder.
            members.append(("architectures", own))
        }
        members += [
            ("id2label", .object(labels.enumerated().map { (String($0), .string($1)) })),
            ("label2id", .object(labels.enumerated().map { ($1, .integer($0)) })),
            ("problem_type", .string(task.problemType)), ("torch_dtype", .string("float32")),
        ]
        if !remarks.isEmpty { members.append(("kotonoha", .object(remarks))) }
        return .object(members)
    }

    /// transformers' class of sequence classifiers.
    private static func architecture(_ modelType: String) -> String {
        let names = [
            "bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "camembert": "Camembert", "distilbert": "DistilBert",
            "mpnet": "MPNet", "albert": "Albert",
            "electra": "Electra", "deberta-v2": "DebertaV2", "modernbert": "ModernBert", "luke": "Luke",
        ]
        return (names[modelType] ?? "Bert") + "ForSequenceClassification"
    }

    /// How the model's tokens become a sentence vector.
    ///
    /// - Parameter what: asks for it, for the error.
    /// - Throws: `DataError` for a model whose vectors are not a pooled last layer.
    func pooling(for what: String) throws -> PoolingMode {
        let steps = directory.steps.filter { $0 != .normalize }
        guard steps.count == 1, case .pooling(let modes, _) = steps[0], modes.count == 1 else {
            throw DataError(
                .usage, "\(what) needs a model whose vectors are its pooled last layer; this one has further layers", file: directory.name)
        }
        return modes[0]
    }

    /// A network with the pretrained encoder, or another network's, and a new head.
    func network(
        task: ClassificationTask, labels: [String], head: FineTuning.Head = .mlp, dropout: Double?, seed: UInt64,
        sharing shared: Encoder<Float>? = nil
    ) throws -> SequenceClassifier<Float> {
        guard !configuration.isCausal || head == .linear else {
            throw DataError(
                .usage,
                "\(Setting.head) mlp reads the first token, which sees nothing else in this causal encoder; use \(Setting.head) linear",
                file: directory.name)
        }
        let json = configuration(task: task, labels: labels, architecture: true)
        let network = try SequenceClassifier<Float>(
            json: json, file: directory.transformerFolder.appendingPathComponent("config.json").path, dropout: dropout,
            linearPooling: head == .linear ? pooling(for: "a linear head") : nil, sharing: shared)
        network.initializeHead(seed: seed)
        try network.loadBase(from: ModelDirectory.weights(in: directory.transformerFolder), headOnly: shared != nil)
        return network
    }

    /// Token ids of all rows, and how many were cut.
    package func encode(_ data: LabelledTexts, threads: Int) throws -> (encodings: [Encoding], truncated: Int) {
        guard maxLength > tokenizer.addedTokenCount(isPair: data.seconds != nil) + 1 else {
            throw DataError(.usage, "a maximum length of \(maxLength) leaves no room for text in addition to special tokens")
        }
        return try EncodedSequences.encode(data.texts, data.seconds, tokenizer, maxLength: maxLength, threads: threads)
    }
}
