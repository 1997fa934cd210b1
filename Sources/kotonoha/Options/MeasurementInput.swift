import Analysis
import FileFormats
import Foundation
import Representations
import Tensors
import VectorStore

/// Measurements of the rows of a vector file, once or in several repetitions.
struct MeasurementInput {
    /// Rows of the vector file that have measurements.
    let rows: [Int]
    /// In the order of `rows` (rows, voxels); the mean of the repetitions.
    let mean: Tensor<Double>
    let repeats: Reliability?
    /// Names of the voxels.
    let names: [String]
    var notes: [String] = []

    /// - Parameters:
    ///   - arguments: one file, or one a repetition.
    ///   - match: the column of tables whose values are the texts or ids of the vectors.
    init(_ arguments: [String], match: String?, _ file: VectorFile) throws {
        var found: [(values: Tensor<Double>, keys: [String]?, names: [String], path: String)] = []
        for argument in arguments { found += try Self.read(argument, match: match) }
        let first = found[0]
        for other in found.dropFirst() {
            guard other.values.shape == first.values.shape, other.names == first.names else {
                throw DataError(
                    .badData,
                    "this repetition has \(other.values.rows) rows and \(other.values.columns) voxels, but "
                        + "\(first.path) has \(first.values.rows) and \(first.values.columns), or their names differ", file: other.path)
            }
            guard other.keys == first.keys else {
                throw DataError(
                    .badData,
                    "the column \(match ?? "") lists different rows, or in a different order, than in "
                        + "\(first.path)", file: other.path)
            }
        }
        let (rows, places) = try Self.matched(first, file)
        let v = first.values.columns,
            tables = found.map { source in
                Tensor(places.flatMap { row in (0..<v).map { source.values[row, $0] } }, shape: [places.count, v])
            }
        for (table, source) in zip(tables, found) {
            if let bad = (0..<table.count).first(where: { !table[$0].isFinite }) {
                throw DataError(
                    .badData,
                    "row \(places[bad / v]), voxel \(source.names[bad % v]) is \(table[bad]) (rows are numbered "
                        + "from 0); leave out that voxel or row", file: source.path)
            }
        }
        var sum = tables[0]
        for table in tables.dropFirst() { sum += table }
        for i in 0..<sum.count { sum[i] /= Double(tables.count) }
        (self.rows, mean, names) = (rows, sum, first.names)
        repeats = tables.count > 1 ? try Reliability(tables.map { $0.converted(to: Float.self) }) : nil
        if rows.count < file.count {
            notes.append("\(file.count - rows.count) of \(file.count) vectors have no measurements, or are empty, and were left out")
        }
    }

    private static func read(
        _ argument: String, match: String?
    ) throws -> [(values: Tensor<Double>, keys: [String]?, names: [String], path: String)] {
        let (path, _) = ArrayFile.split(argument)
        guard ArrayFile.endings.contains(URL(fileURLWithPath: path).pathExtension.lowercased()) else {
            let table = try Table(path: argument), key = try match.map { try table.column($0) }
            let used = table.columns.filter { $0.name != key?.name && ($0.kind == .number || $0.kind == .integer) }
            guard !used.isEmpty else { throw DataError(.badData, "it has no numeric columns", file: argument) }
            let columns = try used.map { try $0.numbers() }
            return [
                (
                    Tensor((0..<table.rowCount).flatMap { row in columns.map { $0[row] } }, shape: [table.rowCount, columns.count]),
                    key?.texts, used.map(\.name), argument
                )
            ]
        }
        let array = try ArrayFile.read(argument)
        guard (2...3).contains(array.shape.count), array.shape.allSatisfy({ $0 > 0 }) else {
            throw DataError(
                .badData,
                "expected an array (rows, voxels) or (repetitions, rows, voxels), found shape "
                    + "\(array.shape)", file: path)
        }
        if match != nil {
            throw DataError(.usage, "--match needs a table with a named column; the rows of an array are matched in order", file: path)
        }
        let shape = Array(array.shape.suffix(2)), size = shape[0] * shape[1], names = (0..<shape[1]).map(String.init)
        return (0..<array.values.count / size).map { (Tensor(array.values[$0 * size..<($0 + 1) * size], shape: shape), nil, names, path) }
    }

    /// Rows of the vector file and of the measurements that belong together.
    private static func matched(
        _ source: (values: Tensor<Double>, keys: [String]?, names: [String], path: String), _ file: VectorFile
    ) throws -> ([Int], [Int]) {
        let valid = try file.valid()
        guard let keys = source.keys else {
            guard source.values.rows == file.count else {
                throw DataError(
                    .badData,
                    "it has \(source.values.rows) rows, the vector file has \(file.count); --match COLUMN matches "
                        + "them by text or id", file: source.path)
            }
            let rows = valid.indices.filter { valid[$0] }
            return (rows, rows)
        }
        let texts = try file.ids() ?? file.texts(), other = try file.texts()
        var places: [String: Int] = [:]
        for row in valid.indices where valid[row] {
            places[other[row]] = places[other[row]] ?? row
            places[texts[row]] = row
        }
        let missing = keys.filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw DataError(
                .badData,
                "\(missing.count) of its rows have no vector: \(missing.prefix(5).joined(separator: ", "))\(missing.count > 5 ? ", …" : "")",
                file: source.path)
        }
        var seen: Set<String> = []
        if let twice = keys.first(where: { !seen.insert($0).inserted }) {
            throw DataError(.badData, "'\(twice)' occurs twice; give repetitions as --data several times", file: source.path)
        }
        return (keys.compactMap { places[$0] }, Array(keys.indices))
    }
}
