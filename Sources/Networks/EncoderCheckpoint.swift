import Autograd
import FileFormats
import Tensors

/// Where a parameter lies in a checkpoint: a tensor of that name is the whole parameter, or some of its rows.
public struct CheckpointEntry<Scalar: TensorScalar> {
    public let key: String
    public let parameter: Parameter<Scalar>
    /// Rows of the parameter that the tensor fills; nil for all of them.
    public let rows: Range<Int>?
    /// Names that older checkpoints use for the same tensor.
    public var olderKeys: [String] = []

    public init(key: String, parameter: Parameter<Scalar>, rows: Range<Int>? = nil, olderKeys: [String] = []) {
        self.key = key
        self.parameter = parameter
        self.rows = rows
        self.olderKeys = olderKeys
    }

    /// Shape of the tensor in the file.
    public var shape: [Int] { rows.map { [$0.count] + parameter.shape.dropFirst() } ?? parameter.shape }
}

extension Encoder {
    /// Checkpoint keys of transformers' BertModel, in the file's order of layers.
    public var checkpointEntries: [CheckpointEntry<Scalar>] {
        var entries: [CheckpointEntry<Scalar>] = []
        func add(_ key: String, _ parameter: Parameter<Scalar>?, rows: Range<Int>? = nil) {
            if let parameter { entries.append(CheckpointEntry(key: key, parameter: parameter, rows: rows)) }
        }
        func add(_ key: String, _ linear: Linear<Scalar>) {
            add(key + ".weight", linear.weight)
            add(key + ".bias", linear.bias)
        }
        func add(_ key: String, _ norm: LayerNorm<Scalar>) {
            // Checkpoints converted from TensorFlow call them gamma and beta.
            entries.append(CheckpointEntry(key: key + ".weight", parameter: norm.gamma, rows: nil, olderKeys: [key + ".gamma"]))
            if let beta = norm.beta { entries.append(CheckpointEntry(key: key + ".bias", parameter: beta, rows: nil, olderKeys: [key + ".beta"])) }
        }
        add("embeddings.word_embeddings.weight", words)
        add("embeddings.position_embeddings.weight", positions)
        add("embeddings.token_type_embeddings.weight", segments)
        add("embeddings.LayerNorm", embeddingNorm)
        let size = configuration.hiddenSize
        for (index, layer) in layers.enumerated() {
            let prefix = "encoder.layer.\(index)."
            for (part, name) in ["query", "key", "value"].enumerated() {
                let rows = part * size..<(part + 1) * size
                add(prefix + "attention.self.\(name).weight", layer.attention.projection.weight, rows: rows)
                add(prefix + "attention.self.\(name).bias", layer.attention.projection.bias, rows: rows)
            }
            add(prefix + "attention.output.dense", layer.attention.output)
            add(prefix + "attention.output.LayerNorm", layer.attentionNorm)
            add(prefix + "intermediate.dense", layer.feedForward.up)
            add(prefix + "output.dense", layer.feedForward.down)
            add(prefix + "output.LayerNorm", layer.feedForwardNorm)
        }
        return entries
    }
}

/// Tensors by name, wherever they lie. Values are read as Float; a file's own view is used where it needs no conversion.
public protocol WeightArchive {
    /// As the user knows it, for errors.
    var fileName: String { get }
    var names: [String] { get }
    /// nil where there is no such tensor.
    func shape(of name: String) -> [Int]?
    func tensor(_ name: String) throws -> Tensor<Float>
}

/// Fills parameters from an archive.
///
/// - Parameter prefixes: what may stand before every key ("bert." in a checkpoint of a larger model); the first one that fits is used.
/// - Throws: `DataError` that names a missing tensor, or one of the wrong shape, or one with NaN or infinity.
public func load(_ entries: [CheckpointEntry<Float>], from archive: some WeightArchive, prefixes: [String] = [""]) throws {
    let names = Set(archive.names)
    func found(_ entry: CheckpointEntry<Float>, prefix: String) -> String? {
        ([entry.key] + entry.olderKeys).lazy.map { prefix + $0 }.first(where: names.contains)
    }
    let prefix = prefixes.first { found(entries[0], prefix: $0) != nil } ?? prefixes[0]
    for entry in entries {
        guard let name = found(entry, prefix: prefix), let shape = archive.shape(of: name) else {
            throw DataError(.badData, "tensor '\(prefix + entry.key)' \(describe(entry.shape)) is missing; is this file of another architecture?",
                            file: archive.fileName)
        }
        guard shape == entry.shape else {
            throw DataError(.badData, "tensor '\(name)' has shape \(describe(shape)), but the configuration wants \(describe(entry.shape))",
                            file: archive.fileName)
        }
        let tensor = try archive.tensor(name)
        guard tensor.isFinite else {
            throw DataError(.badData, "tensor '\(name)' contains NaN or infinity; the checkpoint is damaged or its training diverged", file: archive.fileName)
        }
        if let rows = entry.rows {
            var whole = entry.parameter.value
            let width = whole.columns
            whole.withUnsafeMutableElements { to in
                tensor.withUnsafeElements { (to + rows.lowerBound * width).update(from: $0, count: rows.count * width) }
            }
            entry.parameter.value = whole
        } else {
            entry.parameter.value = tensor
        }
    }
}

private func describe(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
