// The sentences that are most similar to a query:
//
//     swift run -c release ExampleNeighbours MODEL QUERY SENTENCE SENTENCE …
//
// MODEL is a folder in Hugging Face layout, or a name that the library looks up as `kotonoha --model` does.
import Foundation
import Kotonoha

do {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 3 else {
        throw DataError(.usage, "usage: ExampleNeighbours MODEL QUERY SENTENCE SENTENCE …")
    }
    let sentences = Array(arguments[2...])
    let encoder = try SentenceEncoder(model: arguments[0])
    let vectors = try encoder.encode(sentences)  // (sentences, dimension)
    let query = try encoder.encode([arguments[1]])  // (1, dimension)

    // Exact search: every query is compared with every sentence.
    let found = try CosineSearch(corpus: vectors).search(query, top: 3)
    for (row, cosine) in found[0] {
        print(String(format: "%.4f", cosine), sentences[row], separator: "\t")
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? DataError)?.kind.rawValue ?? 1)
}
