import FileFormats
import Foundation
import Tensors
import VectorStore

/// One run of `embed`: rows of an input become rows of a vector file, in portions, so that a million captions need little memory
/// and a killed run can be taken up again.
package struct EmbeddingRun {
    package var input: String
    package var output: String
    package var table = TableOptions()
    package var columns = CaptionColumns()
    /// Cuts long texts into several rows, and writes the means of each text's rows to `NAME.documents.h5`.
    package var split: TextSplit?
    package var storage = VectorStorage.float32
    /// Codes to write next to the vectors; an appended file keeps what it has.
    package var codes: VectorCodes?
    /// Keep the rows that an interrupted run has left.
    package var resumes = false
    /// Put the new rows behind those that `output` already holds.
    package var appends = false
    /// Replace a finished `output` of other sentences, or append rows that it holds already.
    package var insists = false
    /// Name and version of the program, for the file.
    package var createdBy: String
    /// Rows encoded before they are put on the disk.
    package var portion = 8192
    /// How the run was asked for (command line, kernels); the model and the inputs are filled in.
    package var provenance: Provenance?

    package init(input: String, output: String, createdBy: String) {
        self.input = input
        self.output = output
        self.createdBy = createdBy
    }

    /// How far the work is.
    package struct Progress: Sendable {
        package var rows: Int
        /// In 0 ... 1; nil for standard input.
        package var fraction: Double?
        package var counts: SentenceEncoder.Counts
    }

    /// What came out.
    package struct Summary: Sendable {
        package var rows = 0
        /// The output holds these rows already, made in the same way, and was left as it is.
        package var isAlreadyThere = false
        /// Columns that only the appended rows have, and that they lack.
        package var addedColumns: [String] = []
        package var missingColumns: [String] = []
        /// Rows with nothing but white space: kept, marked as not valid.
        package var emptyRows = 0
        /// Rows that an earlier run had finished.
        package var resumedRows = 0
        /// Rows of the file that was appended to.
        package var earlierRows = 0
        package var counts = SentenceEncoder.Counts()
        package var format = TableFormat.txt
        package var encoding: TextEncoding?
        package var encodingIsGuess = false
        package var textColumn = ""
        /// Where texts were split: the file of their means, and how many texts there were.
        package var documentFile: String?
        package var documents = 0
        /// Spent in the encoder, tokenizer included.
        package var seconds = 0.0
    }

    /// - Parameter progress: called after every portion.
    /// - Parameter isCancelled: asked between portions; what is done stays for `resumes`.
    /// - Throws: `DataError`; then the output is as it was before.
    package func run(
        with encoder: any TextEncoder, progress: (Progress) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> Summary {
        guard !(resumes && input == "-") else {
            throw DataError(.usage, "standard input cannot be read again, so a run from it cannot be resumed")
        }
        let source = try CaptionSource(path: input, options: table, columns: columns)
        guard split == nil || !appends else {
            throw DataError(.usage, "split texts cannot be appended: the mean of a document needs all of its parts in one run")
        }
        let parts = PartSource(source, split: split, tokenizer: (encoder as? SentenceEncoder)?.tokenizer)
        let layout = VectorLayout(
            dimension: encoder.dimension, hasGroups: source.hasGroups, hasIDs: source.hasIDs,
            columnNames: split == nil ? source.otherColumns : TableColumn.unique(source.otherColumns + PartSource.columns),
            textName: source.textName, groupName: source.groupName, idName: source.idName)
        // A pipe is read once, so its hash is known at the end; the work of such a run cannot be resumed.
        let sourceHash = try source.table.sha256InAdvance()
        guard !(resumes && sourceHash == nil) else {
            throw DataError(.usage, "a pipe cannot be read again, so a run from it cannot be resumed", file: source.table.name)
        }
        let modelHash = try encoder.identity()
        let inputName = input == "-" ? "standard input" : URL(fileURLWithPath: input).lastPathComponent
        var metadata = VectorMetadata(
            model: encoder.name, modelSHA256: modelHash, pooling: encoder.poolingName, isNormalized: encoder.isNormalized,
            precision: encoder.precisionName, maxLength: encoder.maxLength, prompt: encoder.prompt, createdBy: createdBy,
            source: inputName, sourceSHA256: sourceHash ?? "")
        let earlier = try earlierFile()
        let fingerprint = try fingerprint(metadata, encoder, source)
        var summary = Summary()
        summary.format = source.table.format
        summary.encoding = source.table.encoding
        summary.encodingIsGuess = source.table.encodingIsGuess
        summary.textColumn = source.textColumn
        summary.earlierRows = earlier?.count ?? 0
        /// The rows are there: nothing is to be done, but to clear away what a process killed after its last step has left.
        func alreadyThere() -> Summary {
            EmbeddingPartial.clear(output: output, fingerprint: fingerprint)
            summary.isAlreadyThere = true
            return summary
        }
        if sourceHash != nil { metadata.parts = [Self.identity(fingerprint)] }
        if let earlier, !insists {
            let isSame =
                earlier.metadata.parts.isEmpty
                ? Self.isMadeAlike(earlier, metadata, storage) : metadata.parts.contains(where: earlier.metadata.parts.contains)
            if isSame, appends || resumes { return alreadyThere() }
            guard appends else {
                throw DataError(
                    .usage,
                    "a finished vector file exists, of other sentences or with other settings; \(Setting.force) "
                        + "replaces it", file: output)
            }
        }
        let partial = try EmbeddingPartial(
            output: output, layout: layout, fingerprint: fingerprint, resume: resumes, appendingTo: appends ? output : nil)
        (summary.addedColumns, summary.missingColumns) = (partial.addedColumns, partial.missingColumns)
        summary.resumedRows = partial.completeRows
        do {
            try embedRows(of: parts, into: partial, with: encoder, layout, summary: &summary, progress, isCancelled)
            let readHash = try source.table.sha256()
            guard sourceHash == nil || sourceHash == readHash else {
                throw DataError(.badData, "the file changed while being read; run the command again", file: input)
            }
            metadata.sourceSHA256 = readHash
            if sourceHash == nil {
                var fingerprint = fingerprint
                fingerprint["source_sha256"] = readHash
                metadata.parts = [Self.identity(fingerprint)]
                if appends, !insists, let earlier, metadata.parts.contains(where: earlier.metadata.parts.contains) {
                    partial.discard()
                    return alreadyThere()
                }
            }
            metadata.provenance = record(
                model: .init(path: encoder.name, sha256: modelHash), input: .init(path: inputName, sha256: readHash), encoder,
                appendingTo: appends ? earlier : nil)
            try partial.assemble(metadata: metadata, storage: storage, codes: codes)
            if split != nil {
                let path = DocumentMeans.path(for: output)
                try DocumentMeans.write(from: VectorFile(path: output), texts: parts.documents, to: path)
                (summary.documentFile, summary.documents) = (path, parts.documents.count)
            }
        } catch let error as DataError where error.kind == .badData || error.kind == .usage {
            // The input has to change first, and then these rows belong to nothing.
            partial.discard()
            throw error
        }
        return summary
    }

    private func embedRows(
        of parts: PartSource, into partial: EmbeddingPartial, with encoder: any TextEncoder, _ layout: VectorLayout, summary: inout Summary,
        _ progress: (Progress) -> Void, _ isCancelled: () -> Bool
    ) throws {
        while summary.rows < partial.completeRows {
            let rows = try parts.next(batch: min(portion, partial.completeRows - summary.rows))
            guard !rows.isEmpty else {
                throw DataError(
                    .badData, "the unfinished run has \(partial.completeRows) rows, but the input only \(summary.rows)", file: input)
            }
            summary.rows += rows.count
            summary.emptyRows += rows.count(where: \.isEmpty)
        }
        while true {
            if isCancelled() {
                throw DataError(
                    .interrupted,
                    "stopped after \(partial.completeRows) rows, which are kept in \(EmbeddingPartial.folder(of: output)); "
                        + "the same command with \(Setting.resume) continues from there")
            }
            let rows = try parts.next(batch: portion)
            if rows.isEmpty { break }
            let begin = ContinuousClock.now
            let (block, counts) = try encoder.block(of: rows, layout: layout)
            summary.seconds += (ContinuousClock.now - begin) / .seconds(1)
            try partial.append(block)
            summary.counts += counts
            summary.emptyRows += block.valid.count { !$0 }
            summary.rows += rows.count
            progress(Progress(rows: summary.rows, fraction: parts.source.table.fractionRead, counts: summary.counts))
        }
        guard summary.rows > 0 else { throw DataError(.badData, "the input has no rows", file: input) }
    }

    /// The file to append to, or the finished one of an earlier run that is to be resumed; nil if it does not matter.
    private func earlierFile() throws -> VectorFile? {
        guard appends || resumes else { return nil }
        guard FileManager.default.fileExists(atPath: output) else {
            guard appends else { return nil }
            throw DataError(.noInput, "no such vector file to append to; leave out \(Setting.append) to create it", file: output)
        }
        return try VectorFile(path: output)
    }

    /// One hash of everything that decides the rows of a run, but for the processor.
    private static func identity(_ fingerprint: EmbeddingPartial.Fingerprint) -> String {
        SHA256.hex(
            of: fingerprint.filter { $0.key != "kernels" }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                separator: "\n"))
    }

    /// Whether a file that does not name its parts has the same source and making, as far as it says.
    private static func isMadeAlike(_ file: VectorFile, _ new: VectorMetadata, _ storage: VectorStorage) -> Bool {
        let old = file.metadata
        return !new.sourceSHA256.isEmpty && old.sourceSHA256 == new.sourceSHA256 && old.modelSHA256 == new.modelSHA256
            && old.pooling == new.pooling
            && old.precision == new.precision && old.maxLength == new.maxLength && old.prompt == new.prompt
            && old.isNormalized == new.isNormalized
            && file.storage == storage
    }

    /// The record of this run. Where rows are added, the inputs of the earlier ones come first.
    private func record(
        model: Provenance.Source, input: Provenance.Source, _ encoder: any TextEncoder, appendingTo earlier: VectorFile?
    ) -> String {
        guard var record = provenance else { return "" }
        record.model = model
        if let earlier = earlier?.metadata {
            let known = (try? JSON(parsing: earlier.provenance))?["inputs"]?.array ?? []
            record.inputs = known.compactMap { entry in
                entry["name"]?.string.map { Provenance.Source(path: $0, sha256: entry["sha256"]?.string ?? "") }
            }
            if known.isEmpty { record.inputs = [Provenance.Source(path: earlier.source, sha256: earlier.sourceSHA256)] }
        }
        record.inputs.append(input)
        record.settings = [("precision", .string(encoder.precisionName)), ("storage", .string(storage.rawValue))]
        return record.json().serialized()
    }

    /// Everything that decides a row: an unfinished run may only go on if all of it is the same.
    private func fingerprint(
        _ metadata: VectorMetadata, _ encoder: any TextEncoder, _ source: CaptionSource
    ) throws -> EmbeddingPartial.Fingerprint {
        try [
            "source_sha256": metadata.sourceSHA256, "model_sha256": metadata.modelSHA256, "pooling": metadata.pooling,
            "normalized": metadata.isNormalized ? "1" : "0", "precision": metadata.precision, "max_length": String(metadata.maxLength),
            "prompt": metadata.prompt, "dimension": String(encoder.dimension), "storage": storage.rawValue,
            "format": source.table.format.rawValue, "encoding": source.table.encoding?.rawValue ?? "", "text_column": source.textColumn,
            "group_column": columns.group ?? "", "id_column": columns.id ?? "",
            "group_file": columns.groupFile.map { try SHA256.hex(ofFile: $0) } ?? "", "sheet": table.sheet ?? "",
            "kernels": processorKernels, "split": split?.name ?? "",
        ]
    }
}
