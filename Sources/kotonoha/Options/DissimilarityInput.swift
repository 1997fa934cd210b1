import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Representations
import Tensors
import VectorStore

/// Reads dissimilarity matrices from `.rdm.h5`, vector and layer files, tables of features or of finished matrices, and npy.
struct DissimilarityOptions: ParsableArguments {
    @Option(help: "Condition means: rows with the same value in this column are one condition.")
    var by: String?

    @Option(help: "cosine, correlation, euclidean or sqeuclidean; for trials also mahalanobis, crossnobis or decoding.")
    var metric = TrialDistances.Measure.cosine

    @Option(help: ArgumentHelp("The column of a table that labels its rows; the other numeric columns are features.", valueName: "column"))
    var labelColumn: String?

    @Flag(help: "Tables and .npy files contain similarities s, which become 1 − s.")
    var similarities = false

    /// The metric of vectors.
    func distance() throws -> DistanceMetric {
        guard let distance = DistanceMetric(rawValue: metric.rawValue) else {
            throw DataError(
                .usage,
                "--metric \(metric.rawValue) needs several trials per condition: an array (times, trials, channels) "
                    + "and rdm --trials TABLE")
        }
        return distance
    }

    /// All matrices of a file. `FILE.tsv:COLUMN,COLUMN` takes some columns of a table of pairs, `layers.h5:4,8` some layers.
    func matrices(_ argument: String) throws -> [(name: String, rdm: RDM)] {
        let (path, columns) = Self.split(argument)
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent.replacing(".rdm", with: "")
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "h5", "hdf5", "kset":
            if try RDM.isRDM(path: path) { return [(name, try RDM(path: path))] }
            if try LayerFile.isLayers(path: path) { return try layers(LayerFile(path: path), columns, name) }
            return [(name, try vectors(VectorFile(path: path)))]
        case "npy":
            let file = try NPYFile(path: path)
            guard file.shape.count == 2 else {
                throw DataError(.badData, "an array of shape \(file.shape) is neither a matrix nor a table of features", file: path)
            }
            let values = Tensor(try file.doubles(), shape: file.shape)
            let isMatrix =
                file.shape[0] == file.shape[1] && (0..<file.shape[0]).allSatisfy { abs(values[$0, $0] - (similarities ? 1 : 0)) < 1e-6 }
            return [(name, try named(path) { isMatrix ? try RDM(matrix: distances(values)) : try RDM(values, metric: distance()) })]
        default:
            let table = try Self.table(path)
            if let labelColumn { return [(name, try features(table, labelColumn))] }
            return try readRDMs(table, columns: columns, similarities: similarities)
        }
    }

    /// The one matrix of a file.
    func matrix(_ argument: String) throws -> RDM {
        let found = try matrices(argument)
        guard found.count == 1 else {
            throw DataError(
                .usage,
                "it contains \(found.count) matrices (\(found.map(\.name).joined(separator: ", "))); select one with "
                    + "\(argument):\(found.first?.name ?? "COLUMN")", file: argument)
        }
        return found[0].rdm
    }

    /// A table whose first row names its columns where a name stands over numbers, even if some of those are missing.
    private static func table(_ path: String) throws -> Table {
        let table = try Table(path: path)
        guard !table.hasHeader, table.rowCount > 1, path != "-" else { return table }
        let isNamed = table.columnNames.indices.contains { index in
            let below = Table(name: path, columns: [("", Array(table.column(at: index).texts.dropFirst()))]).column(at: 0).kind
            return (below == .number || below == .integer) && table.column(at: index).kind == .text
        }
        guard isNamed else { return table }
        var options = TableOptions()
        options.hasHeader = true
        return try Table(path: path, options: options)
    }

    /// The file of an argument that may name columns too.
    static func path(_ argument: String) -> String { split(argument).0 }

    private static func split(_ argument: String) -> (String, [String]?) {
        guard !FileManager.default.fileExists(atPath: argument), let colon = argument.lastIndex(of: ":") else { return (argument, nil) }
        return (String(argument[..<colon]), argument[argument.index(after: colon)...].split(separator: ",").map(String.init))
    }

    private func distances(_ values: Tensor<Double>) -> Tensor<Double> {
        guard similarities else { return values }
        var result = values
        for i in 0..<values.rows { for j in 0..<values.columns { result[i, j] = i == j ? 0 : 1 - values[i, j] } }
        return result
    }

    private func features(_ table: Table, _ labelColumn: String) throws -> RDM {
        let labels = try table.column(labelColumn),
            used = table.columns.filter { $0.name != labels.name && ($0.kind == .number || $0.kind == .integer) }
        guard !used.isEmpty else { throw DataError(.badData, "it has no numeric columns other than '\(labels.name)'", file: table.name) }
        let columns = try used.map { try $0.numbers() }
        return try named(table.name) {
            try RDM(
                Tensor((0..<table.rowCount).flatMap { row in columns.map { $0[row] } }, shape: [table.rowCount, columns.count]),
                labels: labels.texts, metric: distance())
        }
    }

    /// One matrix a layer: sentences as the means of their words' vectors.
    private func layers(_ file: LayerFile, _ wanted: [String]?, _ name: String) throws -> [(name: String, rdm: RDM)] {
        let chosen =
            try wanted?.map { text -> Int in
                guard let layer = Int(text) else { throw DataError(.usage, "'\(text)' is not a layer number", file: file.path) }
                return layer
            } ?? file.layers
        let counts = try (0..<file.sentenceCount).map(file.tokenCount), texts = try file.sentences() ?? [:]
        let labels = (0..<file.sentenceCount).map { (texts[$0] ?? String($0)).onOneLine }
        let means = try file.load(layers: chosen, words: counts, name: { labels[$0] }).map { words -> Tensor<Double> in
            let codes = counts.indices.flatMap { [Int?](repeating: $0, count: counts[$0]) }
            return conditionMeans(words, codes: codes, levels: counts.count)
        }
        return try named(file.path) { try zip(chosen, means).map { ("\(name) \($0)", try RDM($1, labels: labels, metric: distance())) } }
    }

    /// Rows, or condition means, of a vector file.
    func vectors(_ file: VectorFile) throws -> RDM {
        let valid = try file.valid(), x = try file.vectors()
        return try named(file.path) {
            if let by {
                let factor = Factor(name: by, values: try file.column(file.layout.requiredColumn(named: by, file: file.path)))
                guard factor.levels.count >= 2 else {
                    throw DataError(
                        .badData, "the column \(by) has only \(factor.levels.count) value(s); at least two conditions are needed")
                }
                let means = conditionMeans(
                    x, codes: factor.codes.indices.map { valid[$0] ? factor.codes[$0] : nil }, levels: factor.levels.count)
                if let empty = factor.levels.indices.first(where: { means[$0, 0].isNaN }) {
                    throw DataError(.badData, "condition '\(factor.levels[empty])' has no rows with a vector")
                }
                return try RDM(means, labels: factor.levels, metric: distance())
            }
            let rows = valid.indices.filter { valid[$0] }, d = file.dimension
            var kept = Tensor<Double>(uninitialized: [rows.count, d])
            for (place, row) in rows.enumerated() { for k in 0..<d { kept[place, k] = Double(x[row, k]) } }
            return try RDM(kept, labels: try Self.labels(file, rows), metric: distance())
        }
    }

    /// Names of rows: ids where they differ, else texts with the row's number where they repeat.
    static func labels(_ file: VectorFile, _ rows: [Int]) throws -> [String] {
        if let ids = try file.ids(), Set(rows.map { ids[$0] }).count == rows.count { return rows.map { ids[$0] } }
        let texts = try file.texts(), chosen = rows.map { texts[$0] }
        var counts: [String: Int] = [:]
        for text in chosen { counts[text, default: 0] += 1 }
        return zip(chosen, rows).map { counts[$0.0] == 1 ? $0.0.onOneLine : "\($0.0.onOneLine) [\($0.1)]" }
    }

    private func named<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as DataError {
            throw DataError(error.kind, error.message, file: error.file ?? path, line: error.line)
        }
    }
}

extension TrialDistances.Measure: ExpressibleByArgument {}
extension Dendrogram.Linkage: ExpressibleByArgument {}

/// Picture of one figure, as matrices, trees and contrasts draw them.
struct PictureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A picture to draw: .svg, .pdf or .png; may be given several times.", valueName: "file"))
    var figure: [String] = []

    @Option(help: "Width of the picture, such as 85mm, 3.5in or 400pt.")
    var width = "85mm"

    @Option(help: "Title of the picture.")
    var title: String?

    @Option(help: "Language of the picture: en or ja.")
    var language = SessionLanguage.files.rawValue

    func validate() throws {
        if !["en", "ja"].contains(language) { throw ValidationError("--language is en or ja, not '\(language)'") }
        for file in figure where !["svg", "pdf", "png"].contains(URL(fileURLWithPath: file).pathExtension.lowercased()) {
            throw ValidationError("a picture's name ends with .svg, .pdf or .png; '\(file)' does not")
        }
    }

    var isJapanese: Bool { language == "ja" }
}
