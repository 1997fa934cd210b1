import Foundation
import Kotonoha
import Synchronization

/// A map that is looked at in a browser: points in the order of a Morton curve, and everything that belongs to their rows.
///
/// The page knows points by their place in that order; rows of the vector file stand in exports and in texts.
public final class ExploreMap: Sendable {
    let title: String
    let caption: String
    public let index: VectorIndex
    let points: MortonPoints
    /// The row of each place.
    let rows: [Int]
    let positions: [(x: Double, y: Double)]
    let columns: [TextColumn]
    /// Another map of the same rows, shown beside this one.
    let second: SecondMap?
    /// Positions and row numbers, as the page reads them.
    let blob: [UInt8]
    /// The same of the second map.
    let secondBlob: [UInt8]
    private let threads: Int
    private let placeOfRow: [Int32]
    private let folded = Mutex<FoldedTexts?>(nil)
    private let columnAnswers = Mutex<[Int: [UInt8]]>([:])
    private let foundLabels = Mutex<[MapLabels.Label]?>(nil)

    /// Rows that the page asks for at once.
    static let blockSize = 256

    /// - Parameters:
    ///   - coordinates: one a point, finite.
    ///   - rows: the row of each point in the vector file.
    ///   - second: coordinates and rows of another map of the file.
    /// - Throws: `DataError` where a row is not in the file, or the maps have none in common.
    public init(
        title: String, caption: String, coordinates: [(x: Double, y: Double)], rows pointRows: [Int], index: VectorIndex,
        second other: (title: String, caption: String, coordinates: [(x: Double, y: Double)], rows: [Int])? = nil, threads: Int
    ) throws {
        (self.title, self.caption, self.index, self.threads) = (title, caption, index, threads)
        guard !coordinates.isEmpty else { throw DataError(.badData, "a map needs at least one point") }
        if let bad = pointRows.first(where: { $0 < 0 || $0 >= index.file.count }) {
            throw DataError(
                .badData, "the map has a point for row \(bad), but the vector file has \(index.file.count) rows; it is another file's map",
                file: index.file.path)
        }
        let points = MortonPoints(coordinates), rows = points.order.map { pointRows[$0] }
        (self.points, self.rows) = (points, rows)
        let positions = points.order.map { coordinates[$0] }
        self.positions = positions
        blob = try points.blob(rows: rows)
        var columns = try index.file.layout.columns.map { try TextColumn($0, of: index.file) }
        second = try other.map {
            try SecondMap(
                title: $0.title, caption: $0.caption, coordinates: $0.coordinates, rows: $0.rows, onto: rows, first: positions,
                threads: threads)
        }
        secondBlob = try second?.blob() ?? []
        if let second {
            var cells = [String](repeating: "", count: index.file.count)
            for (place, share) in second.overlap.enumerated() { if let share { cells[rows[place]] = String(Float(share)) } }
            columns.append(TextColumn(name: Self.freeName("overlap", among: columns.map(\.name)), place: columns.count, cells: cells))
        }
        self.columns = columns
        var places = [Int32](repeating: -1, count: index.file.count)
        for (place, row) in rows.enumerated() { places[row] = Int32(place) }
        placeOfRow = places
    }

    func place(ofRow row: Int) -> Int? { placeOfRow[row] < 0 ? nil : Int(placeOfRow[row]) }

    private static func freeName(_ name: String, among names: [String]) -> String {
        names.contains(name) ? freeName(name + "_", among: names) : name
    }

    /// Does beforehand what the first picture waits for: the column that the page colours by.
    public func prepareFirstPicture() {
        if let first = columns.firstIndex(where: { $0.role == .group }) ?? columns.firstIndex(where: \.isOther) { _ = try? column(first) }
    }

    /// Does beforehand what the first question would wait for: codes of the vectors, folded texts and names of hills. For a thread of its own, which
    /// steps back for whatever a page asks meanwhile.
    public func prepareQuestions() {
        _ = nice(10)  // of this thread, on Linux
        try? index.prepareCodes(threads: 1)
        _ = texts(threads: 1)
        _ = labels(threads: 1)
    }

    /// Names of the map's hills; found when first wanted.
    func labels(threads: Int? = nil) -> [MapLabels.Label] {
        foundLabels.withLock { found in
            if let found { return found }
            var made: [MapLabels.Label] = []
            if let texts = columns.first(where: { $0.role == .text }) {
                let (extent, rows) = (points.extent, rows)
                made = MapLabels.find(
                    shares: positions.map(extent.share), aspect: extent.aspect, text: { texts.utf8(rows[$0]) },
                    threads: threads ?? self.threads)
            }
            found = made
            return made
        }
    }

    /// Texts, ids and groups, folded for search; made when first wanted.
    func texts(threads: Int? = nil) -> FoldedTexts {
        folded.withLock { folded in
            if let folded { return folded }
            let made = FoldedTexts(columns.filter { !$0.isOther }, rows: rows, threads: threads ?? self.threads)
            folded = made
            return made
        }
    }

    // MARK: What the page asks for

    /// What the page needs to begin.
    func start(canSearchMeaning: Bool) -> [UInt8] {
        let extent = points.extent
        let list = columns.map { column -> JSON in
            let role =
                switch column.role {
                case .id: "id"
                case .group: "group"
                case .text: "text"
                case .other: "other"
                }
            return .object([("name", .string(column.name)), ("role", .string(role))])
        }
        let facts = JSON.object(
            [
                ("count", .integer(rows.count)), ("title", .string(title)), ("caption", .string(caption)),
                ("aspect", .number(extent.aspect)),
                ("extent", .array([extent.left, extent.low, extent.width, extent.height].map(JSON.number))),
                ("blockSize", .integer(Self.blockSize)), ("columns", .array(list)),
                ("meaning", .bool(canSearchMeaning)),
            ]
                + (second.map {
                    [
                        (
                            "second",
                            JSON.object([
                                ("title", .string($0.title)), ("caption", .string($0.caption)), ("aspect", .number($0.extent.aspect)),
                            ])
                        )
                    ]
                } ?? []))
        var bytes: [UInt8] = []
        facts.write(to: &bytes)
        bytes.removeLast()
        return bytes + Array(("," + ServedPage.colors + "}").utf8)
    }

    /// A column's values in the order of the places, as compressed JSON; kept, since every reload asks for it.
    func column(_ number: Int) throws -> [UInt8] {
        try columnAnswers.withLock { answers in
            if let known = answers[number] { return known }
            let column = columns[number]
            let made = try GZip.compressed(
                ServedPage.column(MapPage.Column(name: column.name, cells: rows.map { column[$0] }), points: positions), level: 1)
            answers[number] = made
            return made
        }
    }

    /// All cells of the rows of a block of places.
    func block(_ number: Int) -> [UInt8] {
        var json = JSONBytes()
        json.raw("[")
        for place in number * Self.blockSize..<min(rows.count, (number + 1) * Self.blockSize) {
            json.raw(place == number * Self.blockSize ? "[" : ",[")
            for (count, column) in columns.enumerated() {
                if count > 0 { json.raw(",") }
                json.value(.string(column[rows[place]]))
            }
            json.raw("]")
        }
        json.raw("]")
        return json.bytes
    }

    /// The places of the rows nearest to a vector, with cosines.
    func nearest(_ query: Tensor<Float>, top: Int, except: Int? = nil) throws -> JSON {
        let found = try index.search(query, top: top + rows.count - placesOnMap, filters: [], except: except, threads: threads)[0]
        return .array(
            found.lazy.compactMap { hit in self.place(ofRow: hit.row).map { JSON.array([.integer($0), .number(Double(hit.score))]) } }
                .prefix(top).map(\.self))
    }

    /// Rows that are on the map; where some are not, a search asks for more.
    private var placesOnMap: Int { rows.count == index.file.count ? rows.count : max(0, rows.count - 1000) }

    func neighbours(of place: Int, top: Int) throws -> JSON {
        let row = rows[place]
        return try nearest(index.vector(ofRow: row), top: top, except: row)
    }

    /// A table of places: rows, coordinates and all columns, in the order of the rows.
    /// - Parameter label: a column with one value; then the table has the rows and this column only, so that `kotonoha vectors label` adds it and
    ///   leaves all others as they are.
    func export(_ places: [Int], format: TableOutputFormat, label: (name: String, value: String)?) throws -> [UInt8] {
        let sorted = places.sorted { rows[$0] < rows[$1] }
        let heads: [TableColumn] = label.map { ["row", TableColumn($0.name)] } ?? ["row", "x", "y"] + columns.map { .carried($0.name) }
        func fill(_ writer: TableWriter) throws {
            for place in sorted {
                let row = rows[place]
                if let label {
                    try writer.write([.integer(row), .text(label.value)])
                } else {
                    try writer.write(
                        [.integer(row), .single(Float(positions[place].x)), .single(Float(positions[place].y))]
                            + columns.map { .text($0[row]) })
                }
            }
            try writer.finish()
        }
        var options = TableWriterOptions()
        options.hasByteOrderMark = format == .csv
        options.isSafeCSV = false
        guard format == .xlsx else {
            var bytes: [UInt8] = []
            try fill(TableWriter(stream: { bytes.append(contentsOf: $0) }, format: format, columns: heads, options: options))
            return bytes
        }
        // A spreadsheet is written to a file, which nobody else sees.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kotonoha-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("selection.xlsx")
        try fill(TableWriter(path: path.path, columns: heads))
        return [UInt8](try Data(contentsOf: path))
    }
}

extension ExploreMap {
    /// Opens a map and its vector file.
    ///
    /// - Parameters:
    ///   - input: `map.h5`, or a vector file, whose first two principal components are drawn.
    ///   - vectors: the vector file of the map; looked for beside it, by the name that it gives, where nil.
    ///   - second: another map of the same vector file.
    /// - Throws: `DataError` where a file is missing or they do not belong together.
    public static func open(
        _ input: String, vectors: String?, second: String? = nil, title: String?, threads: Int,
        openIndex: (VectorFile) throws -> VectorIndex
    ) throws -> ExploreMap {
        if try HDF5Container(path: input).attribute("format")?.string == "kotonoha/map" {
            let map = try MapFile(path: input)
            let named = map.source.map { URL(fileURLWithPath: input).deletingLastPathComponent().appendingPathComponent($0).path }
            guard let path = vectors ?? named else {
                throw DataError(.usage, "the map does not name its vector file; give it with --vectors", file: input)
            }
            guard FileManager.default.fileExists(atPath: path) else {
                throw DataError(.noInput, "the vector file '\(path)' of the map is not there; give it with --vectors", file: input)
            }
            if let hash = map.sourceSHA256, !hash.isEmpty, try SHA256.hex(ofFile: path) != hash {
                throw DataError(.badData, "this is not the vector file that the map was made of (their hashes differ)", file: path)
            }
            let other = try second.map { try beside(map, path, $0) }, index = try openIndex(VectorFile(path: path))
            return try ExploreMap(
                title: title ?? name(of: input), caption: caption(of: map), coordinates: points(of: map), rows: map.rows, index: index,
                second: other,
                threads: threads)
        }
        guard vectors == nil else { throw DataError(.usage, "--vectors belongs to a map; this is a vector file itself", file: input) }
        let other = try second.map { try beside(nil, input, $0) }, index = try openIndex(VectorFile(path: input))
        let rows = index.valid.indices.filter { index.valid[$0] }
        guard rows.count > 2 else { throw DataError(.badData, "there are too few rows for a map", file: input) }
        let model = try PCA(components: .count(2), threads: threads).fit(index.vectors, valid: index.valid)
        let y = try model.transform(index.vectors, threads: threads)
        return try ExploreMap(
            title: title ?? name(of: input), caption: "PCA, n = \(rows.count)",
            coordinates: rows.map { (Double(y[$0, 0]), y.columns > 1 ? Double(y[$0, 1]) : 0) },
            rows: rows, index: index, second: other, threads: threads)
    }

    /// A second map, which must be of the same vector file.
    private static func beside(
        _ first: MapFile?, _ vectors: String, _ path: String
    ) throws -> (title: String, caption: String, coordinates: [(x: Double, y: Double)], rows: [Int]) {
        guard try HDF5Container(path: path).attribute("format")?.string == "kotonoha/map" else {
            throw DataError(.usage, "--second expects a map (map.h5)", file: path)
        }
        let map = try MapFile(path: path)
        if let hash = map.sourceSHA256, !hash.isEmpty, try hash != first?.sourceSHA256 && hash != SHA256.hex(ofFile: vectors) {
            throw DataError(.badData, "the second map was made of another vector file (their hashes differ)", file: path)
        }
        return (name(of: path), caption(of: map), points(of: map), map.rows)
    }

    private static func name(of path: String) -> String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }
    private static func caption(of map: MapFile) -> String { "\(map.method), n = \(map.coordinates.rows)" }
    private static func points(of map: MapFile) -> [(x: Double, y: Double)] {
        let y = map.coordinates
        return (0..<y.rows).map { (Double(y[$0, 0]), y.columns > 1 ? Double(y[$0, 1]) : 0) }
    }
}
