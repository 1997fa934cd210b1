import Analysis
import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding
import Tensors
import VectorStore
import WordVectors

/// Sums and differences of rows as a query: "king − man + woman".
struct ArithmeticOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Rows to add up, by their text or id: king,woman.", valueName: "a,b"))
    var plus: String?

    @Option(help: ArgumentHelp("Rows to subtract.", valueName: "c,d"))
    var minus: String?

    @Option(help: "How to score sums: add (cosine with the sum, 3CosAdd) or mul (3CosMul).")
    var method: ArithmeticMethod = .add

    var isGiven: Bool { plus != nil || minus != nil }

    func search(_ file: VectorFile, top: Int, valid: [Bool], threads: Int) throws -> (name: String, found: NeighborTable) {
        let rows = try RowLookup(file)
        let pluses = try plus.map(rows.indices) ?? [], minuses = try minus.map(rows.indices) ?? []
        func vectors(_ rows: [Int]) throws -> [[Float]] { try rows.map { try file.readEmbeddings(rows: $0..<$0 + 1) } }
        let found = try VectorArithmetic(method: method, threads: threads).search(
            file, plus: vectors(pluses), minus: vectors(minuses), excluding: Set(pluses + minuses), valid: valid, top: top)
        return (name, NeighborTable(answers: found, top: top))
    }

    /// "king + woman − man".
    var name: String {
        func names(_ list: String?) -> [String] {
            list.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } } ?? []
        }
        return (names(plus).joined(separator: " + ") + names(minus).map { " − " + $0 }.joined()).trimmingCharacters(in: .whitespaces)
    }
}

extension RankCommand {
    /// Whether queries are words of the file, or are looked up in a file of words.
    func asksWords(_ file: VectorFile) -> Bool { file.metadata.pooling == WordFile.pooling || model.isWordFile }

    /// Answers to words: a row of the file is a query by itself and no answer to it; other words are looked up in --model.
    func searchWords(_ file: VectorFile, _ search: CosineSearch<VectorFile>, _ names: [String]) throws -> NeighborTable {
        let rows = try RowLookup(file), own = names.map { rows[$0] }
        let unknown = zip(names, own).filter { $1 == nil }.map(\.0)
        var others = Tensor<Float>(shape: [0, file.dimension])
        if !unknown.isEmpty {
            guard model.isWordFile else {
                throw DataError(
                    .usage,
                    "the file has no word \(unknown.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")); with a "
                        + "fastText model (.bin) as --model, out-of-vocabulary words get vectors", file: vectors)
            }
            let pass = file.metadata.pooling == WordFile.pooling ? [] : try file.texts()
            let encoder = try wordModel(file).fitted { try $0(pass) }
            guard encoder.sha256 == file.metadata.modelSHA256 else {
                throw DataError(
                    .badData,
                    "the vectors were not made with \(encoder.table.name) (its hash differs); vectors of two models "
                        + "cannot be compared", file: vectors)
            }
            others = try encoder.encode(unknown)
            if let bad = unknown.indices.first(where: { row in (0..<file.dimension).allSatisfy { others[row, $0] == 0 } }) {
                throw DataError(.usage, "\"\(unknown[bad])\" has no vector in \(encoder.table.name)", file: model.model)
            }
        }
        var queries = Tensor<Float>(uninitialized: [names.count, file.dimension]), next = 0
        for (query, row) in own.enumerated() {
            let values = try row.map { try file.readEmbeddings(rows: $0..<$0 + 1) } ?? (0..<file.dimension).map { others[next, $0] }
            if row == nil { next += 1 }
            queries.withUnsafeMutableElements { ($0 + query * file.dimension).update(from: values, count: file.dimension) }
        }
        return try search.search(queries, top: candidates + 1).dropping(own, top: candidates)
    }

    /// The word model, with the pooling that made the file.
    private func wordModel(_ file: VectorFile) throws -> WordTextEncoder {
        var model = model
        if model.pooling == nil, let name = file.metadata.pooling.split(separator: ", ").last {
            model.pooling = WordTextEncoder.Pooling(rawValue: String(name))
        }
        return try model.wordEncoder(isQuiet: report.quiet)
    }
}
