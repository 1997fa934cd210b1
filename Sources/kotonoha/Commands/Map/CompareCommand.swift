import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Tensors
import VectorStore

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two maps of the same sentences.",
        discussion: """
            Prints the proportion of neighbours that the maps share and the disparity after
            the best rotation, reflection, scaling and translation (Procrustes); with
            --vectors, also how faithful each map is to the vectors.
            """)

    @Argument(help: "A map.h5.")
    var first: String

    @Argument(help: "Another map.h5.")
    var second: String

    @Option(in: .rows, help: "Number of neighbours to compare.")
    var neighbors = 10

    @Option(help: "The vector file that both maps were made from.")
    var vectors: String?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Report") var report: ReportOptions

    func run() throws {
        let a = try MapFile(path: first), b = try MapFile(path: second)
        guard a.rows == b.rows else {
            throw DataError(
                .badData,
                "this map shows \(b.rows.count) sentences and \(first) \(a.rows.count), or different ones; both "
                    + "must be made from the same vector file", file: second)
        }
        let comparison = try MapComparison(a.coordinates, b.coordinates, neighbors: neighbors, threads: threads)
        let qualities = try vectors.map { try [quality(a, $0), quality(b, $0)] } ?? []
        if report.json {
            return try Console.print(
                JSON.object([
                    ("points", .integer(a.rows.count)), ("neighbors", .integer(comparison.neighbors)),
                    ("neighbor_overlap", .number(comparison.neighborOverlap)),
                    ("procrustes_disparity", .number(comparison.procrustesDisparity)), ("quality", .array(qualities.map(\.json))),
                ]).serialized(.pretty))
        }
        try Console.print(
            "points\t\(a.rows.count)\n\(comparison.neighbors) neighbours in common\t\(Console.fixed(comparison.neighborOverlap, 4))\n"
                + "Procrustes disparity\t\(Console.fixed(comparison.procrustesDisparity, 4))")
        for (name, quality) in zip([first, second], qualities) { try Console.print("\n\(name)\n\(quality.lines)") }
    }

    private func quality(_ map: MapFile, _ path: String) throws -> MapQuality {
        let file = try VectorFile(path: path)
        guard (map.rows.max() ?? 0) < file.count else {
            throw DataError(.badData, "the maps have points for rows that this file does not have", file: path)
        }
        let x = try file.vectors(rows: map.rows)
        let groups = try file.groups().map { groups in PairFilter.classes(of: map.rows.map { groups[$0] }) }
        return try MapQuality(
            of: map.coordinates, vectors: map.normalizesVectors ? normalizedRows(x, threads: threads) : x, groups: groups,
            neighbors: max(1, min(15, (map.rows.count - 1) / 2)), threads: threads)
    }
}
