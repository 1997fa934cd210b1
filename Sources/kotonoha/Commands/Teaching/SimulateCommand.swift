import ArgumentParser
import Figures
import FileFormats
import Foundation
import Tensors

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Simulate models of the mental lexicon: naming, Stroop, WEAVER++, cumulative interference, ERP.",
        discussion:
            "Each model is one file in Sources/Simulation/Models; docs/simulations.md compares published and recomputed figures.",
        subcommands: [
            SimulateNamingCommand.self, SimulateStroopCommand.self, SimulateWeaverCommand.self, SimulateCumulativeCommand.self,
            SimulateERPCommand.self,
        ])
}

/// Options of every simulation.
struct SimulationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The table to write: .tsv, .csv or .xlsx.") var output: String?
    @Option(help: ArgumentHelp("A picture to draw: .svg, .pdf or .png; may be given several times.", valueName: "file")) var figure:
        [String] = []
    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.") var width = "120mm"
    @Option(help: "Language of the picture: en or ja.") var language: FigureLanguage = SessionLanguage.files.figures
    @Option(help: "Seed of the simulated noise.") var seed: UInt64 = 0
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads
    @OptionGroup var table: TableOutputOptions
    @OptionGroup var writing: OutputOptions

    func validate() throws {
        try OutputName.requireTable(output)
        for file in figure { try OutputName.require(file, OutputName.figures, "a picture is written") }
    }

    /// Before any work: outputs can be written and are not inputs.
    func check(inputs: [String?] = [], files: [String?] = []) throws {
        try writing.check(inputs: inputs, files: [output] + figure.map { Optional($0) } + files)
    }

    var isJapanese: Bool { language == .japanese }
    func says(_ english: String, _ japanese: String) -> String { language.says(english, japanese) }

    func page(columns: Int = 1) throws -> PageStyle {
        var page = PageStyle()
        page.width = FigureGrid.columnWidth(of: try Length(parsing: width), columns: columns)
        page.language = language
        return page
    }

    func provenance(inputs: [String] = [], settings: [(String, JSON)]) throws -> Provenance {
        var record = kotonoha.provenance(seed: seed)
        record.inputs = try inputs.filter { $0 != "-" }.map { try .init(hashing: $0) }
        record.settings = settings.map { (key: $0.0, value: $0.1) }
        return record
    }

    /// Prints the rows, or writes them where -o says, and draws the pictures.
    func report(
        _ header: [String], _ rows: [[JSON]], report: ReportOptions, provenance: Provenance, further: [(key: String, value: JSON)] = [],
        figure: () throws -> any Figure
    ) throws {
        func cell(_ value: JSON) -> Cell {
            switch value {
            case .number(let x): .number(x)
            case .integer(let n): .integer(n)
            case .string(let s): .text(s)
            default: .missing
            }
        }
        let columns = header.indices.map { c in
            TableColumn(header[c], decimals: rows.contains { row in if case .number = row[c] { true } else { false } } ? 6 : nil)
        }
        func write(to output: String?) throws {
            try ResultTable(columns, table).write(to: output, provenance: provenance) { write in
                for row in rows { try write(row.map(cell)) }
            }
        }
        if let output { try write(to: output) }
        if !self.figure.isEmpty {
            let picture = try figure()
            for file in self.figure {
                try picture.write(to: URL(fileURLWithPath: file))
                try provenance.write(beside: file)
            }
        }
        if report.json {
            try Console.print(
                JSON.object([("rows", .array(rows.map { row in .object(zip(header, row).map { (key: $0, value: $1) }) }))] + further)
                    .serialized(.pretty))
        } else if output == nil && !rows.isEmpty {
            try write(to: nil)
        }
    }

    /// Five significant digits.
    static func digits(_ x: Double) -> String { x.isFinite ? String(format: "%.5g", x) : "" }
}
