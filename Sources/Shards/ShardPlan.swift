import FileFormats
import Glibc
import VectorStore

/// What a set will be: the stretches of the inputs that become its files, the model, and everything else that decides a bit of them.
///
/// It is in the set's folder as `plan.json` and is all that a task has to know: which shards are whose follows from their numbers alone, so
/// that tasks need neither talk to each other nor clocks nor leases.
package struct ShardPlan: Sendable, Equatable {
    package struct Input: Sendable, Equatable {
        /// The place of the file, absolute, so that every node finds it on the shared disk.
        package var path: String
        package var bytes: Int
        /// SHA-256 of the whole file.
        package var sha256: String
        package var reading: TableReading
    }

    /// Consecutive rows of an input, which become one file.
    package struct Shard: Sendable, Equatable {
        /// The input's place in `inputs`.
        package var input: Int
        package var rows: Int
        package var bytes: Range<Int>
        /// The line of the input on which they begin, from 1.
        package var firstLine: Int
        /// SHA-256 of these bytes.
        package var sha256: String
    }

    /// The model and how it is used.
    package struct Model: Sendable, Equatable {
        /// The model's folder, absolute.
        package var path: String
        package var name: String
        package var sha256: String
        package var pooling: String
        package var precision: String
        package var maxLength: Int
        package var isNormalized: Bool
        /// Whether vectors are scaled to length 1 though the model does not do it.
        package var normalizes: Bool
        /// Components that are kept, nil for all.
        package var truncatedDimension: Int?
        package var prompt: String
        package var dimension: Int
    }

    package var inputs: [Input]
    package var shards: [Shard]
    package var model: Model
    package var storage: VectorStorage
    /// The instruction set that rows are computed with: the last bits belong to it.
    package var kernels: String
    /// Whether tasks on richer processors hold themselves to `kernels`; otherwise they refuse.
    package var isPinned: Bool
    /// Tasks that the shards are dealt out to, unless a run says otherwise.
    package var tasks: Int
    /// The program and its version.
    package var createdBy: String
    /// How the plan was asked for (a `Provenance`, without paths).
    package var record: JSON

    package static let name = "plan.json"
    private static let format = "kotonoha/plan"

    package var rows: Int { shards.reduce(0) { $0 + $1.rows } }

    /// One hash of everything that decides the set's bytes; it is the same wherever inputs and model lie.
    package var identity: String {
        var plan = self
        for index in plan.inputs.indices { plan.inputs[index].path = SystemError.name(of: plan.inputs[index].path) }
        plan.model.path = ""
        plan.tasks = 0
        return SHA256.hex(of: plan.json.serialized())
    }

    /// The columns of the set.
    package var layout: VectorLayout {
        let reading = inputs[0].reading, taken = [reading.text, reading.group, reading.id]
        func named(_ column: Int?) -> String? { reading.hasHeader ? column.map { reading.columns[$0] } : nil }
        return VectorLayout(
            dimension: model.dimension, hasGroups: reading.group != nil, hasIDs: reading.id != nil,
            columnNames: reading.columns.indices.filter { !taken.contains($0) }.map { reading.columns[$0] },
            textName: named(reading.text), groupName: named(reading.group), idName: named(reading.id))
    }

    /// What every file of the set says of its making.
    func metadata(of shard: Int) -> VectorMetadata {
        var metadata = VectorMetadata(
            model: model.name, modelSHA256: model.sha256, pooling: model.pooling, isNormalized: model.isNormalized,
            precision: model.precision,
            maxLength: model.maxLength, prompt: model.prompt, createdBy: createdBy,
            source: inputs.map { SystemError.name(of: $0.path) }.joined(separator: " + "),
            sourceSHA256: inputs.map(\.sha256).joined(separator: " + "), provenance: record.serialized())
        metadata.parts = [SHA256.hex(of: "\(identity) \(shard)")]
        return metadata
    }

    // MARK: The file

    package var json: JSON {
        .object([
            ("format", .string(Self.format)), ("format_version", .integer(1)), ("created_by", .string(createdBy)), ("rows", .integer(rows)),
            ("tasks", .integer(tasks)),
            ("kernels", .string(kernels)), ("kernels_pinned", .bool(isPinned)), ("storage", .string(storage.rawValue)),
            (
                "model",
                .object([
                    ("path", .string(model.path)), ("name", .string(model.name)), ("sha256", .string(model.sha256)),
                    ("pooling", .string(model.pooling)),
                    ("precision", .string(model.precision)), ("max_length", .integer(model.maxLength)),
                    ("normalized", .bool(model.isNormalized)),
                    ("normalizes", .bool(model.normalizes)), ("truncate_dim", model.truncatedDimension.map(JSON.integer) ?? .null),
                    ("prompt", .string(model.prompt)),
                    ("dimension", .integer(model.dimension)),
                ])
            ),
            (
                "inputs",
                .array(
                    inputs.map {
                        .object([
                            ("path", .string($0.path)), ("bytes", .integer($0.bytes)), ("sha256", .string($0.sha256)),
                            ("reading", $0.reading.json),
                        ])
                    })
            ),
            (
                "shards",
                .array(
                    shards.map {
                        .object([
                            ("input", .integer($0.input)), ("rows", .integer($0.rows)), ("from", .integer($0.bytes.lowerBound)),
                            ("to", .integer($0.bytes.upperBound)),
                            ("line", .integer($0.firstLine)), ("sha256", .string($0.sha256)),
                        ])
                    })
            ),
            ("record", record),
        ])
    }

    /// Reads the plan of a set's folder.
    /// - Throws: `DataError` if it is missing, damaged or of a later version.
    package init(folder: String) throws {
        let path = folder + "/" + Self.name
        guard access(path, F_OK) == 0 else {
            let number = errno
            guard access(folder, F_OK) == 0 else {
                throw DataError(
                    .noInput,
                    "the set's folder does not exist (is the shared disk mounted on this node?): "
                        + "\(SystemError.text())", file: folder)
            }
            guard number == ENOENT else { throw SystemError.cannotRead(path, number) }
            throw DataError(.noInput, "this folder has no \(Self.name); create one with kotonoha shard plan", file: folder)
        }
        let json = try JSON(contentsOf: path)
        func damaged(_ what: String) -> DataError { DataError(.badData, what, file: path) }
        guard json["format"]?.string == Self.format else {
            throw damaged("not the plan of a set: its \"format\" is not \"\(Self.format)\"")
        }
        guard json["format_version"]?.int == 1 else {
            throw damaged("the plan has format version \(json["format_version"]?.int ?? 0); this program reads version 1")
        }
        func text(_ place: JSON?, _ key: String) throws -> String {
            guard let text = place?[key]?.string else { throw damaged("the key \"\(key)\" is missing or not a text") }
            return text
        }
        func number(_ place: JSON?, _ key: String, _ bounds: ClosedRange<Int> = 0...1 << 60) throws -> Int {
            guard let number = place?[key]?.int, bounds.contains(number) else {
                throw damaged("the key \"\(key)\" is missing or not a number from \(bounds.lowerBound)")
            }
            return number
        }
        inputs = try (json["inputs"]?.array ?? []).map { entry in
            guard let reading = entry["reading"].flatMap(TableReading.init) else { throw damaged("an input has no complete \"reading\"") }
            return try Input(path: text(entry, "path"), bytes: number(entry, "bytes"), sha256: text(entry, "sha256"), reading: reading)
        }
        let count = inputs.count
        guard count > 0 else { throw damaged("the plan has no inputs") }
        shards = try (json["shards"]?.array ?? []).map { entry in
            let from = try number(entry, "from"), to = try number(entry, "to")
            guard from < to else { throw damaged("a shard has no bytes") }
            return try Shard(
                input: number(entry, "input", 0...count - 1), rows: number(entry, "rows", 1...1 << 40), bytes: from..<to,
                firstLine: number(entry, "line", 1...1 << 60), sha256: text(entry, "sha256"))
        }
        guard !shards.isEmpty else { throw damaged("the plan has no shards") }
        let entry = json["model"]
        model = try Model(
            path: text(entry, "path"), name: text(entry, "name"), sha256: text(entry, "sha256"), pooling: text(entry, "pooling"),
            precision: text(entry, "precision"),
            maxLength: number(entry, "max_length"), isNormalized: entry?["normalized"]?.bool ?? false,
            normalizes: entry?["normalizes"]?.bool ?? false,
            truncatedDimension: entry?["truncate_dim"]?.int, prompt: text(entry, "prompt"),
            dimension: number(entry, "dimension", 1...1 << 24))
        guard let storage = VectorStorage(rawValue: try text(json, "storage")) else {
            throw damaged("unknown storage \(try text(json, "storage"))")
        }
        self.storage = storage
        (kernels, isPinned, tasks) = (
            try text(json, "kernels"), json["kernels_pinned"]?.bool ?? false, try number(json, "tasks", 1...1 << 30)
        )
        (createdBy, record) = (try text(json, "created_by"), json["record"] ?? .object([]))
    }

    init(
        inputs: [Input], shards: [Shard], model: Model, storage: VectorStorage, kernels: String, isPinned: Bool, tasks: Int,
        createdBy: String, record: JSON
    ) {
        (self.inputs, self.shards, self.model, self.storage, self.kernels, self.isPinned) = (
            inputs, shards, model, storage, kernels, isPinned
        )
        (self.tasks, self.createdBy, self.record) = (tasks, createdBy, record)
    }
}
