import FileFormats
import Tensors

/// Trained probes of one layer of one encoder, as a safetensors file: tensors `distance` and `depth` of shape (rank, dimension), the
/// matrix B of each.
package struct ProbeFile: Sendable {
    /// The layer that the probes read: 0 for the embeddings.
    package var layer: Int
    /// The distance probe; nil if none was trained.
    package var distance: StructuralProbe?
    package var depth: StructuralProbe?
    /// The encoder's name and hash, as in the layer file that the probes were trained on; empty if that names none.
    package var model: String
    /// The encoder's hash.
    package var modelSHA256: String
    /// How pieces became words and what text the encoder read, as in the layer file.
    package var pieces: String
    /// What text the encoder read, as in the layer file.
    package var text: String
    /// Further remarks: settings, losses, provenance.
    package var remarks: [(key: String, value: String)]

    private static let format = "kotonoha/probe"

    package init(
        layer: Int, distance: StructuralProbe? = nil, depth: StructuralProbe? = nil, model: String = "", modelSHA256: String = "",
        pieces: String = "", text: String = "", remarks: [(key: String, value: String)] = []
    ) {
        (self.layer, self.distance, self.depth, self.model, self.modelSHA256) = (layer, distance, depth, model, modelSHA256)
        (self.pieces, self.text, self.remarks) = (pieces, text, remarks)
    }

    package var probes: [StructuralProbe] { [distance, depth].compactMap(\.self) }
    /// Components of the vectors that the probes take.
    package var dimension: Int { probes.first?.dimension ?? 0 }

    /// Writes the file.
    package func write(to path: String) throws {
        var metadata: [(key: String, value: String)] = [
            ("format", Self.format), ("layer", String(layer)), ("model", model), ("model_sha256", modelSHA256), ("pieces", pieces),
            ("text", text),
        ]
        metadata += remarks
        var writer = SafetensorsWriter(metadata: metadata)
        for probe in probes {
            writer.add(probe.kind.rawValue, shape: [probe.rank, probe.dimension], values: probe.projection.transposed().elements)
        }
        try writer.write(to: path)
    }

    /// Reads a file.
    /// - Throws: `DataError` if it is not a probe, or a matrix is not finite or the dimensions of the two differ.
    package init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        var metadata = file.header.metadata
        func take(_ key: String) -> String? {
            guard let index = metadata.firstIndex(where: { $0.key == key }) else { return nil }
            return metadata.remove(at: index).value
        }
        guard take("format") == Self.format, let layer = take("layer").flatMap({ Int($0) }) else {
            throw DataError(.badData, "not a probe; expected one written by \"probe train\"", file: path)
        }
        self.init(
            layer: layer, model: take("model") ?? "", modelSHA256: take("model_sha256") ?? "", pieces: take("pieces") ?? "",
            text: take("text") ?? "")
        remarks = metadata
        for kind in ProbeKind.allCases {
            guard let entry = file[kind.rawValue] else { continue }
            guard entry.shape.count == 2, entry.shape[0] >= 1, entry.shape[0] <= entry.shape[1] else {
                throw DataError(
                    .badData,
                    "the matrix \(kind.rawValue) has shape \(entry.shape), expected (rank, dimension) with rank ≤ "
                        + "dimension", file: path)
            }
            let matrix = Tensor(try file.floats(kind.rawValue), shape: entry.shape)
            guard matrix.isFinite else {
                throw DataError(.badData, "the matrix \(kind.rawValue) has an entry that is not finite", file: path)
            }
            let probe = StructuralProbe(kind: kind, projection: matrix.transposed())
            switch kind {
            case .distance: distance = probe
            case .depth: depth = probe
            }
        }
        guard let first = probes.first, probes.allSatisfy({ $0.dimension == first.dimension }) else {
            throw DataError(.badData, "it contains no probe, or probes of different dimensions", file: path)
        }
    }

    /// Checks that vectors come from the encoder that the probes were trained on.
    /// - Throws: `DataError` if the model or the dimension differs; `path` names the probe's file.
    package func require(model other: String, modelSHA256 hash: String, dimension: Int, of vectors: String, path: String) throws {
        guard dimension == self.dimension else {
            throw DataError(
                .badData,
                "its vectors have dimension \(dimension), but the probe \(path) expects \(self.dimension): they "
                    + "come from another encoder", file: vectors)
        }
        guard hash.isEmpty || modelSHA256.isEmpty || hash == modelSHA256 else {
            throw DataError(
                .badData,
                "its vectors come from \(other), but the probe \(path) was trained on \(model) (the model hashes "
                    + "differ)", file: vectors)
        }
    }

    /// Predictions for one sentence from its words' vectors, (words, dimension).
    package func predict(_ vectors: Tensor<Float>) -> ProbePrediction {
        ProbePrediction(distances: distance?.distances(vectors), depths: depth?.depths(vectors))
    }
}
