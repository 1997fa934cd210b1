import FileFormats
import Foundation
import Tensors
import VectorStore

extension RDM {
    /// Writes `.rdm.h5`: labels, condensed dissimilarities, the metric.
    package func write(to path: String, attributes: [(String, HDF5Attribute)] = []) throws {
        try HDF5Container.create(path: path) { file in
            try file.set("format", .string("kotonoha/rdm"))
            try file.set("format_version", .int(1))
            try file.set("metric", .string(metric))
            for (name, value) in attributes { try file.set(name, value) }
            try file.write("labels", strings: labels)
            try file.write("dissimilarities", shape: [values.count], values: values)
        }
    }

    /// Reads a file that `write` has written.
    /// - Throws: `DataError` if the file is of another kind, damaged, or its parts do not match.
    package init(path: String) throws {
        let file = try HDF5Container(path: path)
        guard try file.attribute("format")?.string == "kotonoha/rdm" else {
            throw DataError(.badData, "not a dissimilarity matrix; expected one written by `rdm`", file: path)
        }
        if let times = try file.dataset("times") {
            throw DataError(
                .usage,
                "it contains \(times.rows) matrices over time; use them in `rsa`, or average a window with `rdm FILE "
                    + "\(Setting.window) FROM:TO`", file: path)
        }
        let values = try file.read("dissimilarities", as: Double.self).values
        do {
            try self.init(labels: try file.required("labels").strings(), values: values, metric: try file.attribute("metric")?.string ?? "")
        } catch let error as DataError {
            throw DataError(error.kind, error.message, file: path)
        }
    }

    /// Whether a file says that it is a dissimilarity matrix.
    package static func isRDM(path: String) throws -> Bool { try HDF5Container(path: path).attribute("format")?.string == "kotonoha/rdm" }
}

/// Dissimilarity matrices in one table: a square matrix with labels in its first column and row, or one pair per row (label, label,
/// then one column a matrix).
///
/// - Parameter columns: which columns of pairs to take; all if nil.
/// - Throws: `DataError` for a table of neither kind, a pair that is missing or occurs twice, a cell that is not a number.
package func readRDMs(_ table: Table, columns: [String]? = nil, similarities: Bool = false) throws -> [(name: String, rdm: RDM)] {
    let name = URL(fileURLWithPath: table.name).deletingPathExtension().lastPathComponent
    func value(_ cell: Double?) -> Double { cell.map { similarities ? 1 - $0 : $0 } ?? .nan }
    do {
        let labels = table.rowCount > 0 ? table.column(at: 0).texts : []
        if columns == nil, let numbered = try numberedMatrix(table, similarities: similarities) { return [(name, numbered)] }
        if columns == nil, table.columnNames.count == table.rowCount + 1, Array(table.columnNames.dropFirst()) == labels {
            let n = labels.count
            var matrix = Tensor<Double>(repeating: 0, shape: [n, n])
            for j in 0..<n {
                for (i, cell) in try table.column(at: j + 1).optionalNumbers().enumerated() {
                    matrix[i, j] = i == j && similarities ? 0 : value(cell)
                }
            }
            return [(name, try RDM(labels: labels, matrix: matrix))]
        }
        guard table.columnNames.count >= 3 else {
            throw DataError(.badData, "expected a square matrix with labels, or one pair per row: label, label, and one column per matrix")
        }
        let first = table.column(at: 0).texts, second = table.column(at: 1).texts
        var places: [String: Int] = [:], names: [String] = []
        for label in zip(first, second).flatMap({ [$0, $1] }) where places[label] == nil {
            places[label] = names.count
            names.append(label)
        }
        // Labels in the order of the first column, the last one behind.
        let n = names.count
        guard table.rowCount == n * (n - 1) / 2 else {
            throw DataError(.badData, "\(n) labels make \(n * (n - 1) / 2) pairs; the table has \(table.rowCount) rows")
        }
        let indices =
            try columns.map { try $0.map(table.index(of:)) }
            ?? table.columnNames.indices.dropFirst(2).filter { index in
                let kind = table.column(at: index).kind
                return kind == .number || kind == .integer
            }
        return try indices.map { index in
            var values = [Double](repeating: .nan, count: table.rowCount), isFilled = [Bool](repeating: false, count: table.rowCount)
            for (row, cell) in try table.column(at: index).optionalNumbers().enumerated() {
                guard let i = places[first[row]], let j = places[second[row]], i != j else {
                    throw DataError(.badData, "a pair of '\(first[row])' with itself is not a dissimilarity", line: table.lines[row])
                }
                let place = RDM.index(min(i, j), max(i, j), of: n)
                guard !isFilled[place] else {
                    throw DataError(.badData, "the pair '\(first[row])', '\(second[row])' occurs twice", line: table.lines[row])
                }
                isFilled[place] = true
                values[place] = value(cell)
            }
            return (table.columnNames[index], try RDM(labels: names, values: values))
        }
    } catch let error as DataError {
        throw DataError(error.kind, error.message, file: error.file ?? table.name, line: error.line)
    }
}

/// A square matrix whose labels are bare numbers, or that has none. A first row of numbers does not look like a header, so it may have been
/// read as a row; numbers alone make no labels.
private func numberedMatrix(_ table: Table, similarities: Bool) throws -> RDM? {
    let n = table.columnNames.count
    guard !table.hasHeader, n >= 3, table.columns.allSatisfy({ [.number, .integer, .empty].contains($0.kind) }) else { return nil }
    let columns = table.columns
    func matrix(rows: Range<Int>, columns places: Range<Int>) throws -> Tensor<Double> {
        let numbers = try places.map { try columns[$0].optionalNumbers() }
        return Tensor(
            rows.flatMap { row in
                numbers.indices.map { j in
                    let value = numbers[j][row] ?? .nan
                    return similarities ? (row - rows.lowerBound == j ? 0 : 1 - value) : value
                }
            }, shape: [rows.count, places.count])
    }
    // Labels in the first row and column leave the corner empty; a matrix by itself has a number there.
    if table.rowCount == n {
        let first = Array(columns[0].texts.dropFirst()), top = Array(table.texts(row: 0).dropFirst())
        if columns[0].texts[0].isEmpty, first == top { return try RDM(labels: first, matrix: matrix(rows: 1..<n, columns: 1..<n)) }
        return try RDM(matrix: matrix(rows: 0..<n, columns: 0..<n))
    }
    return nil
}
