import Figures
import FileFormats
import Foundation
import Simulation
import Tensors
import VectorStore

/// Error probabilities of real words: the lexicon's semantic neighbours come from vectors.
extension SimulateNamingCommand {
    func simulateWords(_ path: String) throws {
        let file = try VectorFile(path: path), valid = try file.valid(), rows = valid.indices.filter { valid[$0] }
        guard (2...5000).contains(rows.count) else {
            throw DataError(.badData, "--semantics needs the vectors of 2 to 5000 words; there are \(rows.count)", file: path)
        }
        let all = try file.vectors(rows: rows), texts = try file.texts()
        let vectors = rows.indices.map { all.rows($0..<$0 + 1).elements }
        guard vectors.allSatisfy({ $0.contains { $0 != 0 } && $0.allSatisfy(\.isFinite) }) else {
            throw DataError(.badData, "a vector is zero or not finite", file: path)
        }
        let variant = try variants()[0], values = try given(variant), found = NamingNeighbours(vectors, limit: neighbors),
            categories = NamingModel.Category.allCases
        var table: [[JSON]] = []
        for (k, word) in found.words.enumerated() {
            var model = NamingModel(variant)
            model.sharedFeatures = word.neighbours.map(\.shared)
            let counts = try model.counts(values, trials: trials, seed: options.seed, threads: options.threads)
            table.append(
                [.string(texts[rows[k]]), .string(word.neighbours.map { "\(texts[rows[$0.row]]) \($0.shared)" }.joined(separator: ", "))]
                    + categories.map { .number(Double(counts[$0.rawValue]) / Double(trials)) })
        }
        let settings: [(String, JSON)] =
            [("simulation", .string("naming of words")), ("trials", .integer(trials)), ("mean_cosine", .number(found.meanCosine))]
            + zip(variant.parameterNames, values).map { ($0, .number($1)) }
        try options.report(
            ["word", "neighbours"] + categories.map(\.name), table, report: report,
            provenance: options.provenance(inputs: [path], settings: settings)
        ) {
            let order = table.indices.sorted { (table[$1][3].double ?? 0, $0) < (table[$0][3].double ?? 0, $1) }.prefix(40)
            var heat = Heatmap.Options()
            heat.page = try options.page()
            heat.title = options.says("Predicted errors of \(order.count) words", "\(order.count) 語の誤反応の予測")
            heat.valueTitle = options.says("proportion", "割合")
            heat.digits = 3
            let errors = categories.dropFirst()
            return try Heatmap(
                order.map { row in errors.map { table[row][2 + $0.rawValue].double ?? .nan } },
                rowLabels: order.map { table[$0][0].string ?? "" },
                columnLabels: errors.map { options.says($0.name, $0.japaneseName) }, options: heat)
        }
    }
}
