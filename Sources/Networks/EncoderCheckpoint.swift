import Autograd
import FileFormats
import Tensors

/// How a tensor lies in a checkpoint, where that is not as the network keeps it.
public enum CheckpointLayout: Sendable, Equatable {
    case plain
    /// (inputs, outputs).
    case transposed
    /// Queries, keys and values of each head next to each other, one head after the other; the network has all queries, all keys, all
    /// values.
    case headByHead(Int)

    /// A tensor of the file as the network keeps it, or the other way round.
    func arranged<Scalar: TensorScalar>(_ tensor: Tensor<Scalar>, fromFile: Bool) -> Tensor<Scalar> {
        switch self {
        case .plain: return tensor
        case .transposed: return tensor.transposed()
        case .headByHead(let heads):
            let size = tensor.shape[0] / (3 * heads), (outer, inner) = fromFile ? (3, heads) : (heads, 3)
            // Block (i, j) of the result is block (j, i) of what is given.
            let blocks = (0..<outer).flatMap { i in (0..<inner).map { j in j * outer + i } }
            return tensor.selecting(blocks.flatMap { $0 * size..<($0 + 1) * size })
        }
    }
}

/// Where a parameter lies in a checkpoint: a tensor of that name is the whole parameter, or some of its rows.
public struct CheckpointEntry<Scalar: TensorScalar> {
    /// The tensor's name.
    public let key: String
    /// The parameter that the tensor fills.
    public let parameter: Parameter<Scalar>
    /// Rows of the parameter that the tensor fills; nil for all of them.
    public let rows: Range<Int>?
    /// Names that older checkpoints use for the same tensor.
    public var olderKeys: [String] = []
    /// The tensor's shape in the file where it is not the parameter's own, as of a convolution.
    public var fileShape: [Int]?
    /// How the file arranges the tensor.
    public var layout: CheckpointLayout

    /// A tensor for a whole parameter, or for `rows` of it.
    public init(
        key: String, parameter: Parameter<Scalar>, rows: Range<Int>? = nil, olderKeys: [String] = [], fileShape: [Int]? = nil,
        layout: CheckpointLayout = .plain
    ) {
        self.key = key
        self.parameter = parameter
        self.rows = rows
        self.olderKeys = olderKeys
        self.fileShape = fileShape
        self.layout = layout
    }

    /// Shape of the tensor in the file.
    public var shape: [Int] {
        if layout == .transposed { return parameter.shape.reversed() }
        return fileShape ?? rows.map { [$0.count] + parameter.shape.dropFirst() } ?? parameter.shape
    }

    /// The tensor as the file has it.
    public var stored: Tensor<Scalar> {
        let value = rows.map { parameter.value.rows($0) } ?? parameter.value
        return layout.arranged(value, fromFile: false).reshaped(shape)
    }
}

extension Encoder {
    /// Every parameter with its checkpoint keys, as the family's table has them.
    public var checkpointEntries: [CheckpointEntry<Scalar>] {
        var keys = CheckpointKeys<Scalar>()
        (encoderFamily(configuration.modelType) ?? BERT.self).keys(&keys, of: self)
        return keys.entries
    }

    /// What may be before every key of the family's checkpoints.
    public var checkpointPrefixes: [String] { (encoderFamily(configuration.modelType) ?? BERT.self).prefixes }
}

/// Tensors by name, wherever they lie. Values are read as Float; a file's own view is used where it needs no conversion.
public protocol WeightArchive: Sendable {
    /// As the user knows it, for errors.
    var fileName: String { get }
    var names: [String] { get }
    /// nil if there is no such tensor.
    func shape(of name: String) -> [Int]?
    func tensor(_ name: String) throws -> Tensor<Float>
    /// A tensor of whole numbers.
    func integers(_ name: String) throws -> [Int]
}

extension WeightArchive {
    /// Throws, unless an archive can hold whole numbers.
    ///
    /// - Throws: `DataError` that names the tensor.
    public func integers(_ name: String) throws -> [Int] {
        throw DataError(.badData, "tensor '\(name)' is an integer tensor, which this kind of file cannot provide", file: fileName)
    }
}

/// Fills parameters from an archive.
///
/// - Parameters:
///   - prefixes: what may be before every key ("bert." in a checkpoint of a larger model); the first one that fits is used.
///   - areNumbers: the tensors were looked at before and hold neither NaN nor infinity, so that each is read on demand.
/// - Throws: `DataError` that names a missing tensor, or one of the wrong shape, or one with NaN or infinity.
public func load(
    _ entries: [CheckpointEntry<Float>], from archive: some WeightArchive, prefixes: [String] = [""], areNumbers: Bool = false
) throws {
    let names = Set(archive.names)
    func found(_ entry: CheckpointEntry<Float>, prefix: String) -> String? {
        ([entry.key] + entry.olderKeys).lazy.map { prefix + $0 }.first(where: names.contains)
    }
    let prefix = prefixes.first { found(entries[0], prefix: $0) != nil } ?? prefixes[0]
    for entry in entries {
        guard let name = found(entry, prefix: prefix), let shape = archive.shape(of: name) else {
            throw DataError(
                .badData,
                "tensor '\(prefix + entry.key)' \(describe(entry.shape)) is missing; is this file from another "
                    + "architecture?",
                file: archive.fileName)
        }
        guard shape == entry.shape else {
            throw DataError(
                .badData,
                "tensor '\(name)' has shape \(describe(shape)), but the configuration expects "
                    + "\(describe(entry.shape))",
                file: archive.fileName)
        }
        if areNumbers {
            let shape = entry.parameter.shape, rows = entry.rows, layout = entry.layout
            entry.parameter.fillLater { value in
                // It was read before, in the very same state.
                guard let tensor = try? layout.arranged(archive.tensor(name), fromFile: true) else {
                    preconditionFailure("tensor '\(name)' of \(archive.fileName) cannot be read any more")
                }
                if let rows {
                    Float.copy(tensor.view, into: &value[rows: rows])
                } else {
                    value = tensor.shape == shape ? tensor : tensor.reshaped(shape)
                }
            }
            continue
        }
        let tensor = entry.layout.arranged(try archive.tensor(name), fromFile: true)
        guard tensor.isFinite else {
            throw DataError(
                .badData, "tensor '\(name)' contains NaN or infinity; the checkpoint is damaged or its training diverged",
                file: archive.fileName)
        }
        if let rows = entry.rows {
            var whole = entry.parameter.take()
            Float.copy(tensor.view, into: &whole[rows: rows])
            entry.parameter.giveBack(whole)
        } else {
            entry.parameter.assign(tensor.shape == entry.parameter.shape ? tensor : tensor.reshaped(entry.parameter.shape))
        }
    }
}

private func describe(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
