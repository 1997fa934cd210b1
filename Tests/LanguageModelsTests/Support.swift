import FileFormats
import Foundation
import LanguageModels
import ModelFolders
import Networks
import Tensors
import TestTools
import Testing
import Tokenizers

extension Tag {
    @Tag static var sameBits: Self
}

enum Fixtures {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static func path(_ name: String) -> String { folder.appending(path: name).path }
    static func json(_ name: String) throws -> JSON { try JSON(contentsOf: path(name)) }
    static func tensors(_ name: String) throws -> SafetensorsArchive { SafetensorsArchive(try SafetensorsFile(path: path(name))) }
    static func masked(_ name: String) throws -> MaskedLanguageModel {
        try MaskedLanguageModel(directory: ModelDirectory(folder: folder.appending(path: name)))
    }
}

let hasMeCab = FileManager.default.fileExists(atPath: "/var/lib/mecab/dic/ipadic-utf8/sys.dic")

/// Largest difference, measured in units of the expected number's size where that is above 1.
func distance(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Double {
    let (a, b) = (Array(a), Array(b))
    guard a.count == b.count, !a.isEmpty else { return .infinity }
    return zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
}

/// A causal model whose logits somebody else computed, for the sequences that it knows.
struct RecordedModel: LanguageModel {
    var tokenizer: Tokenizer
    var recorded: [[Int32]: Tensor<Float>]
    var beginID: Int32?
    var name: String { "recorded" }
    var kind: LanguageModelKind { .causal }
    var vocabularySize: Int { recorded.values.first?.columns ?? 0 }
    var contextLength = 40
    var endIDs: [Int32] { [] }
    var maskID: Int32? { nil }
    var precisionName: String { "f32" }
    func identity() -> String { "recorded" }

    func logits(of batch: PackedBatch, at rows: [Int]) -> Tensor<Float> {
        var all: [Float] = []
        for row in rows {
            let sequence = (0..<batch.sequences).last { Int(batch.offsets[$0]) <= row } ?? 0
            let known = recorded[Array(batch[sequence])]
            let place = row - Int(batch.offsets[sequence])
            all += known.map { $0.rows(place..<place + 1).elements } ?? [Float](repeating: .nan, count: vocabularySize)
        }
        return Tensor(all, shape: [rows.count, vocabularySize])
    }

    func scores(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore] {
        scoresByLogits(of: batch, at: rows, targets: targets)
    }
}

/// A causal model that looks at the token before alone, so that every window of a text says the same.
struct BigramModel: LanguageModel {
    var tokenizer: Tokenizer
    var beginID: Int32?
    var contextLength = 64
    var name: String { "bigrams" }
    var kind: LanguageModelKind { .causal }
    var vocabularySize: Int { tokenizer.idBound }
    var endIDs: [Int32] { [] }
    var maskID: Int32? { nil }
    var precisionName: String { "f32" }
    func identity() -> String { "bigrams" }

    func logits(of batch: PackedBatch, at rows: [Int]) -> Tensor<Float> {
        let n = vocabularySize
        return Tensor(
            rows.flatMap { row in (0..<n).map { Float(($0 * 37 + Int(batch.ids[row]) * 101) % 89) / 20 } }, shape: [rows.count, n])
    }

    func scores(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore] {
        scoresByLogits(of: batch, at: rows, targets: targets)
    }
}

extension LanguageModel {
    /// By the definition, in Double.
    func scoresByLogits(of batch: PackedBatch, at rows: [Int], targets: [Int32]) -> [TokenScore] {
        let found = logits(of: batch, at: rows)
        return targets.enumerated().map { row, target in
            let z = found.rows(row..<row + 1).elements.map(Double.init), sum = z.reduce(0) { $0 + exp($1) }
            let p = z.map { exp($0) / sum }
            return TokenScore(
                logProbability: log(p[Int(target)]), entropy: -p.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) },
                rank: z.count { $0 > z[Int(target)] } + 1)
        }
    }
}
