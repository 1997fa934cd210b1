import ArgumentParser
import Figures
import FileFormats
import Foundation
import Networks
import Tensors

struct DrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draw", abstract: "Draw teaching figures: sinusoidal positions, character frequencies, overfitting.",
        discussion: "Attention is drawn by `generate --attention`, maps by `tsne` and `pca`.",
        subcommands: [DrawPositionsCommand.self, DrawCharactersCommand.self, DrawOverfittingCommand.self])
}

struct DrawPositionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "positions", abstract: "Curves of the sinusoidal position encoding (Vaswani et al. 2017).",
        discussion:
            "Column 2i of position p is sin(p / 10000^(2i/size)), column 2i + 1 the cosine. The default draws dimensions 4 to 7 of 20 over positions 0 to 99."
    )

    @Option(name: .shortAndLong, help: "The picture: .svg, .pdf or .png.") var output: String
    @Option(in: .dimension, help: "Dimensions of the encoding.") var size = 20
    @Option(help: "Dimensions to draw, from 0, such as 4-7.") var dimensions = "4-7"
    @Option(in: Bounds(2...100_000), help: "Positions, from 0.") var positions = 100
    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.") var width = "120mm"
    @Option(help: "Language of the picture: en or ja.") var language: FigureLanguage = SessionLanguage.files.figures

    @OptionGroup(title: "Output") var writing: OutputOptions

    private var drawn: ClosedRange<Int>? {
        let ends = dimensions.split(separator: "-", maxSplits: 1).map { Int($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first >= 0, first <= last, last < size, last - first < 20 else {
            return nil
        }
        return first...last
    }

    func validate() throws {
        try OutputName.require(output, OutputName.figures, "a picture is written")
        guard drawn != nil else {
            throw ValidationError("--dimensions '\(dimensions)' should look like 4-7, below --size \(size), at most 20 of them")
        }
    }

    func run() throws {
        try writing.check(inputs: [], files: [output])
        let table: Tensor<Double> = sinusoidalPositions(positions, size: size), isJapanese = language == .japanese
        var options = LineChart.Options()
        options.title = isJapanese ? "正弦波の位置符号(\(size) 次元)" : "Sinusoidal positions, \(size) dimensions"
        options.xTitle = isJapanese ? "位置" : "position"
        options.yTitle = isJapanese ? "値" : "value"
        options.page.width = try Length(parsing: width)
        options.page.language = language
        let curves = (drawn ?? 0...0).map { dimension in
            LineChart.Series(isJapanese ? "第 \(dimension) 次元" : "dimension \(dimension)", y: (0..<positions).map { table[$0, dimension] })
        }
        try LineChart(curves, options: options).write(to: URL(fileURLWithPath: output))
        try provenance().write(beside: output)
    }
}

struct DrawCharactersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "characters", abstract: "Character frequencies of a text, by rank.",
        discussion: "White space is not counted. --table writes all counts.")

    @Argument(help: "The text, or a table with --column; - is standard input.") var input: String
    @Option(name: .shortAndLong, help: "The picture: .svg, .pdf or .png.") var output: String
    @Option(help: "Columns to count, by name or number from 1; all if not given. May be repeated.") var column: [String] = []
    @Option(in: Bounds(1...1000), help: "Characters to show.") var top = 40
    @Flag(help: "Use a logarithmic frequency axis (Zipf).") var logarithmic = false
    @Option(help: "All counts, as .csv, .tsv or .xlsx.") var table: String?
    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.") var width = "170mm"
    @Option(help: "Language of the picture: en or ja.") var language: FigureLanguage = SessionLanguage.files.figures
    @OptionGroup(title: "Input") var reading: TableArguments
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions

    func validate() throws {
        try OutputName.require(output, OutputName.figures, "a picture is written")
        try OutputName.requireTable(table)
    }

    func run() throws {
        try writing.check(inputs: [input], files: [output, table])
        let rows = try TextTable(path: input, options: reading.options(), wanted: column)
        let wanted = try column.map(rows.index)
        var counts: [Character: Int] = [:], cells: [String] = []
        while try rows.next(into: &cells) != nil {
            for index in column.isEmpty ? Array(cells.indices) : wanted {
                for character in cells[index] where !character.isWhitespace { counts[character, default: 0] += 1 }
            }
        }
        let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }, total = ordered.reduce(0) { $0 + $1.value }
        guard total > 0 else { throw DataError(.badData, "the text has no characters", file: rows.name) }
        let isJapanese = language == .japanese, shown = ordered.prefix(top)
        var options = LineChart.Options()
        options.title =
            isJapanese
            ? "文字の頻度(\(Console.grouped(ordered.count)) 種、計 \(Console.grouped(total)) 字)"
            : "Characters by frequency (\(Console.grouped(ordered.count)) kinds, \(Console.grouped(total)) in all)"
        options.xTitle = isJapanese ? "文字" : "character"
        options.yTitle = isJapanese ? "出現回数" : "occurrences"
        options.hasLogarithmicY = logarithmic
        options.xNames = shown.enumerated().map { (Double($0), String($1.key)) }
        // From zero, so that heights compare as the counts do.
        if !logarithmic { options.yRange = 0...1.05 * Double(shown.first?.value ?? 1) }
        options.xRange = -0.5...Double(shown.count) - 0.5
        options.page.width = try Length(parsing: width)
        options.page.language = language
        try LineChart([LineChart.Series("", y: shown.map { Double($0.value) }, hasMarkers: true)], options: options).write(
            to: URL(fileURLWithPath: output))
        var made = provenance()
        made.inputs = [.init(path: rows.name, sha256: try rows.sha256())]
        try made.write(beside: output)
        if let table {
            try ResultTable(["rank", "character", "occurrences", "share"], tableOutput).write(to: table, provenance: made) { write in
                for (rank, entry) in ordered.enumerated() {
                    try write([
                        .integer(rank + 1), .text(String(entry.key)), .integer(entry.value), .number(Double(entry.value) / Double(total)),
                    ])
                }
            }
        }
    }
}

extension FigureLanguage: ExpressibleByArgument {}
