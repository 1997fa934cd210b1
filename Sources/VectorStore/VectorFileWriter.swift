import CHDF5
import FileFormats

/// Writes a `vectors.h5`, row block after row block, in constant memory. The file appears when `finish` returns.
///
/// The same rows give the same bytes however they were cut into blocks: rows are gathered and written in portions of a size that
/// depends on the dimension alone, and nothing in the file tells the time.
public final class VectorFileWriter {
    public static let formatVersion = 1

    public let path: String
    public let layout: VectorLayout
    /// Rows taken so far.
    public private(set) var count = 0

    private let storage: VectorStorage
    private let replacement: FileReplacement
    private var container: HDF5Container?
    private let portion: Int
    private var pending: VectorBlock
    private var written = 0
    private var datasets: Datasets?

    private struct Datasets {
        var embeddings: HDF5Dataset
        var scale: HDF5Dataset?
        var texts: HDF5Dataset
        var groups: HDF5Dataset?
        var ids: HDF5Dataset?
        var columns: [HDF5Dataset]
        var valid: HDF5Dataset
    }

    /// Opens a temporary file beside `path` and writes the attributes.
    /// - Throws: `DataError` where it cannot be created.
    public init(path: String, layout: VectorLayout, metadata: VectorMetadata, storage: VectorStorage = .float32) throws {
        precondition(layout.dimension > 0, "vectors need components")
        self.path = path
        self.layout = layout
        self.storage = storage
        // About a quarter of a megabyte of vectors, so that one row is read without its thousand neighbours.
        portion = min(max((1 << 18) / (4 * layout.dimension), 16), 4096)
        pending = VectorBlock(layout: layout)
        replacement = try FileReplacement(path: path)
        let container = try HDF5Container(creating: replacement.temporary, for: path)
        self.container = container
        try container.set("format", .string(VectorFile.format))
        try container.set("format_version", .int(Self.formatVersion))
        try container.set("storage", .string(storage.rawValue))
        try container.set("dimension", .int(layout.dimension))
        if !layout.columnNames.isEmpty {
            try container.set("column_order", .string(JSON.array(layout.columnNames.map(JSON.string)).serialized()))
        }
        for (role, name) in [("text", layout.textName), ("group", layout.groupName), ("id", layout.idName)] {
            if let name { try container.set("\(role)_column", .string(name)) }
        }
        try metadata.write(to: container)
    }

    /// Takes rows.
    /// - Throws: `DataError` where the disk is full, or a vector holds NaN, infinity or what the storage cannot hold (its row
    ///   is named).
    public func append(_ block: VectorBlock) throws {
        precondition(block.fits(layout), "the block does not fit the file's layout")
        let limit: Float = storage == .float16 ? 65504 : .greatestFiniteMagnitude
        if let bad = block.embeddings.firstIndex(where: { !(abs($0) <= limit) }) {
            throw DataError(.badData, "the vector of row \(count + bad / layout.dimension + 1) holds \(block.embeddings[bad]), which cannot be stored as \(storage.rawValue)", file: path)
        }
        count += block.count
        var start = 0
        while start < block.count {
            let end = min(start + portion - pending.count, block.count)
            pending.append(block, rows: start ..< end, dimension: layout.dimension)
            if pending.count == portion { try writePending() }
            start = end
        }
    }

    /// Writes what is left and puts the file in its place.
    public func finish() throws {
        precondition(container != nil, "VectorFileWriter is finished")
        if pending.count > 0 || datasets == nil { try writePending() }
        try container?.recordContentHash()
        try container?.flush()
        datasets = nil
        container = nil
        try replacement.commit()
        HDF5Validation.trust(path)
    }

    private func writePending() throws {
        let rows = pending.count
        let datasets = try datasets ?? makeDatasets(chunk: max(rows, 1))
        self.datasets = datasets
        let range = written ..< written + rows
        let values = pending.embeddings[...]

        try datasets.embeddings.extend(toRows: range.upperBound)
        switch storage {
        case .float32: try values.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
        case .float16:
            let type = try HDF5Container.float16Type(path)
            let bits = values.map(HalfPrecision.float16)
            try bits.withUnsafeBytes { try datasets.embeddings.write(rows: range, type: type.id, $0.baseAddress) }
        case .int8:
            let (codes, scales) = VectorStorage.int8(values, dimension: layout.dimension)
            try codes.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
            try datasets.scale?.extend(toRows: range.upperBound)
            try scales.withUnsafeBufferPointer { try datasets.scale?.write(rows: range, from: $0) }
        case .binary:
            let bytes = VectorStorage.packed(values, dimension: layout.dimension)
            try bytes.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
        }
        func write(_ strings: [String], to dataset: HDF5Dataset?) throws {
            try dataset?.extend(toRows: range.upperBound)
            try dataset?.write(rows: range, strings: strings[...])
        }
        try write(pending.texts, to: datasets.texts)
        if layout.hasGroups { try write(pending.groups, to: datasets.groups) }
        if layout.hasIDs { try write(pending.ids, to: datasets.ids) }
        for (column, dataset) in zip(pending.columns, datasets.columns) { try write(column, to: dataset) }
        try datasets.valid.extend(toRows: range.upperBound)
        let valid = pending.valid.map { UInt8($0 ? 1 : 0) }
        try valid.withUnsafeBufferPointer { try datasets.valid.write(rows: range, from: $0) }

        pending = VectorBlock(layout: layout)
        written += rows
    }

    /// Made with the first rows, when it is known whether the file is smaller than a chunk.
    private func makeDatasets(chunk: Int) throws -> Datasets {
        guard let container else { preconditionFailure("VectorFileWriter is finished") }
        func make(_ name: String, _ type: HDF5Handle, width: Int? = nil) throws -> HDF5Dataset {
            try container.make(name, shape: width.map { [0, $0] } ?? [0], type: type.id, chunk: chunk, canGrow: true)
        }
        let text = try HDF5Container.stringType(path)
        let byte = try VectorStorage.binary.fileType(path)
        return Datasets(
            embeddings: try make("/embeddings", storage.fileType(path), width: storage.rowSize(dimension: layout.dimension)),
            scale: storage == .int8 ? try make("/scale", VectorStorage.float32.fileType(path)) : nil,
            texts: try make("/texts", text),
            groups: layout.hasGroups ? try make("/groups", text) : nil,
            ids: layout.hasIDs ? try make("/ids", text) : nil,
            columns: try layout.columnNames.map { try make("/columns/" + VectorFile.escaped($0), text) },
            valid: try make("/valid", byte))
    }
}
