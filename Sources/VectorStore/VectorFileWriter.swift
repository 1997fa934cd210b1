import CHDF5
import FileFormats

/// Writes a `vectors.h5`, row block after row block, in constant memory. The file appears when `finish` returns.
///
/// The same rows give the same bytes however they were cut into blocks: rows are gathered and written in portions of a size that
/// depends on the dimension alone, and nothing in the file tells the time. Where the number of rows is known beforehand, every array lies
/// in one piece, which readers map; else in chunks.
public final class VectorFileWriter {
    package static let formatVersion = 1

    /// The path of the finished file.
    package let path: String
    package let layout: VectorLayout
    /// Rows taken so far.
    package private(set) var count = 0

    private let storage: VectorStorage
    /// Rows that will come, nil if that is not known.
    private let rows: Int?
    private let codes: VectorCodes?
    private let replacement: FileReplacement
    private let closeFailures = HDF5.closeFailures
    private var container: HDF5Container?
    private let portion: Int
    private var pending: VectorBlock
    private var written = 0
    private var datasets: Datasets?

    private struct Datasets {
        var embeddings: HDF5Dataset
        var norms: HDF5Dataset?
        var scale: HDF5Dataset?
        var codes: HDF5Dataset?
        var codeScale: HDF5Dataset?
        var codeError: HDF5Dataset?
        var texts: HDF5Dataset
        var groups: HDF5Dataset?
        var ids: HDF5Dataset?
        var columns: [HDF5Dataset]
        var valid: HDF5Dataset
    }

    /// Opens a temporary file beside `path` and writes the attributes.
    /// - Parameters:
    ///   - rows: how many rows will be appended; nil if that is not known yet.
    ///   - codes: what is written beside float32 vectors for quicker search.
    /// - Throws: `DataError` if it cannot be created.
    public init(
        path: String, layout: VectorLayout, metadata: VectorMetadata, storage: VectorStorage = .float32, rows: Int? = nil,
        codes: VectorCodes? = nil
    ) throws {
        precondition(layout.dimension > 0 && (rows ?? 0) >= 0, "vectors need components")
        guard codes == nil || storage == .float32 else {
            throw DataError(.usage, "codes need vectors stored as float32, not \(storage.rawValue)", file: path)
        }
        self.path = path
        self.layout = layout
        self.storage = storage
        self.rows = rows
        self.codes = codes
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
    /// - Throws: `DataError` if the disk is full, or a vector holds NaN, infinity or what the storage cannot hold (its row
    ///   is named).
    public func append(_ block: VectorBlock) throws {
        precondition(block.fits(layout), "the block does not fit the file's layout")
        let limit: Float = storage == .float16 ? 65504 : .greatestFiniteMagnitude
        if let bad = block.embeddings.firstIndex(where: { !(abs($0) <= limit) }) {
            throw DataError(
                .badData,
                "the vector of row \(count + bad / layout.dimension) (rows are numbered from 0) contains \(block.embeddings[bad]), which cannot be stored as \(storage.rawValue)",
                file: path)
        }
        count += block.count
        guard count <= rows ?? .max else {
            throw DataError(.inputOutput, "more rows came than the \(rows ?? 0) that were announced; nothing was written", file: path)
        }
        var start = 0
        while start < block.count {
            let end = min(start + portion - pending.count, block.count)
            pending.append(block, rows: start..<end, dimension: layout.dimension)
            if pending.count == portion { try writePending() }
            start = end
        }
    }

    /// Writes what is left and puts the file in its place.
    public func finish() throws {
        precondition(container != nil, "VectorFileWriter is finished")
        guard rows == nil || count == rows else {
            throw DataError(.inputOutput, "\(count) rows came where \(rows ?? 0) were announced; nothing was written", file: path)
        }
        if pending.count > 0 || datasets == nil { try writePending() }
        try container?.recordContentHash()
        try container?.flush()
        datasets = nil
        container = nil
        try HDF5Container.requireClosed(since: closeFailures, path)
        try replacement.commit()
        HDF5Validation.trust(path)
    }

    private func writePending() throws {
        let rows = pending.count
        let datasets = try datasets ?? makeDatasets(chunk: max(rows, 1))
        self.datasets = datasets
        let range = written..<written + rows
        let values = pending.embeddings[...]

        try extend(datasets.embeddings, to: range.upperBound)
        switch storage {
        case .float32:
            try values.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
            let norms = VectorStorage.norms(values, dimension: layout.dimension)
            try write(norms, to: datasets.norms, range)
            try writeCodes(values, norms, datasets, range)
        case .float16:
            let type = try HDF5Container.float16Type(path)
            let bits = values.map(HalfPrecision.float16)
            try bits.withUnsafeBytes { try datasets.embeddings.write(rows: range, type: type.id, $0.baseAddress) }
        case .int8:
            let (codes, scales) = VectorStorage.int8(values, dimension: layout.dimension)
            try codes.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
            try write(scales, to: datasets.scale, range)
        case .binary:
            let bytes = VectorStorage.packed(values, dimension: layout.dimension)
            try bytes.withUnsafeBufferPointer { try datasets.embeddings.write(rows: range, from: $0) }
        }
        func writeStrings(_ strings: [String], to dataset: HDF5Dataset?) throws {
            guard let dataset else { return }
            try extend(dataset, to: range.upperBound)
            try dataset.write(rows: range, strings: strings[...])
        }
        try writeStrings(pending.texts, to: datasets.texts)
        if layout.hasGroups { try writeStrings(pending.groups, to: datasets.groups) }
        if layout.hasIDs { try writeStrings(pending.ids, to: datasets.ids) }
        for (column, dataset) in zip(pending.columns, datasets.columns) { try writeStrings(column, to: dataset) }
        try write(pending.valid.map { UInt8($0 ? 1 : 0) }, to: datasets.valid, range)

        pending = VectorBlock(layout: layout)
        written += rows
    }

    private func extend(_ dataset: HDF5Dataset, to rows: Int) throws {
        if self.rows == nil { try dataset.extend(toRows: rows) }
    }

    private func write<Number: HDF5Number>(_ numbers: [Number], to dataset: HDF5Dataset?, _ range: Range<Int>) throws {
        guard let dataset else { return }
        try extend(dataset, to: range.upperBound)
        try numbers.withUnsafeBufferPointer { try dataset.write(rows: range, from: $0) }
    }

    private func writeCodes(_ values: ArraySlice<Float>, _ norms: [Float], _ datasets: Datasets, _ range: Range<Int>) throws {
        switch codes {
        case nil: break
        case .int8:
            let made = VectorCodes.int8(values, norms: norms, dimension: layout.dimension)
            try write(made.codes, to: datasets.codes, range)
            try write(made.scales, to: datasets.codeScale, range)
            try write(made.errors, to: datasets.codeError, range)
        case .binary: try write(VectorStorage.packed(values, dimension: layout.dimension), to: datasets.codes, range)
        }
    }

    /// Made with the first rows, when it is known whether the file is smaller than a chunk. Long arrays that are mapped together come
    /// first.
    private func makeDatasets(chunk: Int) throws -> Datasets {
        guard let container else { preconditionFailure("VectorFileWriter is finished") }
        func make(_ name: String, _ type: HDF5Handle, width: Int? = nil) throws -> HDF5Dataset {
            let first = rows ?? 0, shape = width.map { [first, $0] } ?? [first]
            return try container.make(name, shape: shape, type: type.id, chunk: rows == nil ? chunk : nil, canGrow: rows == nil)
        }
        let text = try HDF5Container.stringType(path)
        let byte = try VectorStorage.binary.fileType(path), float = try VectorStorage.float32.fileType(path)
        return Datasets(
            embeddings: try make("/embeddings", storage.fileType(path), width: storage.rowSize(dimension: layout.dimension)),
            norms: storage == .float32 ? try make("/norms", float) : nil,
            scale: storage == .int8 ? try make("/scale", float) : nil,
            codes: try codes.map {
                try make($0.datasetName, $0.storage.fileType(path), width: $0.storage.rowSize(dimension: layout.dimension))
            },
            codeScale: codes == .int8 ? try make("/codes_scale", float) : nil,
            codeError: codes == .int8 ? try make("/codes_error", float) : nil,
            texts: try make("/texts", text),
            groups: layout.hasGroups ? try make("/groups", text) : nil,
            ids: layout.hasIDs ? try make("/ids", text) : nil,
            columns: try layout.columnNames.map { try make("/columns/" + VectorFile.escaped($0), text) },
            valid: try make("/valid", byte))
    }
}
