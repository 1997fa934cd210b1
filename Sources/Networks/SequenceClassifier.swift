import Autograd
import FileFormats
import Tensors

/// What is on an encoder that judges whole sequences: how the tokens become one vector, and the layers it then goes through. The
/// families differ in these and in their checkpoint keys, which are full ones here.
struct ClassificationHead: Sendable {
    var pooling = PoolingMode.cls
    /// A linear layer of the hidden size before the last one.
    var dense: String?
    var denseBias = true
    var activation = Activation.tanh
    /// A layer norm after it (ModernBERT).
    var norm: String?
    var output = "classifier"
    /// The encoder's own keys begin with this.
    var encoderPrefix: String
}

/// An encoder with a classification or regression head: with one output the cross-encoder that rerankers are (Nogueira & Cho 2019).
package final class SequenceClassifier<Scalar: TensorScalar>: Module {
    /// The encoder below the head.
    package let encoder: Encoder<Scalar>
    /// From the pooled state to one logit per label.
    package let output: Linear<Scalar>
    private let dense: Linear<Scalar>?
    private let norm: LayerNorm<Scalar>?
    private let head: ClassificationHead
    private let dropoutRate: Double
    /// How tokens become the vector that the output layer reads where there is no layer between the two; nil for the family's own head.
    package let linearPooling: PoolingMode?

    /// - Parameters:
    ///   - json: `config.json`; the number of labels is that of `id2label`, else `num_labels`, else 2.
    ///   - file: how errors name it.
    ///   - precision: what the encoder computes in when there is no tape.
    ///   - dropout: of hidden states and before the last layer, when there is a tape; the configuration's own where nil.
    ///   - linearPooling: for a head that is the output layer alone, on the last layer pooled in this way; nil for the family's own head,
    ///     which has a dense layer before it.
    ///   - shared: the encoder of another classifier of the same configuration, for several heads on one encoder; nil for a new one.
    /// - Throws: `DataError` for a family that has no such head here, and for a configuration that does not fit.
    package init(
        json: JSON, file: String, precision: Precision = .f32, dropout: Double? = nil, linearPooling: PoolingMode? = nil,
        sharing shared: Encoder<Scalar>? = nil
    ) throws {
        let reader = try ConfigurationReader(json: json, file: file)
        let family = try encoderFamily(reader)
        let linear = linearPooling.map { ClassificationHead(pooling: $0, output: "linear", encoderPrefix: "") }
        guard let head = try linear ?? family.head(reader) else {
            let known = supportedModelTypes.filter { $0 != "nomic_bert" }
            throw reader.fail(
                "a classification head on a model of type '\(family.modelTypes[0])' is not supported; expected one of \(known.joined(separator: ", "))"
            )
        }
        var configuration = try EncoderConfiguration(json: json, file: file)
        if let dropout { configuration.dropout = dropout }
        dropoutRate = configuration.dropout
        let labels = try json["id2label"]?.object?.count ?? reader.integer("num_labels", default: 2, in: 1...1_000_000)
        guard labels > 0 else { throw reader.fail("'id2label' names no label") }
        guard shared.map({ $0.configuration == configuration }) != false else {
            throw reader.fail("the encoder that is shared has another configuration")
        }
        encoder = shared ?? Encoder(configuration, precision: precision)
        let size = configuration.hiddenSize
        dense = head.dense.map { _ in Linear(inputs: size, outputs: size, bias: head.denseBias) }
        norm = head.norm.map { _ in LayerNorm(size: size, epsilon: configuration.layerNormEpsilon, bias: configuration.normBias) }
        output = Linear(inputs: size, outputs: labels)
        self.head = head
        self.linearPooling = linearPooling
    }

    /// Number of labels.
    package var labels: Int { output.outputs }
    /// All parameters, in a fixed order.
    package var parameters: [Parameter<Scalar>] { encoder.parameters + headParameters }
    /// Those that are not the encoder's.
    package var headParameters: [Parameter<Scalar>] { (dense?.parameters ?? []) + (norm?.parameters ?? []) + output.parameters }

    /// Keys of the head alone; the encoder has its own.
    package var headEntries: [CheckpointEntry<Scalar>] {
        var keys = CheckpointKeys<Scalar>()
        if let name = head.dense { keys.add(name, dense) }
        if let name = head.norm { keys.add(name, norm) }
        keys.add(head.output, output)
        return keys.entries
    }

    /// Scores before any softmax or sigmoid, `(sequences, labels)`.
    package func callAsFunction(_ batch: PackedBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        self(encoder.embeddings(of: batch, on: tape), offsets: batch.offsets, on: tape)
    }

    /// The same from the encoder's embeddings `(tokens, hiddenSize)`, which need not be those of tokens.
    package func callAsFunction(_ embeddings: Variable<Scalar>, offsets: [Int64], on tape: Tape<Scalar>?) -> Variable<Scalar> {
        var x = pooled(encoder(embeddings, offsets: offsets, on: tape), offsets: offsets, mode: head.pooling, on: tape)
        if let dense { x = dense(x, activation: head.activation, on: tape) }
        if let norm { x = norm(x, on: tape) }
        return output(dropout(x, rate: dropoutRate, on: tape), on: tape)
    }

    /// Every parameter with its full checkpoint key, as transformers' `…ForSequenceClassification` has them.
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        encoder.checkpointEntries.map {
            CheckpointEntry(key: head.encoderPrefix + $0.key, parameter: $0.parameter, rows: $0.rows, fileShape: $0.fileShape)
        } + headEntries
    }

    /// Random numbers for the head, as transformers fills it: normal with deviation 0.02, biases 0.
    package func initializeHead(seed: UInt64) {
        for (index, parameter) in ((dense?.parameters ?? []) + output.parameters).enumerated() where parameter.shape.count == 2 {
            var random = RandomSource(seed: seed).split(UInt64(index))
            parameter.fill { 0.02 * random.normal() }
        }
    }
}

extension SequenceClassifier where Scalar == Float {
    /// Fills encoder and head from a checkpoint.
    /// - Throws: `DataError` that names a tensor that is missing or does not fit.
    package func load(from archive: some WeightArchive) throws {
        try Networks.load(encoder.checkpointEntries, from: archive, prefixes: [head.encoderPrefix])
        try Networks.load(headEntries, from: archive)
    }

    /// Fills the encoder from the checkpoint of a model without this head, and the head's first layer where that model has it (BERT's
    /// pooler).
    ///
    /// - Parameter headOnly: leaves the encoder as it is, which another classifier has filled.
    /// - Returns: whether the head's first layer was there.
    /// - Throws: `DataError` that names a tensor of the encoder that is missing or does not fit.
    @discardableResult
    package func loadBase(from archive: some WeightArchive, headOnly: Bool = false) throws -> Bool {
        if !headOnly { try Networks.load(encoder.checkpointEntries, from: archive, prefixes: encoder.checkpointPrefixes) }
        guard let name = head.dense, let dense, name.hasPrefix(head.encoderPrefix) else { return false }
        var keys = CheckpointKeys<Float>()
        keys.add(String(name.dropFirst(head.encoderPrefix.count)), dense)
        let names = Set(archive.names)
        guard
            let prefix = encoder.checkpointPrefixes.first(where: { prefix in keys.entries.allSatisfy { names.contains(prefix + $0.key) } })
        else { return false }
        try Networks.load(keys.entries, from: archive, prefixes: [prefix])
        return true
    }
}
