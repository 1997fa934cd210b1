import FileFormats
import Foundation
import Tensors
import VectorStore

/// One run of `embed`: rows of an input become rows of a vector file, in portions, so that a million captions need little memory
/// and a killed run can be taken up again.
public struct EmbeddingRun {
    public var input: String
    public var output: String
    public var table = TableOptions()
    public var columns = CaptionColumns()
    public var storage = VectorStorage.float32
    /// Keep the rows that an interrupted run has left.
    public var resumes = false
    /// Put the new rows behind those that `output` already holds.
    public var appends = false
    /// Name and version of the program, for the file.
    public var createdBy: String
    /// Rows encoded before they are put on the disk.
    public var portion = 8192
    /// Everything else worth keeping about how the file was made, as JSON text.
    public var provenance = ""

    public init(input: String, output: String, createdBy: String) {
        self.input = input
        self.output = output
        self.createdBy = createdBy
    }

    /// How far the work is.
    public struct Progress: Sendable {
        public var rows: Int
        /// In 0 ... 1; nil for standard input.
        public var fraction: Double?
        public var counts: SentenceEncoder.Counts
    }

    /// What came out.
    public struct Summary: Sendable {
        public var rows = 0
        /// Rows with nothing but white space: kept, marked as not valid.
        public var emptyRows = 0
        /// Rows that an earlier run had finished.
        public var resumedRows = 0
        /// Rows of the file that was appended to.
        public var earlierRows = 0
        public var counts = SentenceEncoder.Counts()
        public var format = TableFormat.txt
        public var encoding: TextEncoding?
        public var encodingIsGuess = false
        public var textColumn = ""
        /// Spent in the encoder, tokenizer included.
        public var seconds = 0.0
    }

    /// - Parameter progress: called after every portion.
    /// - Parameter isCancelled: asked between portions; what is done stays for `resumes`.
    /// - Throws: `DataError`; then the output is as it was before.
    public func run(
        with encoder: any TextEncoder, progress: (Progress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Summary {
        guard !(resumes && input == "-") else {
            throw DataError(.usage, "standard input cannot be read again, so a run from it cannot be resumed")
        }
        let source = try CaptionSource(path: input, options: table, columns: columns)
        let layout = VectorLayout(
            dimension: encoder.dimension, hasGroups: source.hasGroups, hasIDs: source.hasIDs, columnNames: source.otherColumns,
            textName: source.textName, groupName: source.groupName, idName: source.idName)
        // A pipe is read once, so its hash is known at the end; the work of such a run cannot be resumed.
        let sourceHash = try source.table.sha256InAdvance()
        guard !(resumes && sourceHash == nil) else {
            throw DataError(.usage, "a pipe cannot be read again, so a run from it cannot be resumed", file: source.table.name)
        }
        let modelHash = try encoder.identity()
        var metadata = VectorMetadata(
            model: encoder.name, modelSHA256: modelHash, pooling: encoder.poolingName, isNormalized: encoder.isNormalized,
            precision: encoder.precisionName, maxLength: encoder.maxLength, prompt: encoder.prompt, createdBy: createdBy,
            source: input == "-" ? "standard input" : URL(fileURLWithPath: input).lastPathComponent, sourceSHA256: sourceHash ?? "", provenance: provenance)
        let earlier = appends ? try earlierRows() : nil
        let partial = try EmbeddingPartial(
            output: output, layout: layout, fingerprint: fingerprint(metadata, encoder, source), resume: resumes, appendingTo: earlier == nil ? nil : output)

        var summary = Summary()
        summary.format = source.table.format
        summary.encoding = source.table.encoding
        summary.encodingIsGuess = source.table.encodingIsGuess
        summary.textColumn = source.textColumn
        summary.earlierRows = earlier ?? 0
        summary.resumedRows = partial.completeRows
        while summary.rows < partial.completeRows {
            let rows = try source.next(batch: min(portion, partial.completeRows - summary.rows))
            guard !rows.isEmpty else {
                throw DataError(.badData, "the unfinished run has \(partial.completeRows) rows, but the input only \(summary.rows)", file: input)
            }
            summary.rows += rows.count
            summary.emptyRows += rows.count { Self.isEmpty($0.text) }
        }
        while true {
            if isCancelled() {
                throw DataError(.interrupted, "stopped after \(partial.completeRows) rows, which are kept in \(EmbeddingPartial.folder(of: output)); "
                                + "the same command with --resume goes on from there")
            }
            let rows = try source.next(batch: portion)
            if rows.isEmpty { break }
            let begin = ContinuousClock.now
            let (block, counts) = try encoded(rows, encoder, layout)
            summary.seconds += (ContinuousClock.now - begin) / .seconds(1)
            try partial.append(block)
            summary.counts += counts
            summary.emptyRows += block.valid.count { !$0 }
            summary.rows += rows.count
            progress(Progress(rows: summary.rows, fraction: source.table.fractionRead, counts: summary.counts))
        }
        guard summary.rows > 0 else {
            try partial.discard()
            throw DataError(.badData, "there is nothing to embed: the input has no rows", file: input)
        }
        let readHash = try source.table.sha256()
        guard sourceHash == nil || sourceHash == readHash else {
            try partial.discard()
            throw DataError(.badData, "the file was changed while it was read; run the command again", file: input)
        }
        metadata.sourceSHA256 = readHash
        try partial.assemble(metadata: metadata, storage: storage)
        return summary
    }

    private func encoded(_ rows: [CaptionRow], _ encoder: any TextEncoder, _ layout: VectorLayout) throws -> (VectorBlock, SentenceEncoder.Counts) {
        var valid = rows.map { !Self.isEmpty($0.text) }
        let dimension = encoder.dimension
        var counts = SentenceEncoder.Counts()
        let filled = rows.indices.filter { valid[$0] }
        var embeddings = [Float](repeating: 0, count: rows.count * dimension)
        if filled.count == rows.count {
            try embeddings.withUnsafeMutableBufferPointer { counts = try encoder.encode(rows.map(\.text), into: $0) }
        } else {
            // Empty rows keep their place, with a vector of zeros.
            let found = try [Float](unsafeUninitializedCapacity: filled.count * dimension) { buffer, initialized in
                counts = try encoder.encode(filled.map { rows[$0].text }, into: UnsafeMutableBufferPointer(rebasing: buffer[..<(filled.count * dimension)]))
                initialized = filled.count * dimension
            }
            for (from, to) in filled.enumerated() {
                embeddings.replaceSubrange(to * dimension..<(to + 1) * dimension, with: found[from * dimension..<(from + 1) * dimension])
            }
        }
        // A text of unknown words has no direction, as an empty one has none.
        for row in filled where embeddings[row * dimension..<(row + 1) * dimension].allSatisfy({ $0 == 0 }) { valid[row] = false }
        let block = VectorBlock(
            texts: rows.map(\.text), groups: layout.hasGroups ? rows.map { $0.group ?? "" } : [], ids: layout.hasIDs ? rows.map { $0.id ?? "" } : [],
            columns: layout.columnNames.indices.map { column in rows.map { $0.others[column] } }, valid: valid, embeddings: embeddings)
        return (block, counts)
    }

    /// Rows of the file to append to; nil where there is none yet.
    private func earlierRows() throws -> Int? {
        FileManager.default.fileExists(atPath: output) ? try VectorFile(path: output).count : nil
    }

    private static func isEmpty(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }

    /// Everything that decides a row: an unfinished run may only go on if all of it is the same.
    private func fingerprint(_ metadata: VectorMetadata, _ encoder: any TextEncoder, _ source: CaptionSource) -> EmbeddingPartial.Fingerprint {
        [
            "source_sha256": metadata.sourceSHA256, "model_sha256": metadata.modelSHA256, "pooling": metadata.pooling,
            "normalized": metadata.isNormalized ? "1" : "0", "precision": metadata.precision, "max_length": String(metadata.maxLength),
            "prompt": metadata.prompt, "dimension": String(encoder.dimension), "storage": storage.rawValue,
            "format": source.table.format.rawValue, "encoding": source.table.encoding?.rawValue ?? "", "text_column": source.textColumn,
            "group_column": columns.group ?? "", "id_column": columns.id ?? "", "group_file": columns.groupFile ?? "", "sheet": table.sheet ?? "",
            "kernels": processorKernels,
        ]
    }
}
