import ArgumentParser
import Figures
import FileFormats
import Foundation
import Tensors
import VectorStore

/// Options of commands that draw a map.
struct FigureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A picture to draw: .svg, .pdf or .png; may be given several times.", valueName: "file"))
    var figure: [String] = []

    @Option(help: ArgumentHelp("An interactive map for the browser, in one file.", valueName: "file"))
    var html: String?

    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.")
    var width = "85mm"

    @Option(help: "Height of the picture; by default chosen automatically.")
    var height: String?

    @Option(help: "Font family of the picture.")
    var font: String?

    @Option(help: "Labels in the picture: auto, none, group, text, or a column.")
    var label = "auto"

    @Option(
        help: ArgumentHelp(
            "Colour points by this column: names as groups, numbers on a scale. By default the file's groups.", valueName: "column"))
    var colorBy: String?

    @Flag(help: "Draw hulls around groups.")
    var hulls = false

    @Flag(inversion: .prefixedNo, help: "Print a line below the picture that says how it was made.")
    var caption = true

    @Option(help: "Title of the picture and page.")
    var title: String?

    @Option(help: "Language of the picture: en or ja.")
    var language = SessionLanguage.files.rawValue

    @Flag(help: "Leave out the sentences in page and table.")
    var withoutText = false

    func validate() throws {
        if FigureLanguage(rawValue: language) == nil { throw ValidationError("--language is en or ja, not '\(language)'") }
        for file in figure { try OutputName.require(file, OutputName.figures, "a picture is written") }
        try OutputName.require(html, OutputName.pages, "a page is written")
    }

    /// All files that are drawn.
    var files: [String?] { figure + [html] }
    var isWanted: Bool { !figure.isEmpty || html != nil }
    var words: FigureLanguage { FigureLanguage(rawValue: language) ?? .english }

    /// What points are coloured by.
    private enum Colours {
        case groups([String]?, title: String?)
        case numbers([Double], title: String)
    }

    private func colours(_ map: MapRows) throws -> Colours {
        guard let colorBy else { return .groups(map.groups, title: nil) }
        guard let column = map.file.layout.column(named: colorBy) else {
            throw DataError(
                .usage,
                "--color-by '\(colorBy)' is not a column; expected one of "
                    + "\(map.file.layout.columns.map(\.name).joined(separator: ", "))")
        }
        let values = try map.file.column(column), chosen = map.rows.map { values[$0] },
            table = Table(name: map.name, columns: [(colorBy, chosen)]).column(at: 0)
        // A few whole numbers are names of groups; more, or fractions, are a scale.
        if table.kind == .number || table.kind == .integer && Set(chosen).count > 12 {
            return .numbers(try table.optionalNumbers().map { $0 ?? .nan }, title: colorBy)
        }
        return .groups(chosen, title: colorBy)
    }

    /// - Throws: `DataError` if --color-by names no column; asked before work that takes long.
    func check(_ file: VectorFile) throws { if isWanted { _ = try colours(try MapRows(file, name: "map")) } }

    /// Draws what was asked for.
    func draw(_ map: MapRows, caption text: String, axes: ScatterMap.Axes, neighbours: [[Int]]? = nil, provenance: Provenance) throws {
        let caption = self.caption ? (words == .japanese ? Translation.caption(text) : text) : nil, colours = try colours(map)
        if !figure.isEmpty {
            var options = ScatterMap.Options()
            options.page = try font.map(PageStyle.requiring(font:)) ?? PageStyle()
            options.page.width = try Length(parsing: width)
            options.page.height = try height.map(Length.init(parsing:))
            options.page.language = words
            options.title = title
            options.caption = caption
            options.axes = axes
            options.hulls = hulls ? .convex : .none
            switch label {
            case "auto": options.labels = .automatic
            case "none": options.labels = .none
            case "group": options.labels = .groups
            case "text": options.labels = .points(map.texts)
            default:
                guard let column = map.file.layout.column(named: label) else {
                    let names =
                        ["auto", "none", "group", "text"] + map.file.layout.columns.map(\.name).filter { !["group", "text"].contains($0) }
                    throw DataError(.usage, "--label '\(label)' is not a column; expected one of \(names.joined(separator: ", "))")
                }
                let values = try map.file.column(column)
                options.labels = .points(map.rows.map { values[$0] })
            }
            let scatter: ScatterMap
            switch colours {
            case .groups(let groups, let title):
                options.groupTitle = title
                scatter = try ScatterMap(points: map.points, groups: groups, options: options)
            case .numbers(let values, let title):
                scatter = try ScatterMap(points: map.points, values: values, title: title, options: options)
            }
            for file in figure {
                try scatter.write(to: URL(fileURLWithPath: file))
                try provenance.write(beside: file)
            }
        }
        if let html {
            var page = try MapPage(points: map.points)
            page.title = title ?? map.name
            page.caption = caption
            // In English, the page follows the browser.
            page.language = words == .japanese ? .japanese : nil
            page.texts = map.texts
            page.ids = map.ids
            if case .groups(let groups, _) = colours { page.groups = groups }
            page.rows = map.rows
            page.columns = map.columns.map { MapPage.Column(name: $0.name, cells: $0.values) }
            page.neighbors = neighbours
            page.withoutText = withoutText
            try page.write(to: URL(fileURLWithPath: html))
            try provenance.write(beside: html)
        }
    }
}

/// The rows of a vector file that are drawn: those that are not empty, with all that belongs to them.
struct MapRows {
    let file: VectorFile
    let name: String
    /// Row in the vector file, from 0.
    let rows: [Int]
    var points: [(x: Double, y: Double)] = []
    let texts: [String]
    let groups: [String]?
    let ids: [String]?
    let columns: [(name: String, values: [String])]

    init(_ file: VectorFile, name: String) throws {
        self.file = file
        let valid = try file.valid(), rows = valid.indices.filter { valid[$0] }
        func kept(_ values: [String]) -> [String] { rows.map { values[$0] } }
        self.name = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
        self.rows = rows
        texts = kept(try file.texts())
        groups = try file.groups().map(kept)
        ids = try file.ids().map(kept)
        columns = try file.layout.columns.filter { if case .other = $0.role { true } else { false } }.map {
            ($0.name, kept(try file.column($0)))
        }
    }

    /// The vectors of the rows that are drawn.
    func matrix() throws -> Tensor<Float> { rows.count == file.count ? try file.vectors() : try file.gather(rows) }

    /// Takes the coordinates of a map of one or two dimensions.
    mutating func place(_ y: Tensor<Float>) { points = (0..<y.rows).map { (Double(y[$0, 0]), y.columns == 2 ? Double(y[$0, 1]) : 0) } }

    /// Writes the table behind the map: row, coordinates, then all columns of the vector file.
    func write(to output: String, withoutText: Bool, _ style: TableOutputOptions, provenance: Provenance) throws {
        let carried = CarriedColumns(file, withoutText: withoutText), values = try carried.read()
        try ResultTable(["row", "x", "y"] + carried.tableColumns(), style).write(to: output, provenance: provenance) { append in
            for (point, row) in zip(points, rows) {
                try append([.integer(row), .single(Float(point.x)), .single(Float(point.y))] + values.map { .text($0[row]) })
            }
        }
    }
}
