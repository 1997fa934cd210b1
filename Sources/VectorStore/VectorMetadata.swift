import FileFormats

/// How the vectors of a file were made: the root attributes of `vectors.h5`.
public struct VectorMetadata: Sendable, Equatable {
    /// The model's name.
    public var model: String
    /// SHA-256 over a sorted manifest of the model's weights, tokenizer and configuration.
    public var modelSHA256: String
    /// As `mean`, `cls`, `mean+max`.
    public var pooling: String
    /// Whether the vectors have length 1.
    public var isNormalized: Bool
    /// The precision of the computation: `f32`, `bf16`, `int8`.
    public var precision: String
    /// Word pieces after which a text was cut.
    public var maxLength: Int
    /// Text put before every sentence, or empty.
    public var prompt: String
    /// The program and its version.
    package var createdBy: String
    /// The input's name without folders, and its SHA-256.
    public var source: String
    /// SHA-256 of the input.
    package var sourceSHA256: String
    /// What the rows were made of and how, as one hash for each run that put rows into the file, in their order: a run that is repeated
    /// knows by it that its rows are there. Empty in files of versions that did not write it.
    package var parts: [String] = []
    /// Everything else worth knowing (a `Provenance`), as compact JSON, or empty.
    public var provenance: String

    /// Metadata of vectors of one model and one input.
    public init(
        model: String, modelSHA256: String, pooling: String, isNormalized: Bool, precision: String, maxLength: Int, prompt: String = "",
        createdBy: String, source: String, sourceSHA256: String, provenance: String = ""
    ) {
        (self.model, self.modelSHA256, self.pooling, self.isNormalized) = (model, modelSHA256, pooling, isNormalized)
        (self.precision, self.maxLength, self.prompt, self.createdBy) = (precision, maxLength, prompt, createdBy)
        (self.source, self.sourceSHA256, self.provenance) = (source, sourceSHA256, provenance)
    }

    func write(to container: HDF5Container) throws {
        try container.set("model", .string(model))
        try container.set("model_sha256", .string(modelSHA256))
        try container.set("pooling", .string(pooling))
        try container.set("normalized", .int(isNormalized ? 1 : 0))
        try container.set("precision", .string(precision))
        try container.set("max_length", .int(maxLength))
        try container.set("prompt", .string(prompt))
        try container.set("created_by", .string(createdBy))
        try container.set("source", .string(source))
        try container.set("source_sha256", .string(sourceSHA256))
        if !parts.isEmpty { try container.set("parts", .string(parts.joined(separator: " "))) }
        if !provenance.isEmpty { try container.set("provenance", .string(provenance)) }
    }

    init(reading container: HDF5Container) throws {
        func text(_ name: String) throws -> String { try container.attribute(name)?.string ?? "" }
        model = try text("model")
        modelSHA256 = try text("model_sha256")
        pooling = try text("pooling")
        isNormalized = try container.attribute("normalized")?.int == 1
        precision = try text("precision")
        maxLength = try container.attribute("max_length")?.int ?? 0
        prompt = try text("prompt")
        createdBy = try text("created_by")
        source = try text("source")
        sourceSHA256 = try text("source_sha256")
        parts = try text("parts").split(separator: " ").map(String.init)
        provenance = try text("provenance")
    }
}

/// Consecutive rows of a vector file.
public struct VectorBlock: Sendable, Equatable {
    /// One text per row.
    package var texts: [String]
    /// As many as texts where the layout has groups, else none; likewise ids.
    package var groups: [String]
    /// As many as texts if the layout has ids, else none.
    package var ids: [String]
    /// One list for each of the layout's columns.
    package var columns: [[String]]
    /// False for an empty cell, whose vector means nothing.
    package var valid: [Bool]
    /// Row-major, shape (rows, dimension).
    package var embeddings: [Float]

    /// Number of rows.
    package var count: Int { texts.count }

    /// Rows in memory. `embeddings` holds `texts.count` × dimension numbers, row-major.
    public init(texts: [String], groups: [String] = [], ids: [String] = [], columns: [[String]] = [], valid: [Bool], embeddings: [Float]) {
        (self.texts, self.groups, self.ids, self.columns, self.valid, self.embeddings) = (texts, groups, ids, columns, valid, embeddings)
    }

    /// The cell of a column in a row of the block.
    package func cell(_ role: VectorLayout.Role, row: Int) -> String {
        switch role {
        case .text: texts[row]
        case .group: groups[row]
        case .id: ids[row]
        case .other(let place): columns[place][row]
        }
    }

    init(layout: VectorLayout) {
        self.init(texts: [], columns: Array(repeating: [], count: layout.columnNames.count), valid: [], embeddings: [])
    }

    func fits(_ layout: VectorLayout) -> Bool {
        groups.count == (layout.hasGroups ? count : 0) && ids.count == (layout.hasIDs ? count : 0)
            && columns.count == layout.columnNames.count && columns.allSatisfy { $0.count == count }
            && valid.count == count && embeddings.count == count * layout.dimension
    }

    /// Takes over some rows of another block.
    mutating func append(_ other: VectorBlock, rows: Range<Int>, dimension: Int) {
        texts += other.texts[rows]
        if !other.groups.isEmpty { groups += other.groups[rows] }
        if !other.ids.isEmpty { ids += other.ids[rows] }
        for index in columns.indices { columns[index] += other.columns[index][rows] }
        valid += other.valid[rows]
        embeddings += other.embeddings[rows.lowerBound * dimension..<rows.upperBound * dimension]
    }
}
