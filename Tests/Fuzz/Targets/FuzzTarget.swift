import FileFormats
import Foundation
import Tokenizers
import WordVectors

/// A parser that reads what others made. Whatever the bytes, the worst that may happen is a `DataError`.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case safetensors, gguf, pickle, tokenizer, sentencepiece, xlsx, csv, json, conllu, npy, mat, words

    /// Reads the bytes as the program would, to the end.
    /// - Throws: what is not a `DataError`: a finding, as is any crash.
    package func run(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            switch self {
            case .json: try Self.json(bytes)
            case .tokenizer: Self.use(try Tokenizer(json: JSON(parsing: bytes), file: "tokenizer.json"))
            case .safetensors: try Self.withFile(bytes, Self.safetensors)
            case .gguf: try Self.withFile(bytes, Self.gguf)
            case .pickle: try Self.withFile(bytes, Self.pickle)
            case .sentencepiece: try Self.withFile(bytes) { Self.use(try Tokenizer(sentencePieceModel: URL(fileURLWithPath: $0))) }
            case .xlsx: try Self.withFile(bytes) { try Self.table($0, .xlsx) }
            case .csv: try Self.withFile(bytes) { for format in [TableFormat.csv, .tsv, .jsonl] { try? Self.table($0, format) } }
            case .conllu: try Self.withFile(bytes) { for sentence in try CoNLLUReader.read($0) { _ = sentence.writtenForm } }
            case .npy: try Self.withFile(bytes) { _ = try NPYFile(path: $0).floats() }
            case .mat: try Self.withFile(bytes) { _ = try MATFile(path: $0).names }
            case .words: try Self.withFile(bytes, Self.words)
            }
        } catch is DataError {}
    }

    /// The files of this checkout from which mutation begins: fixtures of the tests and earlier findings.
    package var seeds: [URL] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func files(_ folder: String, _ isSeed: (String) -> Bool) -> [URL] {
            let place = tests.appendingPathComponent(folder)
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).sorted()
            return names.filter { isSeed($0) && !$0.hasPrefix(".") }.map { place.appendingPathComponent($0) }
        }
        let fixtures =
            switch self {
            case .safetensors: files("FileFormatsTests/Fixtures") { $0.hasSuffix(".safetensors") }
            case .gguf: files("FileFormatsTests/Fixtures") { $0.hasSuffix(".gguf") }
            case .pickle: files("FileFormatsTests/Fixtures/torch") { $0.hasSuffix(".bin") }
            case .tokenizer: files("TokenizersTests/Fixtures") { $0.hasSuffix(".tokenizer.json") && !$0.hasPrefix("xlm") }
            case .sentencepiece: files("TokenizersTests/Fixtures") { $0.hasSuffix(".model") }
            case .xlsx: files("FileFormatsTests/Fixtures") { $0.hasSuffix(".xlsx") }
            case .npy: files("FileFormatsTests/Fixtures") { $0.hasSuffix(".npy") }
            case .mat: files("FileFormatsTests/Fixtures") { $0.hasSuffix(".mat") }
            case .csv, .json, .conllu, .words: [URL]()
            }
        return fixtures + files("Fuzz/Seeds/" + rawValue) { _ in true } + files("Fuzz/Regressions/" + rawValue) { _ in true }
    }

    // MARK: Readers

    private static func json(_ bytes: UnsafeRawBufferPointer) throws {
        let json = try JSON(parsing: bytes)
        // What was read can be written, and read again to the same.
        guard try JSON(parsing: json.serialized()) == json else {
            throw Finding(what: "JSON is not the same when it is written and read again")
        }
    }

    private static func safetensors(_ path: String) throws {
        let file = try SafetensorsFile(path: path)
        for name in file.names {
            if [.f32, .f16, .bf16, .f64].contains(file[name]?.dtype) { _ = try file.floats(name) } else { _ = try file.integers(name) }
        }
    }

    private static func gguf(_ path: String) throws {
        let file = try GGUFFile(path: path)
        for name in file.names {
            let count = file[name]?.shape.reduce(1, *) ?? 0
            var values = [Float](repeating: 0, count: count)
            try values.withUnsafeMutableBufferPointer { try file.read(name, into: $0) }
        }
    }

    private static func pickle(_ path: String) throws {
        let file = try TorchCheckpoint(path: path)
        for name in file.names {
            if [.f32, .f16, .bf16, .f64].contains(file[name]?.dtype) { _ = try file.floats(name) } else { _ = try file.integers(name) }
        }
    }

    /// Word vectors, whichever of their formats the bytes look like: word2vec's text and binary, GloVe's, fastText's, packed or not.
    private static func words(_ path: String) throws {
        let table = try WordFile.read(path, threads: 1)
        guard table.words.count == table.count, table.vectors.count == table.count * table.dimension else {
            throw Finding(what: "words without vectors")
        }
        for word in ["the", "犬", "unknown", ""] {
            if let vector = table.vector(of: word), vector.count != table.dimension { throw Finding(what: "a vector of another length") }
        }
    }

    private static func table(_ path: String, _ format: TableFormat) throws {
        var options = TableOptions()
        options.format = format
        let source = try CaptionSource(path: path, options: options)
        while try !source.next(batch: 100).isEmpty {}
    }

    private static func use(_ tokenizer: Tokenizer) {
        var ids: [Int32] = [], scratch = TokenizerScratch()
        for text in ["Two dogs, 犬が走る。 e\u{301} ﾊﾟ [MASK] 'll 12 ３４\r\n👩🏽‍🚀", "", " ", String(repeating: "ab ", count: 20)] {
            for limit in [nil, 0, 7] {
                let bytes = Array(text.utf8)
                _ = bytes.withUnsafeBufferPointer { tokenizer.appendIDs(of: $0, maxLength: limit, to: &ids, scratch: &scratch) }
            }
            _ = try? tokenizer.encode(text, pair: "b c", maxLength: 6, stride: 1)
        }
        _ = tokenizer.decode(Array(ids.prefix(200)) + [-1, Int32.max, 5])
    }

    // MARK: Bytes as a file

    /// In memory where there is such a folder: the disk would be the slowest part.
    private static func withFile(_ bytes: UnsafeRawBufferPointer, _ body: (String) throws -> Void) throws {
        let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let path = "\(folder)/kotonoha-fuzz-\(getpid())-\(pthread_self())"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Finding(what: "no place for the input: \(path)") }
        defer { unlink(path) }
        _ = bytes.count == 0 ? 0 : write(file, bytes.baseAddress, bytes.count)
        close(file)
        try body(path)
    }

    package struct Finding: Error { package var what: String }
}
