import Kotonoha

// The sentences that are nearest to the first one: Neighbours MODEL SENTENCE SENTENCE …
let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3 else {
    print("usage: Neighbours MODEL SENTENCE SENTENCE …")
    throw DataError(.usage, "a model and at least two sentences are needed")
}
let sentences = Array(arguments[2...])
let encoder = try SentenceEncoder(model: arguments[0])
let search = try CosineSearch(corpus: encoder.encode(sentences))
for (row, cosine) in try search.search(encoder.encode([arguments[1]]), top: 3)[0] {
    print(cosine, sentences[row])
}
