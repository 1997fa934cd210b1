import ArgumentParser
import FileFormats
import Foundation
import Maps
import Networks
import Tensors

/// Pictures that explain: the sinusoidal positions, and how often the characters of a text occur.
struct Pictures: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pictures", abstract: "Sinusoidal position curves, character frequencies.")

    @Option(name: .shortAndLong, help: "Folder of the pictures.") var output = "."
    @Option(help: "A text whose characters are counted.") var text: String?
    @Option(help: "Characters to show.") var most = 60

    func run() throws {
        let folder = URL(fileURLWithPath: output, isDirectory: true)
        let table: Tensor<Double> = sinusoidalPositions(100, size: 20)
        var options = LineChart.Options()
        options.title = "Sinusoidal positions, 20 dimensions"
        options.xTitle = "position"
        options.yTitle = "value"
        let curves = (4...7).map { dimension in LineChart.Series("dimension \(dimension)", y: (0..<100).map { table[$0, dimension] }) }
        try LineChart(curves, options: options).write(to: folder.appendingPathComponent("positions.svg"))
        guard let text else { return }

        let rows = try TextTable(path: text)
        var counts: [Character: Int] = [:], cells: [String] = []
        while try rows.next(into: &cells) != nil { for cell in cells { for character in cell where !character.isWhitespace { counts[character, default: 0] += 1 } } }
        let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !ordered.isEmpty else { throw DataError(.badData, "the text has no characters", file: text) }
        var frequency = LineChart.Options()
        frequency.title = "Characters by frequency (\(ordered.count) in all)"
        frequency.xTitle = "character"
        frequency.yTitle = "occurrences"
        let shown = ordered.prefix(most)
        frequency.xNames = shown.enumerated().map { (Double($0), String($1.key)) }
        frequency.page.width = .millimetres(170)
        try LineChart([LineChart.Series("", y: shown.map { Double($0.value) }, hasMarkers: true)], options: frequency)
            .write(to: folder.appendingPathComponent("characters.svg"))
    }
}
