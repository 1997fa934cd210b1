import FileFormats
import Foundation
import Networks
import Tensors

/// Weights of a fixture, as the program reads them.
struct FixtureArchive: WeightArchive {
    let file: SafetensorsFile
    init(_ path: String) throws { file = try SafetensorsFile(path: path) }

    var fileName: String { file.path }
    var names: [String] { file.names }
    func shape(of name: String) -> [Int]? { file[name]?.shape }
    func tensor(_ name: String) throws -> Tensor<Float> { Tensor(try file.floats(name), shape: file[name]?.shape ?? []) }
    func integers(_ name: String) throws -> [Int] { try file.integers(name) }
}

/// A tiny model that tools/golden/families.py made, and what the reference computes with it.
struct GoldenModel {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/families").path
    static let names = [
        "bert", "bert-odd", "bert-causal", "roberta", "xlm-roberta", "distilbert", "mpnet", "albert", "albert-inner", "electra",
        "electra-causal", "electra-even", "deberta-v3", "deberta-v2", "deberta-v2-own", "luke", "modernbert", "nomic_bert",
    ]

    let configuration: EncoderConfiguration
    let archive: FixtureArchive
    let batch: PackedBatch
    /// After the embeddings and after each layer, `(tokens, hiddenSize)`.
    let hiddenStates: [Tensor<Float>]

    init(_ name: String) throws {
        let folder = Self.folder + "/" + name
        configuration = try EncoderConfiguration(json: JSON(contentsOf: folder + "/config.json"), file: "config.json")
        archive = try FixtureArchive(folder + "/model.safetensors")
        let expected = try FixtureArchive(folder + "/expected.safetensors")
        let ids = try expected.integers("ids").map(Int32.init), types = try expected.integers("types").map(Int32.init)
        let offsets = try expected.integers("offsets")
        var batch = PackedBatch()
        for (first, end) in zip(offsets, offsets.dropFirst()) { batch.append(ids[first..<end], typeIDs: Array(types[first..<end])) }
        self.batch = batch
        let layers = expected.names.filter { $0.hasPrefix("hidden.") }.count
        hiddenStates = try (0..<layers).map { try expected.tensor("hidden.\($0)") }
    }

    func encoder() throws -> Encoder<Float> {
        let encoder = Encoder<Float>(configuration)
        try load(encoder.checkpointEntries, from: archive, prefixes: encoder.checkpointPrefixes)
        return encoder
    }

    /// One sequence of the batch by itself.
    func alone(_ sequence: Int) -> PackedBatch {
        var one = PackedBatch()
        let range = Int(batch.offsets[sequence])..<Int(batch.offsets[sequence + 1])
        one.append(batch.ids[range], typeIDs: batch.typeIDs.isEmpty ? nil : Array(batch.typeIDs[range]))
        return one
    }
}

extension Encoder {
    /// The embeddings and every layer's output.
    func allLayers(_ batch: PackedBatch) -> [Tensor<Scalar>] {
        var states: [Tensor<Scalar>] = []
        _ = self(batch, eachLayer: { _, x in states.append(x.value) }, on: nil)
        return states
    }
}
