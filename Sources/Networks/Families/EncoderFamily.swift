import Autograd
import FileFormats
import Tensors

/// A family of encoders: how its `config.json` reads, and where its checkpoints keep each parameter.
protocol EncoderFamily: Sendable {
    /// Values of `model_type` that mean this family.
    static var modelTypes: [String] { get }
    /// What may be before every key in checkpoints of larger models ("bert." before an encoder under a language-model head).
    static var prefixes: [String] { get }
    static func configuration(_ reader: ConfigurationReader) throws -> EncoderConfiguration
    static func keys<S>(_ keys: inout CheckpointKeys<S>, of encoder: Encoder<S>)
    /// The head of its sequence classifiers; nil if absent.
    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead?
    /// The masked-language-model head; nil if absent.
    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead?
}

extension EncoderFamily {
    static func head(_ reader: ConfigurationReader) throws -> ClassificationHead? { nil }
    static func maskedHead(_ reader: ConfigurationReader) throws -> MaskedHead? { nil }
}

private let families: [any EncoderFamily.Type] = [
    BERT.self, RoBERTa.self, DistilBERT.self, MPNet.self, ALBERT.self, ELECTRA.self, DeBERTa.self, ModernBERT.self, NomicBERT.self,
]

/// Every `model_type` that an encoder can be made from.
package let supportedModelTypes: [String] = families.flatMap { $0.modelTypes }

func encoderFamily(_ modelType: String) -> (any EncoderFamily.Type)? { families.first { $0.modelTypes.contains(modelType) } }

/// The family given by `model_type`, or else by `architectures` ("BertModel"), or else BERT.
func encoderFamily(_ reader: ConfigurationReader) throws -> any EncoderFamily.Type {
    func unknown(_ key: String, _ name: String) -> DataError {
        reader.fail("\(key) '\(name)' is not supported; expected one of \(supportedModelTypes.joined(separator: ", "))")
    }
    if let type = try reader.string("model_type") {
        guard let family = encoderFamily(type) else { throw unknown("model_type", type) }
        return family
    }
    guard let architecture = reader.json["architectures"]?.array?.first?.string else { return BERT.self }
    func plain(_ name: String) -> String { name.lowercased().filter { $0 != "-" && $0 != "_" } }
    // The longest name that fits: "XLMRobertaModel" begins with "xlmroberta", "DebertaV2Model" with "debertav2".
    let fitting = families.flatMap { family in family.modelTypes.map { (family, plain($0)) } }
        .filter { plain(architecture).hasPrefix($0.1) }
        .max { $0.1.count < $1.1.count }
    guard let fitting else { throw unknown("architecture", architecture) }
    return fitting.0
}

/// Gathers the checkpoint entries of a network.
struct CheckpointKeys<Scalar: TensorScalar> {
    private(set) var entries: [CheckpointEntry<Scalar>] = []

    mutating func add(_ key: String, _ parameter: Parameter<Scalar>?, rows: Range<Int>? = nil, olderKeys: [String] = []) {
        if let parameter { entries.append(CheckpointEntry(key: key, parameter: parameter, rows: rows, olderKeys: olderKeys)) }
    }

    mutating func add(_ key: String, _ linear: Linear<Scalar>?, layout: CheckpointLayout = .plain) {
        guard let linear else { return }
        entries.append(CheckpointEntry(key: key + ".weight", parameter: linear.weight, layout: layout))
        // A vector has nothing to transpose.
        if let bias = linear.bias {
            entries.append(CheckpointEntry(key: key + ".bias", parameter: bias, layout: layout == .transposed ? .plain : layout))
        }
    }

    mutating func add(_ key: String, _ norm: DecoderNorm<Scalar>?) {
        add(key + ".weight", norm?.scale)
        add(key + ".bias", norm?.shift)
    }

    mutating func add(_ key: String, _ norm: RMSNorm<Scalar>?) { add(key + ".weight", norm?.gamma) }

    /// Separate matrices in the file, of this many rows each, that one fused matrix stacks.
    mutating func add(_ keys: [(String, rows: Int)], stackedIn linear: Linear<Scalar>) {
        var first = 0
        for (key, count) in keys {
            add(key + ".weight", linear.weight, rows: first..<first + count)
            add(key + ".bias", linear.bias, rows: first..<first + count)
            first += count
        }
    }

    mutating func add(_ key: String, _ norm: LayerNorm<Scalar>?) {
        // Checkpoints converted from TensorFlow call them gamma and beta.
        add(key + ".weight", norm?.gamma, olderKeys: [key + ".gamma"])
        add(key + ".bias", norm?.beta, olderKeys: [key + ".beta"])
    }

    mutating func add(_ key: String, _ norm: EncoderNorm<Scalar>?) {
        switch norm {
        case .layer(let norm): add(key, norm)
        case .batch(let norm):
            add(key + ".weight", norm.gamma)
            add(key + ".bias", norm.beta)
            add(key + ".running_mean", norm.mean)
            add(key + ".running_var", norm.variance)
        case nil: break
        }
    }

    /// Matrices of their own in the file that one fused matrix holds one above the other.
    mutating func add(_ keys: [String], stackedIn linear: Linear<Scalar>) {
        let size = linear.outputs / keys.count
        for (part, key) in keys.enumerated() {
            let rows = part * size..<(part + 1) * size
            add(key + ".weight", linear.weight, rows: rows)
            add(key + ".bias", linear.bias, rows: rows)
        }
    }

    /// The weight of a `Conv1d`, (outputs, channels, width) in the file.
    mutating func add(_ key: String, convolution linear: Linear<Scalar>, width: Int) {
        let shape = [linear.outputs, linear.inputs / width, width]
        entries.append(CheckpointEntry(key: key + ".weight", parameter: linear.weight, fileShape: shape))
        add(key + ".bias", linear.bias)
    }
}
