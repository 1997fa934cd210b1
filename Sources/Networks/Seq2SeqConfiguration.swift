import Autograd
import FileFormats
import Tensors

/// The shape of a network that turns one sequence of tokens into another, as `config.json` of its model directory states it.
package struct Seq2SeqConfiguration: Sendable, Equatable {
    /// The kind of network and its sizes.
    package enum Architecture: Sendable, Equatable {
        case transformer(Transformer)
        case recurrent(Recurrent)
    }

    /// Encoder and decoder of self-attention (Vaswani et al. 2017).
    package struct Transformer: Sendable, Equatable {
        /// Fixed sinusoids (Vaswani et al. 2017) or a learned table.
        package enum Positions: String, Sendable, CaseIterable { case sinusoidal, learned }

        /// Components of a hidden state.
        package var hiddenSize = 64
        /// Layers that read the source.
        package var encoderLayers = 1
        /// Layers that write the target.
        package var decoderLayers = 1
        /// Attention heads of a layer.
        package var attentionHeads = 4
        /// Width of the feed-forward layers.
        package var intermediateSize = 128
        /// The activation function.
        package var activation = Activation.relu
        /// Where layer norms stand.
        package var normPlacement = EncoderConfiguration.NormPlacement.post
        /// One more layer norm after the last layer of each side; pre-norm networks need it, `torch.nn.Transformer` has it always.
        package var finalNorm = false
        /// Sinusoids or a learned table.
        package var positions = Positions.sinusoidal
        /// Embeddings times √hiddenSize before positions are added.
        package var scaledEmbeddings = true

        /// One layer per side, 64 components, 4 heads.
        package init() {}
    }

    /// Encoder and decoder of recurrent cells.
    package struct Recurrent: Sendable, Equatable {
        /// How the decoder looks back at the source.
        package enum Attention: String, Sendable, CaseIterable {
            /// Not at all: the encoder's last state is all that it gets (Sutskever et al. 2014).
            case none
            /// From its state before the step, v · tanh(W s + U h), the context entering the cell (Bahdanau et al. 2014).
            case additive
            /// From its state after the step (Luong et al. 2015): s · h, s · W h, v · tanh(W [s; h]).
            case dot, general, concat
        }

        /// The cell of every layer.
        package var cell = RecurrentCell.lstm
        /// Components of a hidden state.
        package var hiddenSize = 64
        /// Components of a token's embedding.
        package var embeddingSize = 64
        /// Layers per side.
        package var layers = 1
        /// Whether the encoder reads the source in both directions.
        package var bidirectional = false
        /// How the decoder looks back at the source.
        package var attention = Attention.none
        /// The attentional output of one step enters the next (Luong et al. 2015, section 3.3).
        package var inputFeeding = false

        /// One LSTM layer per side, 64 components, no attention.
        package init() {}
    }

    /// The kind of network and its sizes.
    package var architecture: Architecture
    /// Number of token ids.
    package var vocabularySize: Int
    /// Most tokens of a source or target, begin and end marks counted.
    package var maximumLength = 512
    /// The token that begins a sequence.
    package var beginID: Int32 = 1
    /// The token that ends a sequence.
    package var endID: Int32 = 2
    /// Source and target use one embedding table.
    package var sharedEmbeddings = true
    /// The output layer's weights are the target's embedding table.
    package var tiedOutput = false
    /// Dropout rate in training, in [0, 1).
    package var dropout = 0.0

    /// A network over a vocabulary of `vocabularySize` ids, which source and target share.
    package init(_ architecture: Architecture, vocabularySize: Int) {
        self.architecture = architecture
        self.vocabularySize = vocabularySize
    }

    /// Size of the vectors that the output layer reads.
    package var readoutSize: Int {
        switch architecture {
        case .transformer(let shape): shape.hiddenSize
        case .recurrent(let shape): shape.hiddenSize
        }
    }
    /// Components of a token's embedding.
    package var embeddingSize: Int {
        switch architecture {
        case .transformer(let shape): shape.hiddenSize
        case .recurrent(let shape): shape.embeddingSize
        }
    }

    /// - Throws: `DataError` that names the numbers that do not match.
    package func validate(file: String? = nil) throws {
        func fail(_ message: String) -> DataError { DataError(.badData, message, file: file) }
        if case .transformer(let shape) = architecture {
            guard shape.hiddenSize % shape.attentionHeads == 0 else {
                throw fail("hidden_size \(shape.hiddenSize) is not divisible by attention_heads \(shape.attentionHeads)")
            }
        }
        if case .recurrent(let shape) = architecture {
            guard !(shape.inputFeeding && shape.attention == .none) else {
                throw fail("input_feeding needs an attention")
            }
            guard shape.attention != .dot || !shape.bidirectional else {
                throw fail(
                    "attention 'dot' needs encoder and decoder states of the same size; with a bidirectional encoder use "
                        + "'general', 'concat' or 'additive'")
            }
        }
        guard !tiedOutput || embeddingSize == readoutSize else {
            throw fail("tied_output needs embedding_size \(embeddingSize) to equal hidden_size \(readoutSize)")
        }
        for (name, id) in [("bos_token_id", beginID), ("eos_token_id", endID)] where id < 0 || Int(id) >= vocabularySize {
            throw fail("\(name) \(id) is outside the vocabulary of \(vocabularySize)")
        }
    }

    // MARK: config.json

    /// `model_type` of such a directory.
    package static let modelType = "kotonoha-seq2seq"

    /// As `config.json` states it.
    package var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("model_type", .string(Self.modelType)), ("vocab_size", .integer(vocabularySize)), ("max_length", .integer(maximumLength)),
            ("bos_token_id", .integer(Int(beginID))), ("eos_token_id", .integer(Int(endID))),
            ("shared_embeddings", .bool(sharedEmbeddings)),
            ("tied_output", .bool(tiedOutput)), ("dropout", .number(dropout)),
        ]
        switch architecture {
        case .transformer(let shape):
            members += [
                ("architecture", .string("transformer")), ("hidden_size", .integer(shape.hiddenSize)),
                ("encoder_layers", .integer(shape.encoderLayers)), ("decoder_layers", .integer(shape.decoderLayers)),
                ("attention_heads", .integer(shape.attentionHeads)), ("intermediate_size", .integer(shape.intermediateSize)),
                ("activation", .string(shape.activation.rawValue)), ("norm_placement", .string(shape.normPlacement.rawValue)),
                ("final_norm", .bool(shape.finalNorm)), ("positions", .string(shape.positions.rawValue)),
                ("scaled_embeddings", .bool(shape.scaledEmbeddings)),
            ]
        case .recurrent(let shape):
            members += [
                ("architecture", .string("recurrent")), ("cell", .string(shape.cell.rawValue)), ("hidden_size", .integer(shape.hiddenSize)),
                ("embedding_size", .integer(shape.embeddingSize)), ("layers", .integer(shape.layers)),
                ("bidirectional", .bool(shape.bidirectional)), ("attention", .string(shape.attention.rawValue)),
                ("input_feeding", .bool(shape.inputFeeding)),
            ]
        }
        return .object(members)
    }

    /// - Parameter file: how errors name the file.
    /// - Throws: `DataError` that names the key, what was expected and what was found.
    package init(json: JSON, file: String) throws {
        func fail(_ message: String) -> DataError { DataError(.badData, message, file: file) }
        guard json["model_type"]?.string == Self.modelType else {
            let found = json["model_type"]?.string.map { "a '\($0)'" } ?? "no model_type"
            throw fail("expected a model with a decoder (model_type '\(Self.modelType)'), found \(found); `train seq2seq` makes one")
        }
        func integer(_ key: String, default fallback: Int? = nil, in bounds: Bounds<Int>) throws -> Int {
            guard let value = json[key], !value.isNull else {
                if let fallback { return fallback }
                throw fail("'\(key)' is missing")
            }
            guard let number = bounds.read(value) else { throw fail("'\(key)' should be \(bounds.expectation), not \(value.serialized())") }
            return number
        }
        func flag(_ key: String, default fallback: Bool) throws -> Bool {
            guard let value = json[key], !value.isNull else { return fallback }
            guard let flag = value.bool else { throw fail("'\(key)' should be true or false") }
            return flag
        }
        func choice<Choice: RawRepresentable<String>>(_ key: String, default fallback: Choice, of all: [Choice]) throws -> Choice {
            guard let value = json[key], !value.isNull else { return fallback }
            guard let name = value.string, let choice = Choice(rawValue: name) else {
                throw fail("'\(key)' should be one of \(all.map(\.rawValue).joined(separator: ", "))")
            }
            return choice
        }
        let vocabulary = try integer("vocab_size", in: .vocabulary)
        switch json["architecture"]?.string {
        case "transformer":
            var shape = Transformer()
            shape.hiddenSize = try integer("hidden_size", in: .dimension)
            shape.encoderLayers = try integer("encoder_layers", in: .layers)
            shape.decoderLayers = try integer("decoder_layers", in: .layers)
            shape.attentionHeads = try integer("attention_heads", in: .heads)
            shape.intermediateSize = try integer("intermediate_size", in: .intermediate)
            shape.activation = try choice("activation", default: shape.activation, of: Activation.allCases)
            shape.normPlacement = try choice("norm_placement", default: shape.normPlacement, of: [.post, .pre])
            shape.finalNorm = try flag("final_norm", default: shape.normPlacement == .pre)
            shape.positions = try choice("positions", default: shape.positions, of: Transformer.Positions.allCases)
            shape.scaledEmbeddings = try flag("scaled_embeddings", default: true)
            self.init(.transformer(shape), vocabularySize: vocabulary)
        case "recurrent":
            var shape = Recurrent()
            shape.cell = try choice("cell", default: shape.cell, of: RecurrentCell.allCases)
            shape.hiddenSize = try integer("hidden_size", in: .dimension)
            shape.embeddingSize = try integer("embedding_size", default: shape.hiddenSize, in: .dimension)
            shape.layers = try integer("layers", default: 1, in: .layers)
            shape.bidirectional = try flag("bidirectional", default: false)
            shape.attention = try choice("attention", default: .none, of: Recurrent.Attention.allCases)
            shape.inputFeeding = try flag("input_feeding", default: false)
            self.init(.recurrent(shape), vocabularySize: vocabulary)
        default:
            throw fail("'architecture' should be 'transformer' or 'recurrent'")
        }
        maximumLength = try integer("max_length", default: maximumLength, in: Bounds(2...1_048_576))
        beginID = Int32(try integer("bos_token_id", default: 1, in: Bounds(0...10_000_000)))
        endID = Int32(try integer("eos_token_id", default: 2, in: Bounds(0...10_000_000)))
        sharedEmbeddings = try flag("shared_embeddings", default: true)
        tiedOutput = try flag("tied_output", default: false)
        if let rate = json["dropout"], !rate.isNull {
            guard let value = rate.double, value >= 0, value < 1 else { throw fail("'dropout' should be a number in [0, 1)") }
            dropout = value
        }
        try validate(file: file)
    }
}
