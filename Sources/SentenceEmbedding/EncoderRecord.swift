import FileFormats

extension SentenceEncoder {
    /// What vectors of this encoder are, for the records of what is made from them.
    package var description: JSON {
        get throws {
            .object([
                ("model", .string(directory.name)), ("model_sha256", .string(try directory.sha256())), ("pooling", .string(directory.poolingName)),
                ("normalized", .bool(isNormalized)), ("precision", .string(options.precision.rawValue)), ("max_length", .integer(maxLength)),
                ("prompt", .string(prompt)), ("dimension", .integer(dimension)),
            ])
        }
    }

    /// A record with the model and the files that went in.
    package func record(_ provenance: Provenance, inputs: [Provenance.Source]) throws -> Provenance {
        var record = provenance
        record.model = Provenance.Source(path: directory.name, sha256: try directory.sha256())
        record.inputs = inputs
        return record
    }
}
