import FileFormats
import Foundation

/// A map for looking: one HTML file with everything in it, which opens in any browser without a network.
///
/// Points are drawn with WebGL (or on a plain canvas) and stay smooth with a million of them: while the view moves, a fair sample
/// of the points is drawn, as large as the machine can draw in time. Hovering shows a sentence, clicking its neighbours; zoom, pan, lasso,
/// search (NFKC, without regard to case), colours by group or by any column, CSV of a selection. Words are Japanese where the browser is.
public struct MapPage: Sendable {
    /// A further column of the input.
    public struct Column: Sendable {
        /// The values of a column, one per point.
        public enum Values: Sendable {
            /// One name per point; empty if absent.
            case names([String])
            /// One number per point; NaN if absent.
            case numbers([Double])
        }
        /// The column's name.
        package var name: String
        /// One value per point.
        package var values: Values
        /// A column of names or numbers.
        public init(name: String, values: Values) {
            self.name = name
            self.values = values
        }

        /// Numbers where every cell that is not empty is a number, else names.
        public init(name: String, cells: [String]) {
            var numbers: [Double] = []
            numbers.reserveCapacity(cells.count)
            var hasNumber = false
            for cell in cells {
                let trimmed = cell.trimmingCharacters(in: .whitespaces)
                if trimmed.isEmpty {
                    numbers.append(.nan)
                } else if let number = Double(trimmed), number.isFinite {
                    numbers.append(number)
                    hasNumber = true
                } else {
                    self.init(name: name, values: .names(cells))
                    return
                }
            }
            self.init(name: name, values: hasNumber ? .numbers(numbers) : .names(cells))
        }
    }

    /// The page's title.
    public var title: String?
    /// A line below the map: method, metric, parameters.
    public var caption: String?
    /// Sentences, one a point.
    public var texts: [String]?
    /// What sentences are called elsewhere.
    public var ids: [String]?
    /// The group of each point, which colours it.
    public var groups: [String]?
    /// Further columns, to colour by and to show.
    public var columns: [Column] = []
    /// The row of each point in its file, from 0, where it is not simply its place in the list.
    package var rows: [Int]?
    /// For each point the places of its nearest neighbours in the space of the vectors, nearest first, from 0; without them the page shows
    /// the nearest points on the map.
    package var neighbors: [[Int]]?
    /// Of the words on the page; nil for the browser's.
    package var language: FigureLanguage?
    /// Leaves out the sentences, for data that may not be shared.
    package var withoutText = false

    private let points: [Scene.Point]

    /// - Parameter points: coordinates `(n, 2)`, y upward.
    /// - Throws: `DataError` for coordinates that are not finite.
    public init(points: [(x: Double, y: Double)]) throws {
        guard !points.isEmpty else { throw DataError(.badData, "a map needs at least one point") }
        if let bad = points.firstIndex(where: { !($0.x.magnitude < 1e300 && $0.y.magnitude < 1e300) }) {
            throw DataError(.badData, "point \(bad + 1) has coordinates (\(points[bad].x), \(points[bad].y)); a map needs finite numbers")
        }
        self.points = points.map { Scene.Point($0.x, $0.y) }
    }

    /// Writes the page. The file appears when it is complete.
    public func write(to file: URL) throws { try Output.write(html(), to: file) }

    /// The page as UTF-8.
    ///
    /// - Throws: `DataError` if a list and the points differ in length, or a neighbour is not a point.
    package func html() throws -> [UInt8] {
        try checkLengths()
        return Self.filled { place in
            switch place {
            // The script sets the browser's where no language was asked for.
            case "lang": return Array((language ?? .english).rawValue.utf8)
            case "title": return Array(SVGWriter.escaped(Typesetter.oneLine(title ?? "Kotonoha")).utf8)
            case "head":
                // Nothing may be loaded: all of the page is in this file.
                let policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
                let spoken = language.map { "<meta name=\"language\" content=\"\($0.rawValue)\">\n" } ?? ""
                return Array("<meta http-equiv=\"Content-Security-Policy\" content=\"\(policy)\">\n\(spoken)<style>\n".utf8)
                    + PackageResources.page_css + Array("</style>\n".utf8)
            case "data":
                var bytes: [UInt8] = []
                bytes.reserveCapacity(points.count * 12)
                appendData(to: &bytes)
                return bytes
            case "script":
                var bytes: [UInt8] = []
                appendTexts(to: &bytes)
                return bytes + Array("<script>\n".utf8) + ServedPage.script + Array("</script>\n".utf8)
            default: return []
            }
        }
    }

    /// The template with its places `{{name}}` filled.
    static func filled(_ content: (Substring) -> [UInt8]) -> [UInt8] {
        let parts = String(decoding: PackageResources.page_html, as: UTF8.self).components(separatedBy: "{{")
        var page = Array(parts[0].utf8)
        for part in parts.dropFirst() {
            guard let end = part.range(of: "}}") else { continue }
            page += content(part[..<end.lowerBound])
            page += part[end.upperBound...].utf8
        }
        return page
    }

    // MARK: Content

    private static let blockSize = 20_000

    private func checkLengths() throws {
        func check(_ count: Int?, _ what: String) throws {
            guard let count, count != points.count else { return }
            throw DataError(.usage, "\(points.count) points but \(count) \(what)")
        }
        try check(texts?.count, "texts")
        try check(ids?.count, "ids")
        try check(groups?.count, "groups")
        try check(rows?.count, "row numbers")
        try check(neighbors?.count, "lists of neighbours")
        for column in columns {
            switch column.values {
            case .names(let names): try check(names.count, "values of the column \(column.name)")
            case .numbers(let numbers): try check(numbers.count, "values of the column \(column.name)")
            }
        }
        if let neighbors, let bad = neighbors.firstIndex(where: { $0.contains { !points.indices.contains($0) } }) {
            throw DataError(.badData, "point \(bad + 1) has a neighbour outside 0 to \(points.count - 1)")
        }
        if let rows, rows.contains(where: { $0 < 0 || $0 > Int(UInt32.max) }) {
            throw DataError(.badData, "a row number is negative or too large")
        }
    }

    private func appendData(to page: inout [UInt8]) {
        let places = points.map { (x: $0.x, y: $0.y) }, extent = PlaneExtent(places), shares = places.map(extent.share)
        var json = JSONText()
        json.open()
        json.member("count", number: Double(points.count))
        json.member("title", string: title)
        json.member("caption", string: caption)
        json.member("aspect", number: extent.aspect)
        json.key("extent")
        json.raw("[\(extent.left),\(extent.low),\(extent.width),\(extent.height)]")
        json.member("x", base64: shares.map { Float($0.x) })
        json.member("y", base64: shares.map { Float($0.y) })
        if let rows { json.member("rows", base64: rows.map(UInt32.init(truncatingIfNeeded:))) }
        json.key("palette")
        json.strings(Palette.groups.map(\.longHex))
        json.key("ramp")
        json.strings(Palette.Scale.sequential.anchors.map(\.longHex))
        if let neighbors {
            let width = neighbors.lazy.map(\.count).max() ?? 0
            json.member("neighborCount", number: Double(width))
            json.member("neighbors", base64: neighbors.flatMap { list in (0..<width).map { $0 < list.count ? Int32(list[$0]) : -1 } })
        }
        json.member("blockSize", number: Double(Self.blockSize))
        json.key("columns")
        json.raw("[")
        if let groups { Self.append(names: groups, called: "", flag: "isGroup", points: points, to: &json) }
        if let ids { Self.append(names: ids, called: "id", flag: "isID", points: points, to: &json) }
        for column in columns {
            switch column.values {
            case .names(let names): Self.append(names: names, called: column.name, flag: nil, points: points, to: &json)
            case .numbers(let numbers): Self.append(numbers: numbers, called: column.name, to: &json)
            }
        }
        json.raw("]")
        json.close()
        page += json.bytes
    }

    static func append(names: [String], called name: String, flag: String?, points: [Scene.Point], to json: inout JSONText) {
        let grouping = Grouping(names)
        json.open()
        json.member("kind", string: "name")
        json.member("name", string: name)
        if let flag {
            json.key(flag)
            json.raw("true")
        }
        json.key("names")
        json.strings([""] + grouping.names)
        // Places count from 1; 0 says that a point has no value.
        let places = grouping.index.map { $0 + 1 }
        switch grouping.names.count {
        case ..<256:
            json.member("width", number: 1)
            json.member("values", base64: places.map(UInt8.init(truncatingIfNeeded:)))
        case ..<65_536:
            json.member("width", number: 2)
            json.member("values", base64: places.map(UInt16.init(truncatingIfNeeded:)))
        default:
            json.member("width", number: 4)
            json.member("values", base64: places.map(UInt32.init(truncatingIfNeeded:)))
        }
        if flag != "isID" {
            let colors = grouping.colors(middles: grouping.names.count <= Grouping.legendLimit ? [] : grouping.middles(points))
            json.key("colors")
            json.raw("[0" + colors.map { ",\($0)" }.joined() + "]")
        }
        json.close()
    }

    static func append(numbers: [Double], called name: String, to json: inout JSONText) {
        let (low, high) = ColorBar.range(numbers)
        json.open()
        json.member("kind", string: "number")
        json.member("name", string: name)
        json.member("low", number: low)
        json.member("high", number: high)
        json.member("values", base64: numbers.map { $0.isFinite ? Float($0) : .nan })
        json.close()
    }

    private func appendTexts(to page: inout [UInt8]) {
        guard !withoutText, let texts else { return }
        for start in stride(from: 0, to: texts.count, by: Self.blockSize) {
            var json = JSONText()
            json.strings(texts[start..<min(start + Self.blockSize, texts.count)])
            page += "<script type=\"application/json\" class=\"texts\">".utf8
            page += json.bytes
            page += "</script>\n".utf8
        }
    }
}

extension Color {
    /// `#rrggbb`, never shortened.
    var longHex: String { "#" + [red, green, blue].map { String(Int($0) + 256, radix: 16).dropFirst() }.joined() }
}

/// JSON that may stand inside an HTML script element: `<`, `>` and `&` are escaped, so that no text can end the element or open a comment.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    mutating func raw(_ text: String) {
        if text != "]" { separate() }
        bytes += text.utf8
        needsComma = text != "["
    }
    mutating func open() {
        separate()
        bytes.append(UInt8(ascii: "{"))
    }
    mutating func close() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }
    mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }
    mutating func member(_ name: String, string value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }
    mutating func member(_ name: String, number: Double) {
        key(name)
        raw(number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number))
    }
    /// Numbers as their bytes, little-endian, in base 64.
    mutating func member<Number: BitwiseCopyable>(_ name: String, base64 numbers: [Number]) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        bytes += numbers.withUnsafeBytes { Data($0).base64EncodedData() }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }
    mutating func strings(_ list: some Sequence<String>) {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
        for text in list { string(text) }
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }
    mutating func string(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7F, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }
}
