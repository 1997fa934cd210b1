import Analysis
import FileFormats
import Foundation
import Interpretation
import Tensors
import Testing
import VectorStore

@Suite struct Layers {
    static let metadata = VectorMetadata(
        model: "tiny", modelSHA256: "abc", pooling: "words", isNormalized: false, precision: "f32", maxLength: 10, createdBy: "test",
        source: "t.conllu", sourceSHA256: "d")

    /// Three sentences of 2, 1 and 3 words from layers 0 and 3, four components each.
    private func write(_ path: String, storage: VectorStorage = .float32, model: String = "abc") throws -> [[Float]] {
        var metadata = Self.metadata
        metadata.modelSHA256 = model
        let writer = try LayerFileWriter(
            path: path, layers: [0, 3], dimension: 4, metadata: metadata, storage: storage,
            settings: [("pieces", "mean"), ("text", "written")])
        var all: [[Float]] = []
        for (index, words) in [2, 1, 3].enumerated() {
            let values = (0..<2 * words * 4).map { Float(index * 100 + $0) / 8 }
            try values.withUnsafeBufferPointer { try writer.append(sentence: "sentence \(index)", words: words, vectors: $0) }
            all.append(values)
        }
        try writer.finish()
        return all
    }

    private func withFile<R>(_ body: (String) throws -> R) throws -> R {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("layers-\(UUID().uuidString).h5")
        defer { try? FileManager.default.removeItem(at: file) }
        return try body(file.path)
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch let error as DataError { return error.description } catch { return "\(error)" }
        return "nothing was thrown"
    }

    @Test(arguments: [VectorStorage.float32, .float16]) func writtenAndRead(_ storage: VectorStorage) throws {
        try withFile { path in
            let written = try write(path, storage: storage)
            let file = try LayerFile(path: path)
            #expect(
                file.sentenceCount == 3 && file.layers == [0, 3] && file.dimension == 4 && file.pieces == "mean" && file.text == "written")
            #expect(file.metadata == Self.metadata)
            let layers = try file.load(layers: [3, 0], words: [2, 1, 3], name: { "s\($0)" })
            var expected: [[Float]] = []
            for layer in [1, 0] {
                expected.append(
                    written.flatMap { values -> [Float] in
                        let size = values.count / 2
                        return Array(values[(layer * size)..<((layer + 1) * size)])
                    })
            }
            #expect(layers.map(\.elements) == expected)
            #expect(layers[0].shape == [6, 4])
        }
    }

    @Test func equalContentsGiveEqualBytes() throws {
        try withFile { a in
            try withFile { b in
                _ = try write(a)
                _ = try write(b)
                #expect(try SHA256.hex(ofFile: a) == SHA256.hex(ofFile: b))
            }
        }
    }

    @Test func piecesBecomeWords() throws {
        try withFile { path in
            let written = try write(path)
            let file = try LayerFile(path: path)
            // The three rows of the last sentence are pieces of two words.
            let loaded = try file.load(layers: [0], words: [2, 1, 2], name: { "s\($0)" }) { sentence in
                sentence == 2 ? ([0..<2, 2..<3], 3) : sentence == 1 ? ([0..<1], 1) : ([0..<1, 1..<2], 2)
            }[0]
            for component in 0..<4 {
                let mean = (written[2][component] + written[2][4 + component]) / 2
                #expect(loaded[3, component] == mean)
                #expect(loaded[4, component] == written[2][8 + component])
            }
        }
    }

    @Test func wrongTreebanksAndEncodersAreNamed() throws {
        try withFile { path in
            _ = try write(path)
            let file = try LayerFile(path: path)
            #expect(
                message { _ = try file.load(layers: [0], words: [2, 1, 4], name: { "dev-s\($0 + 1)" }) }.contains(
                    "sentence dev-s3 has 4 words, but 3 vectors"))
            #expect(
                message { _ = try file.load(layers: [0], words: [2, 1, 3, 5], name: { "dev-s\($0 + 1)" }) }.contains(
                    "sentence dev-s4 has no vectors"))
            #expect(
                message { _ = try file.load(layers: [1], words: [2, 1, 3], name: { "\($0)" }) }.contains("no layer 1; the file has 0, 3"))
            try withFile { other in
                _ = try write(other, model: "xyz")
                #expect(message { try LayerFile(path: other).requireSameEncoder(as: file) }.contains("not from the encoder"))
            }
            let probe = ProbeFile(
                layer: 3, distance: .random(kind: .distance, dimension: 4, rank: 2, seed: 1), model: "tiny", modelSHA256: "abc")
            #expect(
                message { try probe.require(model: "other", modelSHA256: "xyz", dimension: 4, of: path, path: "p") }.contains(
                    "model hashes differ"))
            #expect(
                message { try probe.require(model: "tiny", modelSHA256: "abc", dimension: 5, of: path, path: "p") }.contains(
                    "dimension 5, but the probe p expects 4"))
        }
    }

    @Test func numbersThatAreNone() throws {
        try withFile { path in
            let writer = try LayerFileWriter(path: path, layers: [0], dimension: 1, metadata: Self.metadata, storage: .float16)
            let values: [Float] = [70000]
            #expect(
                message { try values.withUnsafeBufferPointer { try writer.append(sentence: "a", words: 1, vectors: $0) } }.contains(
                    "too large for float16"))
        }
        try withFile { path in
            try HDF5Container.create(path: path) { file in
                try file.write("0", shape: [1, 2, 2], values: [1, 2, Float.nan, 4])
            }
            #expect(
                message { _ = try LayerFile(path: path).load(layers: [0], words: [2], name: { _ in "dev-s1" }) }.contains(
                    "sentence dev-s1: layer 0 has a component that is not finite"))
        }
        try withFile { path in
            try HDF5Container.create(path: path) { file in
                try file.write("0", shape: [1, 2, 2], values: [Float](repeating: 1, count: 4))
                try file.write("2", shape: [1, 2, 2], values: [Float](repeating: 1, count: 4))
            }
            #expect(message { _ = try LayerFile(path: path) }.contains("dataset \"1\" is missing"))
        }
        try withFile { path in
            try HDF5Container.create(path: path) { try $0.write("embeddings", shape: [1], values: [Float(1)]) }
            #expect(message { _ = try LayerFile(path: path) }.contains("vectors of words"))
        }
    }

    @Test func probesAreKept() throws {
        try withFile { path in
            let probe = ProbeFile(
                layer: 5, distance: .random(kind: .distance, dimension: 6, rank: 3, seed: 1),
                depth: .random(kind: .depth, dimension: 6, rank: 2, seed: 2),
                model: "tiny", modelSHA256: "abc", pieces: "first", text: "spaced", remarks: [("note", "x")])
            try probe.write(to: path)
            let read = try ProbeFile(path: path)
            #expect(
                read.layer == 5 && read.distance?.projection == probe.distance?.projection
                    && read.depth?.projection == probe.depth?.projection)
            #expect(
                read.model == "tiny" && read.modelSHA256 == "abc" && read.pieces == "first" && read.text == "spaced"
                    && read.remarks.map(\.value) == ["x"])
            var writer = SafetensorsWriter(metadata: [("format", "kotonoha/probe"), ("layer", "1")])
            writer.add("distance", shape: [3, 2], values: [1, 2, 3, 4, 5, 6])
            try writer.write(to: path)
            #expect(message { _ = try ProbeFile(path: path) }.contains("rank ≤ dimension"))
        }
    }

    @Test func outlineOfAParse() {
        // a - b - c as a chain, root b.
        let distances: [Float] = [0, 1, 4, 1, 0, 1, 4, 1, 0]
        let parse = SentenceParse(
            words: ["a", "b", "c"], members: [0, 1, 2], prediction: ProbePrediction(distances: distances, depths: [1, 0, 1]))
        #expect(parse.heads == [1, -1, 1])
        #expect(parse.outline == "b\n├─ a\n└─ c")
        #expect(SentenceParse(words: ["a", "b", "c"], members: [0, 1, 2], prediction: ProbePrediction(distances: distances)).root == 1)
    }

    @Test func planeKeepsDistancesOfAFlatSpace() throws {
        let points: [Float] = [0, 0, 0, 3, 0, 0, 0, 4, 0]
        let plane = try SentenceParse.plane(Tensor(points, shape: [3, 3]))
        func distance(_ a: Int, _ b: Int) -> Double {
            let x = plane[a].x - plane[b].x, y = plane[a].y - plane[b].y
            return (x * x + y * y).squareRoot()
        }
        #expect(abs(distance(0, 1) - 3) < 1e-6 && abs(distance(0, 2) - 4) < 1e-6 && abs(distance(1, 2) - 5) < 1e-6)
    }
}
