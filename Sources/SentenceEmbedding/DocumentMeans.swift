import FileFormats
import VectorStore

/// One vector per document from those of its parts: their mean, computed in Double, of length 1 if the parts' vectors are.
enum DocumentMeans {
    /// `v.documents.h5` beside `v.h5`.
    static func path(for output: String) -> String {
        for ending in [".h5", ".hdf5"] where output.lowercased().hasSuffix(ending) {
            return output.dropLast(ending.count) + ".documents" + output.suffix(ending.count)
        }
        return output + ".documents.h5"
    }

    /// Writes the documents of a file of parts, whose last two columns are `document` and `part`; the column `parts` counts those that are
    /// not empty.
    ///
    /// - Parameter texts: of the documents, in their order.
    static func write(from parts: VectorFile, texts: [String], to path: String) throws {
        var layout = parts.layout
        layout.columnNames = Array(layout.columnNames.dropLast(PartSource.columns.count))
        layout.columnNames = TableColumn.unique(layout.columnNames + ["parts"])
        let place = parts.layout.columnNames.count - PartSource.columns.count, dimension = parts.dimension
        let writer = try VectorFileWriter(path: path, layout: layout, metadata: parts.metadata, storage: parts.storage)
        var sum = [Double](repeating: 0, count: dimension), count = 0, document = 0
        var block = VectorBlock(texts: [], columns: layout.columnNames.map { _ in [] }, valid: [], embeddings: [])
        func close() throws {
            guard document > 0 else { return }
            var scale = count > 0 ? 1 / Double(count) : 0
            if parts.metadata.isNormalized {
                let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
                scale = length > 0 ? 1 / length : 0
            }
            block.embeddings += sum.map { Float($0 * scale) }
            block.valid.append(count > 0)
            block.columns[layout.columnNames.count - 1].append(String(count))
            sum = [Double](repeating: 0, count: dimension)
            count = 0
            if block.valid.count == 4096 {
                try writer.append(block)
                block = VectorBlock(texts: [], columns: layout.columnNames.map { _ in [] }, valid: [], embeddings: [])
            }
        }
        var start = 0
        while start < parts.count {
            let rows = start..<min(start + 4096, parts.count), read = try parts.block(rows: rows)
            for row in 0..<read.count {
                guard let number = Int(read.columns[place][row]), number == document || number == document + 1, number <= texts.count else {
                    throw DataError(.badData, "the rows are not the parts of the documents that were read", file: parts.path)
                }
                if number != document {
                    try close()
                    document = number
                    block.texts.append(texts[number - 1])
                    if layout.hasGroups { block.groups.append(read.groups[row]) }
                    if layout.hasIDs { block.ids.append(read.ids[row]) }
                    for column in 0..<layout.columnNames.count - 1 { block.columns[column].append(read.columns[column][row]) }
                }
                guard read.valid[row] else { continue }
                count += 1
                for index in 0..<dimension { sum[index] += Double(read.embeddings[row * dimension + index]) }
            }
            start = rows.upperBound
        }
        try close()
        if !block.valid.isEmpty { try writer.append(block) }
        try writer.finish()
    }
}
