import ArgumentParser
import Figures
import FileFormats
import Foundation
import Tensors

/// Draws what `tools/experiments/ablations` measured: a picture a study, a panel a task, every seed's score and their mean.
struct Ablations: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ablations", abstract: "Pictures and means of pre-training ablations, from their table of scores.")

    @Argument(help: "The table: study, condition, task, measure, seed, score.") var input: String
    @Option(name: .shortAndLong, help: "Folder of the pictures.") var output = "."

    private static let titles = ["cola": "CoLA", "sst2": "SST-2", "stsb": "STS-B"]

    func run() throws {
        try makeFolder(output)
        let table = try Table(path: input)
        let names = try ["study", "condition", "task", "measure", "score"].map { try table.column($0).texts }
        let scores = try names[4].enumerated().map { row, text in
            guard let score = Double(text) else {
                throw DataError(.badData, "the score '\(text)' is not a number", file: input, line: row + 2)
            }
            return score
        }
        for study in Self.inOrder(names[0]) {
            let rows = names[0].indices.filter { names[0][$0] == study }, tasks = Self.inOrder(rows.map { names[2][$0] })
            var page = PageStyle()
            page.width = FigureGrid.columnWidth(of: page.width, columns: tasks.count)
            let panels = try tasks.map { task -> any Figure in
                let own = rows.filter { names[2][$0] == task }
                var options = CategoryPlot.Options()
                (options.page, options.title, options.yTitle) = (page, Self.titles[task] ?? task, own.first.map { names[3][$0] })
                return try CategoryPlot(
                    Self.inOrder(own.map { names[1][$0] }).map { condition in
                        let values = own.filter { names[1][$0] == condition }.map { scores[$0] }
                        let found = SeedSummary.interval(values)
                        let mean = found?.mean ?? values[0]
                        report(
                            String(
                                format: "\(study)  \(condition)  \(task)  %.3f ± %.3f (95 %% interval of the mean), %d seeds", mean,
                                found?.halfWidth ?? .nan, values.count))
                        return .init(
                            condition, points: values, mean: mean, interval: found.map { $0.mean - $0.halfWidth...$0.mean + $0.halfWidth })
                    }, options: options)
            }
            let file = URL(fileURLWithPath: output).appendingPathComponent("ablation-\(study).svg")
            try FigureGrid(panels, columns: tasks.count).write(to: file)
        }
    }

    /// Each value once, in the order of the table.
    private static func inOrder(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }
}
