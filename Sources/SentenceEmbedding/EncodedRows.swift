import FileFormats
import VectorStore

extension TextEncoder {
    /// Rows of an input with their vectors. Rows with nothing but white space keep their place, with a vector of zeros, marked as not
    /// valid; so do texts that get no vector, as those of unknown words.
    package func block(of rows: [CaptionRow], layout: VectorLayout) throws -> (block: VectorBlock, counts: SentenceEncoder.Counts) {
        var valid = rows.map { !$0.isEmpty }
        var counts = SentenceEncoder.Counts()
        let filled = rows.indices.filter { valid[$0] }, dimension = dimension
        var embeddings = [Float](repeating: 0, count: rows.count * dimension)
        if filled.count == rows.count {
            try embeddings.withUnsafeMutableBufferPointer { counts = try encode(rows.map(\.text), into: $0) }
        } else {
            let found = try [Float](unsafeUninitializedCapacity: filled.count * dimension) { buffer, initialized in
                counts = try encode(
                    filled.map { rows[$0].text }, into: UnsafeMutableBufferPointer(rebasing: buffer[..<(filled.count * dimension)]))
                initialized = filled.count * dimension
            }
            for (from, to) in filled.enumerated() {
                embeddings.replaceSubrange(to * dimension..<(to + 1) * dimension, with: found[from * dimension..<(from + 1) * dimension])
            }
        }
        // A text of unknown words has no direction, as an empty one has none.
        for row in filled where embeddings[row * dimension..<(row + 1) * dimension].allSatisfy({ $0 == 0 }) { valid[row] = false }
        let block = VectorBlock(
            texts: rows.map(\.text), groups: layout.hasGroups ? rows.map { $0.group ?? "" } : [],
            ids: layout.hasIDs ? rows.map { $0.id ?? "" } : [],
            columns: layout.columnNames.indices.map { column in rows.map { $0.others[column] } }, valid: valid, embeddings: embeddings)
        return (block, counts)
    }
}

extension CaptionRow {
    /// Nothing but white space.
    package var isEmpty: Bool { text.allSatisfy(\.isWhitespace) }
}
