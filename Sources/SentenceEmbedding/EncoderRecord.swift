import FileFormats

extension TextEncoder {
    /// What vectors of this encoder are, for the records of what is made from them.
    package var description: JSON {
        get throws {
            .object([
                ("model", .string(name)), ("model_sha256", .string(try identity())), ("pooling", .string(poolingName)),
                ("normalized", .bool(isNormalized)), ("precision", .string(precisionName)), ("max_length", .integer(maxLength)),
                ("prompt", .string(prompt)), ("dimension", .integer(dimension)),
            ])
        }
    }

    /// A record with the model and the files that went in.
    package func record(_ provenance: Provenance, inputs: [Provenance.Source]) throws -> Provenance {
        var record = provenance
        record.model = Provenance.Source(path: name, sha256: try identity())
        record.inputs = inputs
        return record
    }
}
