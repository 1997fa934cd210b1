import Autograd
import FileFormats
import Tensors

/// A stack of layers that makes one state of every token: an encoder, or a decoder read as one.
package protocol LayeredNetwork<Scalar>: Module {
    /// Of a token's state.
    var hiddenSize: Int { get }
    /// Layers above the embeddings.
    var layerCount: Int { get }
    var attentionHeads: Int { get }
    /// Most tokens of a sequence.
    var longestSequence: Int { get }
    var vocabularySize: Int { get }
    /// Whether a token's state depends on the tokens before it alone.
    var isCausal: Bool { get }

    /// Whether tokens of a first and of a second text get segment embeddings of their own.
    var hasSegments: Bool { get }

    /// What the first layer gets, `(tokens, hiddenSize)`.
    func embeddings(of batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar>

    /// States of the last layer, `(tokens, hiddenSize)`, from embeddings, which need not be those of tokens.
    ///
    /// - Parameters:
    ///   - embeddings: `(tokens, hiddenSize)`, as `embeddings(of:on:)` gives them.
    ///   - offsets: of the sequences, as in `PackedBatch`.
    func callAsFunction(
        _ embeddings: Variable<Scalar>, offsets: [Int64], eachLayer: ((Int, Variable<Scalar>) -> Void)?, on tape: Tape<Scalar>?
    ) -> Variable<Scalar>

    /// How much each token of one sequence looks at each other one, for every layer `(heads, tokens, tokens)`; rows sum to 1.
    ///
    /// - Precondition: the batch holds one sequence.
    func attentionWeights(of batch: PackedBatch) -> [Tensor<Scalar>]

    /// A network of the same shape with random weights.
    func untrained(seed: UInt64) -> any LayeredNetwork<Scalar>

    /// Every parameter with its checkpoint keys.
    var checkpointEntries: [CheckpointEntry<Scalar>] { get }
    /// What may be before every key.
    var checkpointPrefixes: [String] { get }
}

extension LayeredNetwork {
    /// States of the last layer, `(tokens, hiddenSize)`.
    ///
    /// - Parameter eachLayer: called with 0 and the embeddings, then with 1 … layers and each layer's states, the last ones after a final norm.
    /// - Precondition: ids lie in the vocabulary, and no sequence is longer than `longestSequence`.
    package func callAsFunction(
        _ batch: PackedBatch, eachLayer: ((Int, Variable<Scalar>) -> Void)? = nil, on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        self(embeddings(of: batch, on: tape), offsets: batch.offsets, eachLayer: eachLayer, on: tape)
    }
}

extension Encoder: LayeredNetwork {
    /// Components of a hidden state.
    package var hiddenSize: Int { configuration.hiddenSize }
    /// Layers above the embeddings.
    package var layerCount: Int { configuration.layers }
    /// Attention heads of a layer.
    package var attentionHeads: Int { configuration.attentionHeads }
    /// Most tokens of a sequence.
    package var longestSequence: Int { configuration.longestSequence }
    /// Number of token ids.
    package var vocabularySize: Int { configuration.vocabularySize }
    /// Whether a token's state depends on the tokens before it alone.
    package var isCausal: Bool { false }
    /// Whether tokens of a first and of a second text get segment embeddings of their own.
    package var hasSegments: Bool { configuration.segments > 1 }

    /// A network of the same shape with random weights.
    package func untrained(seed: UInt64) -> any LayeredNetwork<Scalar> {
        let encoder: Encoder = untrained(seed: seed)
        return encoder
    }
}

/// The network that a `config.json` describes, of zeros.
///
/// - Parameter file: how errors name it.
/// - Throws: `DataError` that names the key that does not fit; for an unknown architecture, those that are known.
package func makeLayeredNetwork(json: JSON, file: String, precision: Precision = .f32) throws -> any LayeredNetwork<Float> {
    if DecoderConfiguration.describes(json) {
        return Decoder<Float>(try DecoderConfiguration(json: json, file: file), precision: precision)
    }
    if let type = json["model_type"]?.string, !supportedModelTypes.contains(type) {
        throw DataError(
            .badData,
            "model_type '\(type)' is not supported; expected one of \((supportedModelTypes + supportedDecoderTypes).joined(separator: ", "))",
            file: file)
    }
    return Encoder<Float>(try EncoderConfiguration(json: json, file: file), precision: precision)
}
