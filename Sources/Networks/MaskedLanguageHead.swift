import Autograd
import FileFormats
import Tensors

/// Where a family's checkpoints keep the head that guesses masked words, and what it is made of. The keys are full ones.
struct MaskedHead: Sendable {
    /// A linear layer before the guess.
    var dense: String
    /// The layer norm after it.
    var norm: String
    /// The output layer; its weight is the word table where the configuration ties them.
    var output: String
    /// The output layer's bias under a name of its own, which older checkpoints use.
    var bias: String?
    /// The output layer keeps weights of its own wherever the checkpoint has some, whatever the configuration says (LUKE).
    var prefersOwnOutput = false
    /// The same parts under a second naming.
    var olderNames: (dense: String, norm: String, bias: String)?
    var activation: Activation
    var epsilon: Double
    var denseBias = true
    var normBias = true
    var outputBias = true

    /// BERT's: `cls.predictions`.
    static func bert(_ reader: ConfigurationReader, epsilon: Double = 1e-12) throws -> MaskedHead {
        bert(
            activation: try reader.activation("hidden_act", default: .gelu),
            epsilon: try reader.number("layer_norm_eps", default: epsilon, in: 0..<1))
    }

    static func bert(activation: Activation, epsilon: Double) -> MaskedHead {
        MaskedHead(
            dense: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm", output: "cls.predictions.decoder",
            bias: "cls.predictions.bias", activation: activation, epsilon: epsilon)
    }

    /// RoBERTa's: `lm_head`, with GELU whatever the configuration's activation.
    static func roberta(_ reader: ConfigurationReader) throws -> MaskedHead {
        MaskedHead(
            dense: "lm_head.dense", norm: "lm_head.layer_norm", output: "lm_head.decoder", bias: "lm_head.bias", activation: .gelu,
            epsilon: try reader.number("layer_norm_eps", default: 1e-12, in: 0..<1))
    }
}

/// What is on an encoder that guesses masked words (Devlin et al. 2019): a linear layer with an activation, a layer norm, and an output
/// layer over the vocabulary whose weights are mostly the word table.
package final class MaskedLanguageHead<Scalar: TensorScalar>: Module {
    /// The linear layer before the norm.
    package let dense: Linear<Scalar>
    /// The layer norm.
    package let norm: LayerNorm<Scalar>
    /// `(vocabulary, embeddingSize)`.
    package let output: Linear<Scalar>
    /// The activation function.
    package let activation: Activation
    private let isTied: Bool
    private let keys: MaskedHead

    private init(
        dense: Linear<Scalar>, norm: LayerNorm<Scalar>, output: Linear<Scalar>, activation: Activation, isTied: Bool, keys: MaskedHead
    ) {
        (self.dense, self.norm, self.output, self.activation, self.isTied, self.keys) = (dense, norm, output, activation, isTied, keys)
    }

    /// A head to train, tied to the encoder's word table; in checkpoints it has BERT's names.
    package convenience init(_ configuration: EncoderConfiguration, words: Parameter<Scalar>) {
        self.init(
            dense: Linear(inputs: configuration.hiddenSize, outputs: configuration.embeddingSize),
            norm: LayerNorm(size: configuration.embeddingSize, epsilon: configuration.layerNormEpsilon),
            output: Linear(sharing: words, bias: Parameter(Tensor(shape: [configuration.vocabularySize]))),
            activation: configuration.activation, isTied: true,
            keys: .bert(activation: configuration.activation, epsilon: configuration.layerNormEpsilon))
    }

    /// The head of a checkpoint, to be filled by `load`.
    ///
    /// - Parameters:
    ///   - json: `config.json`; file: how errors name it.
    ///   - names: the tensors of the checkpoint.
    ///   - precision: what the products compute in.
    /// - Throws: `DataError` for a family that has no such head.
    package convenience init(
        json: JSON, file: String, encoder: Encoder<Scalar>, names: some Sequence<String>, precision: Precision = .f32
    ) throws {
        let reader = try ConfigurationReader(json: json, file: file), family = try encoderFamily(reader)
        guard let head = try family.maskedHead(reader) else {
            throw reader.fail("a masked-language-model head on a model of type '\(family.modelTypes[0])' is not supported")
        }
        let configuration = encoder.configuration, size = configuration.embeddingSize
        let ownsOutput = head.prefersOwnOutput && names.contains(head.output + ".weight")
        let isTied = try reader.bool("tie_word_embeddings", default: true) && !ownsOutput
        let bias = head.outputBias ? Parameter<Scalar>(Tensor(shape: [configuration.vocabularySize])) : nil
        self.init(
            dense: Linear(inputs: configuration.hiddenSize, outputs: size, bias: head.denseBias, precision: precision),
            norm: LayerNorm(size: size, epsilon: head.epsilon, bias: head.normBias),
            output: isTied
                ? Linear(sharing: encoder.words, bias: bias, precision: precision)
                : Linear(sharing: Parameter(Tensor(shape: [configuration.vocabularySize, size])), bias: bias, precision: precision),
            activation: head.activation, isTied: isTied, keys: head)
    }

    /// Whether a checkpoint of this configuration has a head for masked words.
    ///
    /// - Parameter names: the tensors of the checkpoint.
    package static func isThere(json: JSON, file: String, names: some Sequence<String>) throws -> Bool {
        let reader = try ConfigurationReader(json: json, file: file), names = Set(names)
        guard let head = try encoderFamily(reader).maskedHead(reader) else { return false }
        // A sequence classifier of ModernBERT has the first layers too, so the last one decides.
        let last = [head.bias, head.output + ".bias", head.olderNames?.bias, head.outputBias ? nil : head.output + ".weight"].compactMap(
            \.self)
        let first = [head.dense, head.olderNames?.dense].compactMap(\.self)
        return first.contains { names.contains($0 + ".weight") } && (last.contains(where: names.contains) || !head.outputBias)
    }

    /// Weights that are the encoder's own are not among them.
    package var parameters: [Parameter<Scalar>] {
        dense.parameters + norm.parameters + (isTied ? [output.bias].compactMap(\.self) : output.parameters)
    }

    /// Hidden states as the output layer takes them, `(n, embeddingSize)`.
    ///
    /// - Parameter hidden: `(n, hiddenSize)`.
    package func transformed(_ hidden: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        norm(dense(hidden, activation: activation, on: tape), on: tape)
    }

    /// Scores before the softmax, `(n, vocabulary)`.
    package func callAsFunction(_ hidden: Variable<Scalar>, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        output(transformed(hidden, on: tape), on: tape)
    }

    /// Where the head's parameters lie in the family's checkpoints.
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        let older = keys.olderNames
        var entries: [CheckpointEntry<Scalar>] = []
        func add(_ key: String, _ parameter: Parameter<Scalar>?, _ others: [String?]) {
            if let parameter { entries.append(CheckpointEntry(key: key, parameter: parameter, olderKeys: others.compactMap(\.self))) }
        }
        add(keys.dense + ".weight", dense.weight, [older.map { $0.dense + ".weight" }])
        add(keys.dense + ".bias", dense.bias, [older.map { $0.dense + ".bias" }])
        // Checkpoints converted from TensorFlow call them gamma and beta.
        add(keys.norm + ".weight", norm.gamma, [keys.norm + ".gamma", older.map { $0.norm + ".weight" }])
        add(keys.norm + ".bias", norm.beta, [keys.norm + ".beta", older.map { $0.norm + ".bias" }])
        if !isTied { add(keys.output + ".weight", output.weight, []) }
        // Where both are there and differ, the output layer's own is what the reference adds.
        add(keys.output + ".bias", output.bias, [keys.bias, older?.bias])
        return entries
    }
}

extension MaskedLanguageHead where Scalar == Float {
    /// Fills the head from a checkpoint; the encoder has its own entries.
    /// - Throws: `DataError` that names a tensor that is missing or does not fit.
    package func load(from archive: some WeightArchive) throws { try Networks.load(checkpointEntries, from: archive) }
}
