import FileFormats
import Foundation
import Networks
import Tensors
import Tokenizers
import VectorStore

/// One run of `embed --word`: of each row's sentence, the vector of the word that another column names, as it is there. The same word in
/// different sentences has different vectors, which is what studies of word senses compare.
package struct TargetWordRun {
    package enum Occurrences: String, Sendable, CaseIterable {
        /// A row for each.
        case all
        case first
        /// A sentence with several is an error.
        case only
    }

    package var input: String
    package var output: String
    package var word: String
    package var table = TableOptions()
    package var columns = CaptionColumns()
    /// 0 for the embeddings, then 1, 2 …; the mean of several. Nil takes the last.
    package var layers: [Int]?
    package var merging = PieceMerging.mean
    package var occurrences = Occurrences.all
    /// Whether parts of longer words count.
    package var takesInside = false
    package var storage = VectorStorage.float32
    package var cutter = WordCutter()
    package var createdBy: String
    package var provenance: Provenance?

    package init(input: String, output: String, word: String, createdBy: String) {
        (self.input, self.output, self.word, self.createdBy) = (input, output, word, createdBy)
    }

    package struct Summary: Sendable, Equatable {
        package var sentences = 0
        package var rows = 0
        package var pieces = 0
        package var layers: [Int] = []
    }

    private struct Target {
        var row: CaptionRow
        var range: Range<Int>
        var number: Int
    }

    /// - Throws: `DataError` with the line of a sentence in which the word does not occur; then there is no output, or the earlier one.
    package func run(with sentenceEncoder: SentenceEncoder, isCancelled: () -> Bool = { false }) throws -> Summary {
        let encoder = try sentenceEncoder.encoder, layers = self.layers ?? [encoder.layerCount]
        if let wrong = layers.first(where: { !(0...encoder.layerCount).contains($0) }) {
            throw DataError(
                .usage,
                "no layer \(wrong); \(sentenceEncoder.directory.name) has layers 0 (the embeddings) to "
                    + "\(encoder.layerCount)")
        }
        let source = try CaptionSource(path: input, options: table, columns: columns)
        guard
            let place = source.carriedColumns.firstIndex(of: word)
                ?? Int(word).flatMap({ number in
                    source.table.columns.indices.contains(number - 1)
                        ? source.carriedColumns.firstIndex(of: source.table.columns[number - 1]) : nil
                })
        else {
            throw DataError(
                .usage,
                word == source.textColumn
                    ? "\(Setting.word) names the column of the sentences; name the column with "
                        + "the words"
                    : "no column \(word); the columns besides the sentences (\(source.textColumn)) are "
                        + "\(source.carriedColumns.joined(separator: ", "))", file: input)
        }
        var targets: [Target] = [], summary = Summary()
        while true {
            let rows = try source.next(batch: 4096)
            if rows.isEmpty { break }
            for row in rows {
                targets += try found(row, row.carried[place])
                summary.sentences += 1
            }
        }
        guard !targets.isEmpty else { throw DataError(.badData, "no sentences found", file: input) }
        var metadata = VectorMetadata(
            model: sentenceEncoder.directory.name, modelSHA256: try sentenceEncoder.directory.sha256(), pooling: "target word",
            isNormalized: false,
            precision: sentenceEncoder.options.precision.rawValue, maxLength: encoder.longestSequence, createdBy: createdBy,
            source: Provenance.Source(path: source.table.name, sha256: "").name, sourceSHA256: try source.table.sha256())
        if var record = provenance {
            record.model = Provenance.Source(path: metadata.model, sha256: metadata.modelSHA256)
            record.inputs = [Provenance.Source(path: source.table.name, sha256: metadata.sourceSHA256)]
            record.settings = [
                ("word", .string(word)), ("layers", .array(layers.map(JSON.integer))), ("pieces", .string(merging.rawValue)),
                ("occurrences", .string(occurrences.rawValue)), ("parts_of_words", .bool(takesInside)),
            ]
            metadata.provenance = record.json().serialized()
        }
        let layout = VectorLayout(
            dimension: encoder.hiddenSize, hasGroups: source.hasGroups, hasIDs: source.hasIDs,
            columnNames: TableColumn.unique(source.otherColumns + ["occurrence"]), textName: source.textName, groupName: source.groupName,
            idName: source.idName)
        let writer = try VectorFileWriter(path: output, layout: layout, metadata: metadata, storage: storage)
        let embedder = WordEmbedder(
            encoder: encoder, tokenizer: sentenceEncoder.tokenizer, layers: layers, merging: merging,
            batchTokens: sentenceEncoder.options.batchTokens, threads: sentenceEncoder.options.threads)
        for range in Parallel.chunks(targets.count, size: 256) {
            if isCancelled() { throw DataError(.interrupted, "stopped after \(summary.rows) rows; nothing was written") }
            let portion = Array(targets[range])
            let found = try embedder.embed(portion.map { TreebankText(text: $0.row.text, ranges: [$0.range]) }) {
                "in line \(portion[$0].row.line)"
            }
            var block = VectorBlock(texts: [], valid: [], embeddings: [])
            for (target, sentence) in zip(portion, found.sentences) {
                block.texts.append(target.row.text)
                if source.hasGroups { block.groups.append(target.row.group ?? "") }
                if source.hasIDs { block.ids.append(target.row.id ?? "") }
                block.columns.append(target.row.others + ["\(target.number)"])
                block.valid.append(true)
                block.embeddings += mean(sentence.vectors, of: layers.count)
                summary.pieces += sentence.alignment.tokens.first?.count ?? 0
            }
            block.columns = layout.columnNames.indices.map { column in block.columns.map { $0[column] } }
            try writer.append(block)
            summary.rows += portion.count
        }
        try writer.finish()
        summary.layers = layers
        return summary
    }

    private func found(_ row: CaptionRow, _ word: String) throws -> [Target] {
        func fail(_ message: String) -> DataError { DataError(.badData, message, file: input, line: row.line) }
        let word = word.trimmingCharacters(in: .whitespaces)
        guard !word.isEmpty else { throw fail("the column \(self.word) is empty; it should name a word") }
        let places = try TargetWord.places(of: word, in: row.text, cutter: cutter)
        let ranges = takesInside ? (places.words + places.inside).sorted { $0.lowerBound < $1.lowerBound } : places.words
        guard let first = ranges.first else {
            throw fail(
                "\"\(word)\" "
                    + (places.inside.isEmpty
                        ? "does not occur in \"\(row.text.prefix(60))\""
                        : "occurs only inside longer words of \"\(row.text.prefix(60))\"; \(Setting.inside) includes these"))
        }
        switch occurrences {
        case .all: return ranges.enumerated().map { Target(row: row, range: $1, number: $0 + 1) }
        case .first: return [Target(row: row, range: first, number: 1)]
        case .only:
            guard ranges.count == 1 else {
                throw fail("\"\(word)\" occurs \(ranges.count) times; \(Setting.occurrences) all or first takes them")
            }
            return [Target(row: row, range: first, number: 1)]
        }
    }

    /// Of the vectors of several layers.
    private func mean(_ vectors: [Float], of layers: Int) -> [Float] {
        guard layers > 1 else { return vectors }
        let size = vectors.count / layers
        return (0..<size).map { k in (0..<layers).reduce(Float(0)) { $0 + vectors[$1 * size + k] } / Float(layers) }
    }
}
