import FileFormats
import Glibc
import SentenceEmbedding
import Tensors
import VectorStore

/// Makes a plan: reads the inputs once, so that every row lies in exactly one shard whatever quotation marks and line ends its cells hold.
package struct ShardPlanning {
    package var inputs: [String]
    package var table = TableOptions()
    package var columns = CaptionColumns()
    /// Rows of a shard; the last one of each input may have fewer.
    package var rows = 1_000_000
    package var storage = VectorStorage.float32
    /// Tasks that the shards are dealt out to; nil for one a shard, at most 1000.
    package var tasks: Int?
    package var isPinned = false
    package var createdBy: String
    /// How the plan was asked for; inputs and model are filled in.
    package var provenance: Provenance

    package init(inputs: [String], createdBy: String, provenance: Provenance) {
        (self.inputs, self.createdBy, self.provenance) = (inputs, createdBy, provenance)
    }

    /// Plans, and writes nothing.
    /// - Parameter progress: called now and then with rows and the share of the current input.
    /// - Throws: `DataError` if an input is missing, broken, not a text in UTF-8 whose rows lie one after the other, or has other columns
    ///   than the first one.
    /// - Complexity: two passes over the inputs, one that counts rows and one that hashes shards.
    package func plan(
        for encoder: SentenceEncoder, progress: (Int, Double?) -> Void = { _, _ in }, isCancelled: () -> Bool = { false }
    ) throws -> ShardPlan {
        var found: [ShardPlan.Input] = [], shards: [ShardPlan.Shard] = [], planned = 0
        for (number, path) in inputs.enumerated() {
            guard path != "-" else {
                throw DataError(.usage, "several tasks cannot read standard input; write it to a file on the shared disk first")
            }
            let source = try CaptionSource(path: path, options: table, columns: columns)
            guard let reading = source.reading(isLossy: table.isLossy), var begin = source.table.place else {
                throw DataError(
                    .usage,
                    "shards need a txt, tsv, csv or jsonl file in UTF-8, and this is \(source.table.format.rawValue)"
                        + (source.table.encoding.map { " in \($0.rawValue)" } ?? "")
                        + "; convert it first (iconv -t UTF-8, or save it as such a file)", file: path)
            }
            if let first = found.first?.reading,
                first.columns != reading.columns || first.text != reading.text || first.group != reading.group || first.id != reading.id
            {
                throw DataError(
                    .badData,
                    "it has the columns \(reading.columns.joined(separator: ", ")), and \(inputs[0]) has \(first.columns.joined(separator: ", ")); "
                        + "all inputs of a set need the same columns", file: path)
            }
            let firstOwn = shards.count
            while true {
                var count = 0
                // A shard that began like a file of another kind, or with a byte-order mark, would be taken for one: its first row goes to
                // the shard before.
                while try count < rows || Self.isMistakable(path, at: source.table.place) {
                    if isCancelled() { throw DataError(.interrupted, "stopped before the plan was written") }
                    let read = try source.next(batch: max(1, min(8192, rows - count))).count
                    if read == 0 { break }
                    count += read
                    progress(planned + count, source.table.fractionRead)
                }
                guard count > 0, let end = source.table.place else { break }
                shards.append(ShardPlan.Shard(input: number, rows: count, bytes: begin.byte..<end.byte, firstLine: begin.line, sha256: ""))
                (begin, planned) = (end, planned + count)
            }
            guard shards.count > firstOwn else { throw DataError(.badData, "the input has no rows", file: path) }
            let size = try ByteStream(path: path).fileSize ?? 0
            found.append(ShardPlan.Input(path: try Self.absolute(path), bytes: size, sha256: try source.table.sha256(), reading: reading))
            for index in firstOwn..<shards.count { shards[index].sha256 = try Self.hash(path, shards[index].bytes) }
        }
        let hash = try encoder.identity()
        var record = provenance
        record.model = .init(path: encoder.name, sha256: hash)
        record.inputs = found.map { .init(path: $0.path, sha256: $0.sha256) }
        record.kernels = processorKernels
        record.settings += [("precision", .string(encoder.precisionName)), ("storage", .string(storage.rawValue))]
        let model = ShardPlan.Model(
            path: try Self.absolute(encoder.directory.folder.path), name: encoder.name, sha256: hash, pooling: encoder.poolingName,
            precision: encoder.precisionName,
            maxLength: encoder.maxLength, isNormalized: encoder.isNormalized, normalizes: encoder.options.normalizes,
            truncatedDimension: encoder.options.truncatedDimension, prompt: encoder.prompt, dimension: encoder.dimension)
        return ShardPlan(
            inputs: found, shards: shards, model: model, storage: storage, kernels: processorKernels, isPinned: isPinned,
            tasks: tasks ?? min(shards.count, 1000), createdBy: createdBy, record: record.json())
    }

    /// Puts the plan into the folder, which is made.
    /// - Parameter replaces: another plan that is there; its shards do not count any more.
    /// - Throws: `DataError` if another plan is there, or the folder holds other things.
    package static func write(_ plan: ShardPlan, to folder: String, replaces: Bool) throws {
        let path = folder + "/" + ShardPlan.name
        if access(path, F_OK) == 0, !replaces {
            let old = try ShardPlan(folder: folder)
            guard old.identity == plan.identity else {
                throw DataError(
                    .cannotCreate,
                    "a plan for other inputs, another model or other settings exists; \(Setting.force) "
                        + "replaces it and discards its shards", file: folder)
            }
        }
        for folder in [folder, folder + "/" + ShardFolder.files] where mkdir(folder, 0o777) != 0 {
            guard errno == EEXIST else { throw SystemError.cannotCreate(folder) }
        }
        if replaces { unlink(folder + "/" + VectorSetIndex.name) }
        try AtomicFile.write(to: path) { try $0.write(plan.json.serialized(.pretty) + "\n") }
    }

    /// Whether the bytes at a place are those that other kinds of files begin with.
    private static func isMistakable(_ path: String, at place: TablePlace?) throws -> Bool {
        let marks: [[UInt8]] = [
            [0xEF, 0xBB, 0xBF], [0x50, 0x4B, 0x03, 0x04], [0xD0, 0xCF, 0x11, 0xE0], [0x89, 0x48, 0x44, 0x46], [0x1F, 0x8B],
            Array("%PDF-".utf8),
        ]
        guard let place else { return false }
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = pread(descriptor, &bytes, bytes.count, off_t(place.byte))
        return count > 0 && marks.contains { bytes[..<count].starts(with: $0) }
    }

    static func hash(_ path: String, _ bytes: Range<Int>) throws -> String { try ByteStream(path: path, stretch: bytes).sha256() }

    private static func absolute(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else { throw SystemError.cannotRead(path) }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Holding a process to an instruction set, so that different processors give the same bits.
package enum ShardKernels {
    /// Names that can be asked for, poorest first.
    package static let names = ["avx2", "avx512_core", "avx512_core_vnni", "avx512_core_bf16"]

    /// Holds this process to an instruction set. To be called before anything is computed.
    /// - Throws: `DataError` if the processor has less.
    package static func pin(_ name: String) throws {
        setenv("ONEDNN_MAX_CPU_ISA", name.uppercased(), 1)
        guard processorKernels == name else {
            throw DataError(
                .usage,
                "this processor uses \(processorKernels) kernels and cannot be restricted to \(name); exclude such "
                    + "nodes (#SBATCH --constraint)")
        }
    }
}
