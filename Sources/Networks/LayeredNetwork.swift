import Autograd
import FileFormats
import Tensors

/// A stack of layers that makes one state of every token: an encoder, or a decoder read as one.
public protocol LayeredNetwork<Scalar>: Module {
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

    /// States of the last layer, `(tokens, hiddenSize)`; `eachLayer` gets 0 and the embeddings, then each layer's number and states.
    func callAsFunction(_ batch: PackedBatch, eachLayer: ((Int, Variable<Scalar>) -> Void)?, on tape: Tape<Scalar>?) -> Variable<Scalar>

    /// A network of the same shape with random weights.
    func untrained(seed: UInt64) -> any LayeredNetwork<Scalar>

    /// Every parameter with its checkpoint keys.
    var checkpointEntries: [CheckpointEntry<Scalar>] { get }
    /// What may be before every key.
    var checkpointPrefixes: [String] { get }
}

extension LayeredNetwork {
    public func callAsFunction(_ batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> { self(batch, eachLayer: nil, on: tape) }
}

extension Encoder: LayeredNetwork {
    public var hiddenSize: Int { configuration.hiddenSize }
    public var layerCount: Int { configuration.layers }
    public var attentionHeads: Int { configuration.attentionHeads }
    public var longestSequence: Int { configuration.longestSequence }
    public var vocabularySize: Int { configuration.vocabularySize }
    public var isCausal: Bool { false }

    public func untrained(seed: UInt64) -> any LayeredNetwork<Scalar> {
        let encoder: Encoder = untrained(seed: seed)
        return encoder
    }
}

/// The network that a `config.json` describes, of zeros.
///
/// - Parameter file: how errors name it.
/// - Throws: `DataError` that names the key that does not fit; for an unknown architecture, those that are known.
public func makeLayeredNetwork(json: JSON, file: String, precision: Precision = .f32) throws -> any LayeredNetwork<Float> {
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
