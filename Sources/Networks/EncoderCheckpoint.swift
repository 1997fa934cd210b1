import Autograd
import FileFormats
import Tensors

/// How a tensor lies in a checkpoint, where that is not as the network keeps it.
package enum CheckpointLayout: Sendable, Equatable {
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
package struct CheckpointEntry<Scalar: TensorScalar> {
    /// The tensor's name.
    package let key: String
    /// The parameter that the tensor fills.
    package let parameter: Parameter<Scalar>
    /// Rows of the parameter that the tensor fills; nil for all of them.
    package let rows: Range<Int>?
    /// Names that older checkpoints use for the same tensor.
    package var olderKeys: [String] = []
    /// The tensor's shape in the file where it is not the parameter's own, as of a convolution.
    package var fileShape: [Int]?
    /// How the file arranges the tensor.
    package var layout: CheckpointLayout

    /// A tensor for a whole parameter, or for `rows` of it.
    package init(
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
    package var shape: [Int] {
        if layout == .transposed { return parameter.shape.reversed() }
        return fileShape ?? rows.map { [$0.count] + parameter.shape.dropFirst() } ?? parameter.shape
    }

    /// The tensor as the file has it.
    package var stored: Tensor<Scalar> {
        let value = rows.map { parameter.value.rows($0) } ?? parameter.value
        return layout.arranged(value, fromFile: false).reshaped(shape)
    }
}

extension Encoder {
    /// Every parameter with its checkpoint keys, as the family's table has them.
    package var checkpointEntries: [CheckpointEntry<Scalar>] {
        var keys = CheckpointKeys<Scalar>()
        (encoderFamily(configuration.modelType) ?? BERT.self).keys(&keys, of: self)
        return keys.entries
    }

    /// What may be before every key of the family's checkpoints.
    package var checkpointPrefixes: [String] { (encoderFamily(configuration.modelType) ?? BERT.self).prefixes }
}

/// Tensors by name, wherever they lie. Values are read as Float; a file's own view is used where it needs no conversion.
package protocol WeightArchive: Sendable {
    /// As the user knows it, for errors.
    var fileName: String { get }
    var names: [String] { get }
    /// nil if there is no such tensor.
    func shape(of name: String) -> [Int]?
    func tensor(_ name: String) throws -> Tensor<Float>
    /// Whether tensors can be read again at any time with the same result, because the file is mapped.
    var isLasting: Bool { get }
    /// Reads rows of a matrix by themselves; nil where the whole tensor is read as cheaply, because it is a view or is not stored by rows.
    func rowReader(_ name: String) -> (@Sendable (Range<Int>) throws -> Tensor<Float>)?
    /// A tensor of whole numbers.
    func integers(_ name: String) throws -> [Int]
}

extension WeightArchive {
    /// False: what is needed is read at once.
    package var isLasting: Bool { false }

    /// Nil: every tensor is read as a whole.
    package func rowReader(_ name: String) -> (@Sendable (Range<Int>) throws -> Tensor<Float>)? { nil }

    /// Whether a tensor has neither NaN nor infinity; one that is read by rows is never held as a whole.
    fileprivate func isFinite(_ name: String, shape: [Int]) throws -> Bool {
        guard let read = rowReader(name) else { return try tensor(name).isFinite }
        return try Parallel.chunks(shape[0], size: max(1, (1 << 18) / max(1, shape[1]))).allSatisfy { try read($0).isFinite }
    }

    /// Throws, unless an archive can hold whole numbers.
    ///
    /// - Throws: `DataError` that names the tensor.
    package func integers(_ name: String) throws -> [Int] {
        throw DataError(.badData, "tensor '\(name)' is an integer tensor, which this kind of file cannot provide", file: fileName)
    }
}

/// Fills parameters from an archive.
///
/// - Parameters:
///   - prefixes: what may be before every key ("bert." in a checkpoint of a larger model); the first one that fits is used.
///   - areNumbers: the tensors were looked at before and hold neither NaN nor infinity, so that each is read on demand.
/// - Throws: `DataError` that names a missing tensor, or one of the wrong shape, or one with NaN or infinity.
package func load(
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
        func damaged() -> DataError {
            DataError(
                .badData, "tensor '\(name)' contains NaN or infinity; the checkpoint is damaged or its training diverged",
                file: archive.fileName)
        }
        let whole = entry.parameter.shape, layout = entry.layout
        guard archive.isLasting else {
            let tensor = layout.arranged(try archive.tensor(name), fromFile: true)
            guard tensor.isFinite else { throw damaged() }
            if let rows = entry.rows {
                var value = entry.parameter.take()
                Float.copy(tensor.view, into: &value[rows: rows])
                entry.parameter.giveBack(value)
            } else {
                entry.parameter.assign(tensor.shape == whole ? tensor : tensor.reshaped(whole))
            }
            continue
        }
        guard try areNumbers || archive.isFinite(name, shape: shape) else { throw damaged() }
        let part = entry.rows, reader = layout == .plain && shape == whole ? archive.rowReader(name) : nil
        let read: @Sendable () -> Tensor<Float> = {
            let tensor = again { layout.arranged(try archive.tensor(name), fromFile: true) }
            return part != nil || tensor.shape == whole ? tensor : tensor.reshaped(whole)
        }
        let readRows = reader.map { reader -> @Sendable (Range<Int>) -> Tensor<Float> in { rows in again { try reader(rows) } } }
        entry.parameter.fillLater(Parameter<Float>.Deferred(rows: part, read: read, readRows: readRows))
    }
}

/// A tensor that was read before and is there still, in the very same state.
private func again(_ read: () throws -> Tensor<Float>) -> Tensor<Float> {
    do { return try read() } catch { preconditionFailure("a tensor cannot be read any more: \(error)") }
}

private func describe(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
