import FileFormats
import Tensors

/// A `vectors.h5`: one vector per sentence, with the sentence and what belongs to it. Rows are read in ranges.
///
/// A set (`NAME.kset`, a folder of such files) opens as one file with all their rows, numbered through; layout, metadata and storage are
/// those of its first file, and all files agree in them.
///
/// Safe to share between threads, one of which reads at a time.
public final class VectorFile: Sendable {
    static let format = "kotonoha/vectors"

    /// The path that was opened.
    public let path: String
    /// Rows.
    public let count: Int
    /// The columns, and the length of the vectors.
    public let layout: VectorLayout
    /// The model, its settings and the input.
    public let metadata: VectorMetadata
    /// The number type of the stored vectors.
    public let storage: VectorStorage
    /// Components of a vector.
    public var dimension: Int { layout.dimension }

    /// The files that the rows lie in, where this is a set.
    package let set: VectorSet?

    private let container: HDF5Container
    private let embeddings: HDF5Dataset
    /// The vectors where they lie in one piece as Float.
    let mapping: MappedFile?
    private let norms: HDF5Dataset?
    /// Codes that are next to the vectors.
    let codes: [VectorCodes: HDF5Dataset]
    let codeScale: HDF5Dataset?, codeError: HDF5Dataset?
    private let scale: HDF5Dataset?
    private let texts: HDF5Dataset
    private let groups: HDF5Dataset?
    private let ids: HDF5Dataset?
    private let columns: [HDF5Dataset]
    private let valid: HDF5Dataset?

    /// Opens a file and checks that its parts fit one another.
    /// - Throws: `DataError` if it is missing, damaged, not of this kind, or of a later version.
    public init(path: String) throws {
        let set = VectorSet.isSet(path) ? try VectorSet(path: path) : nil, place = set?.path(of: 0) ?? path
        func damaged(_ what: String) -> DataError { DataError(.badData, what, file: place) }
        self.path = path
        self.set = set
        let container = try HDF5Container(path: place)
        self.container = container
        guard try container.attribute("format")?.string == Self.format else {
            throw damaged(
                "this is an HDF5 file, but no file of vectors: its attribute \"format\" is not \"\(Self.format)\"; make one by kotonoha embed"
            )
        }
        let version = try container.attribute("format_version")?.int ?? 0
        guard (1...VectorFileWriter.formatVersion).contains(version) else {
            throw damaged("this file of vectors has format version \(version); this program reads up to \(VectorFileWriter.formatVersion)")
        }
        metadata = try VectorMetadata(reading: container)
        let storageName = try container.attribute("storage")?.string ?? VectorStorage.float32.rawValue
        guard let storage = VectorStorage(rawValue: storageName) else { throw damaged("unknown storage \(storageName)") }
        self.storage = storage

        embeddings = try container.required("/embeddings")
        guard embeddings.shape.count == 2 else { throw damaged("/embeddings has \(embeddings.shape.count) axes, 2 were expected") }
        let rows = embeddings.shape[0], width = embeddings.shape[1]
        let dimension = try container.attribute("dimension")?.int ?? width
        guard dimension > 0, dimension <= 1 << 24, storage.rowSize(dimension: dimension) == width else {
            throw damaged(
                "/embeddings has rows of \(width) elements, which does not fit \(dimension) components stored as \(storage.rawValue)")
        }
        switch (storage, embeddings.kind) {
        case (.float32, .float), (.float16, .float), (.int8, .integer(bytes: 1)), (.binary, .integer(bytes: 1)): break
        default: throw damaged("/embeddings does not contain \(storage.rawValue)")
        }
        func column(_ name: String) throws -> HDF5Dataset? {
            guard let dataset = try container.dataset(name) else { return nil }
            guard dataset.shape == [rows] else { throw damaged("\(name) has shape \(dataset.shape), /embeddings has \(rows) rows") }
            return dataset
        }
        func strings(_ name: String) throws -> HDF5Dataset? {
            guard let dataset = try column(name) else { return nil }
            guard dataset.kind == .string else { throw damaged("\(name) does not contain strings") }
            return dataset
        }
        func numbers(_ name: String) throws -> HDF5Dataset? {
            guard let dataset = try column(name) else { return nil }
            guard dataset.kind == .float(bytes: 4) else { throw damaged("\(name) does not contain 32-bit floats") }
            return dataset
        }
        // Of a set, this is the first file only: its rows are read file by file.
        mapping = set == nil && storage == .float32 ? try container.mapped(embeddings, as: Float.fileType) : nil
        norms = set == nil && storage == .float32 ? try numbers("/norms") : nil
        var codes: [VectorCodes: HDF5Dataset] = [:]
        for kind in VectorCodes.allCases where set == nil {
            guard let dataset = try container.dataset(kind.datasetName) else { continue }
            guard dataset.shape == [rows, kind.storage.rowSize(dimension: dimension)], dataset.kind == .integer(bytes: 1) else {
                throw damaged("\(kind.datasetName) does not contain \(kind.rawValue) codes of \(rows) vectors of \(dimension) components")
            }
            codes[kind] = dataset
        }
        self.codes = codes
        codeScale = set == nil ? try numbers("/codes_scale") : nil
        codeError = set == nil ? try numbers("/codes_error") : nil
        guard codes[.int8] == nil || codeScale != nil && codeError != nil else {
            throw damaged("it has int8 codes without /codes_scale and /codes_error")
        }
        guard let texts = try strings("/texts") else { throw damaged("it has no dataset /texts") }
        self.texts = texts
        groups = try strings("/groups")
        ids = try strings("/ids")
        valid = try column("/valid")
        scale = try column("/scale")
        guard storage != .int8 || scale != nil else { throw damaged("it has no dataset /scale, which int8 vectors need") }
        // The attribute keeps the order of the input; what others added to the group follows by name.
        var names = try container.datasetNames(in: "/columns").map(Self.unescaped)
        if let text = try container.attribute("column_order")?.string, let order = try JSON(parsing: text, file: place).array {
            let known = order.compactMap(\.string).filter(names.contains)
            names = known + names.filter { !known.contains($0) }
        }
        columns = try names.map { name in
            guard let column = try strings("/columns/" + Self.escaped(name)) else { throw damaged("column \(name) cannot be read") }
            return column
        }
        count = set?.rows ?? rows
        layout = VectorLayout(
            dimension: dimension, hasGroups: groups != nil, hasIDs: ids != nil, columnNames: names,
            textName: try container.attribute("text_column")?.string, groupName: try container.attribute("group_column")?.string,
            idName: try container.attribute("id_column")?.string)
        try set?.check(first: self, rows: rows)
    }

    /// Reads vectors as Float, row-major, into room for exactly those rows.
    /// - Throws: `DataError` if the file is damaged or a vector holds NaN or infinity (its row is named).
    package func readEmbeddings(rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count && values.count == rows.count * dimension, "rows out of range")
        if let set {
            return try set.forEach(rows) { part, own, place in
                let target = place * dimension..<(place + own.count) * dimension
                try part.readEmbeddings(rows: own, into: UnsafeMutableBufferPointer(rebasing: values[target]))
            }
        }
        switch storage {
        case .float32, .float16:
            try embeddings.read(rows: rows, into: values)
            if let base = values.baseAddress, !Float.allFinite(UnsafePointer(base), count: values.count),
                let index = values.firstIndex(where: { !$0.isFinite })
            {
                throw notFinite(rows.lowerBound + index / dimension)
            }
        case .int8:
            let codes = try embeddings.read(Int8.self, rows: rows)
            let scales = try scale?.read(Float.self, rows: rows) ?? []
            try codes.withUnsafeBufferPointer { codes in
                for (row, scale) in scales.enumerated() {
                    let line = row * dimension..<(row + 1) * dimension
                    for index in line { values[index] = Float(codes[index]) * scale }
                    // Codes reach 128, so that only a huge scale, or one that is not a number, has to be looked at.
                    if !(abs(scale) <= .greatestFiniteMagnitude / 128), !values[line].allSatisfy(\.isFinite) {
                        throw notFinite(rows.lowerBound + row)
                    }
                }
            }
        case .binary:
            let bytes = try embeddings.read(UInt8.self, rows: rows)
            let width = storage.rowSize(dimension: dimension), whole = dimension / 8, out = UnsafeMutableRawBufferPointer(values)
            bytes.withUnsafeBufferPointer { bytes in
                for row in 0..<rows.count {
                    for place in 0..<width {
                        let signs = Self.signs[Int(bytes[row * width + place])], first = row * dimension + 8 * place
                        if place < whole {
                            out.storeBytes(of: signs, toByteOffset: 4 * first, as: SIMD8<Float>.self)
                        } else {
                            for bit in 0..<dimension % 8 { values[first + bit] = signs[bit] }
                        }
                    }
                }
            }
        }
    }

    /// The components that a byte of a binary row stands for.
    private static let signs = (0..<256).map { byte in
        SIMD8<Float>((0..<8).map { byte & (0x80 >> $0) != 0 ? 1 : -1 })
    }

    func notFinite(_ row: Int) -> DataError {
        DataError(.badData, "the vector of row \(row) (rows are numbered from 0) contains NaN or infinity", file: path)
    }

    /// Vectors as Float, row-major, shape (rows, dimension).
    public func readEmbeddings(rows: Range<Int>? = nil) throws -> [Float] {
        let rows = rows ?? 0..<count
        let size = rows.count.multipliedReportingOverflow(by: dimension)
        guard !size.overflow, size.partialValue <= 1 << 36 else {
            throw DataError(.badData, "/embeddings is too large to be read at once", file: path)
        }
        try MemoryBudget.require(size.partialValue * MemoryLayout<Float>.stride, for: "the vectors", file: path)
        return try [Float](unsafeUninitializedCapacity: size.partialValue) { buffer, initialized in
            try readEmbeddings(rows: rows, into: UnsafeMutableBufferPointer(rebasing: buffer[..<size.partialValue]))
            initialized = size.partialValue
        }
    }

    /// The Euclidean length of each vector as the file states it; nil in files that do not (of earlier versions and of other storage than
    /// float32).
    public func statedNorms() throws -> [Float]? { set == nil ? try norms?.read(Float.self) : nil }

    /// Maps a dataset of the file; nil if its bytes cannot be mapped.
    func mapped(_ dataset: HDF5Dataset, as type: Int64) throws -> MappedFile? { try container.mapped(dataset, as: type) }

    /// The texts of `rows`, from 0; of all rows if nil. An empty cell is an empty text.
    ///
    /// - Throws: `DataError` if the file is damaged.
    public func texts(rows: Range<Int>? = nil) throws -> [String] {
        try set?.gather(rows) { try $0.texts(rows: $1) } ?? texts.strings(rows: rows)
    }
    /// Nil if the file has no groups.
    package func groups(rows: Range<Int>? = nil) throws -> [String]? {
        try groups.map { groups in try set?.gather(rows) { try $0.groups(rows: $1) ?? [] } ?? groups.strings(rows: rows) }
    }
    /// Nil if the file has no ids.
    package func ids(rows: Range<Int>? = nil) throws -> [String]? {
        try ids.map { ids in try set?.gather(rows) { try $0.ids(rows: $1) ?? [] } ?? ids.strings(rows: rows) }
    }
    /// A column by the input's name for it, or by `id`, `group` or `text` for the column with that role; nil if absent.
    public func column(_ name: String, rows: Range<Int>? = nil) throws -> [String]? {
        try layout.column(named: name).map { try column($0, rows: rows) }
    }
    /// A column of the layout.
    public func column(_ column: VectorLayout.Column, rows: Range<Int>? = nil) throws -> [String] {
        switch column.role {
        case .text: try texts(rows: rows)
        case .group: try groups(rows: rows) ?? []
        case .id: try ids(rows: rows) ?? []
        case .other(let place): try set?.gather(rows) { try $0.column(column, rows: $1) } ?? columns[place].strings(rows: rows)
        }
    }
    /// A column as categories.
    /// - Throws: `DataError` of kind `usage` that lists the columns if none has this name.
    public func factor(_ name: String) throws -> Factor {
        let found = try layout.requiredColumn(named: name, file: path)
        return Factor(name: found.name, values: try column(found))
    }
    /// False for empty cells.
    public func valid(rows: Range<Int>? = nil) throws -> [Bool] {
        if let set { return try set.gather(rows) { try $0.valid(rows: $1) } }
        return try valid?.read(UInt8.self, rows: rows).map { $0 != 0 } ?? Array(repeating: true, count: (rows ?? 0..<count).count)
    }

    /// Rows with all that belongs to them.
    package func block(rows: Range<Int>) throws -> VectorBlock {
        VectorBlock(
            texts: try texts(rows: rows), groups: try groups(rows: rows) ?? [], ids: try ids(rows: rows) ?? [],
            columns: try layout.columnNames.indices.map { try column(VectorLayout.Column(name: "", role: .other($0)), rows: rows) },
            valid: try valid(rows: rows), embeddings: try readEmbeddings(rows: rows))
    }

    // MARK: Names of columns as names of datasets

    /// HDF5 reads `/` in a name as a path and `.` as the group itself; both are written in the manner of URLs.
    static func escaped(_ name: String) -> String {
        if name == "." { return "%2E" }
        return name.replacing("%", with: "%25").replacing("/", with: "%2F")
    }
    static func unescaped(_ name: String) -> String {
        name.replacing("%2F", with: "/").replacing("%2E", with: ".").replacing("%25", with: "%")
    }
}
