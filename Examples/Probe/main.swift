// A structural probe (Hewitt & Manning 2019): a linear map under which distances between word vectors approximate distances in the
// dependency tree.
//
//     swift run -c release ExampleProbe MODEL [train.conllu dev.conllu test.conllu]
//
// Without treebanks it makes three small ones from a toy grammar. That shows the calls and proves nothing about the model, since all
// three share their few words; docs/probes.md says what a real experiment needs.
import Foundation
import Kotonoha

/// Sentences such as "the old dog sees a cat near the river" as CoNLL-U.
func toyTreebank(count: Int, seed: UInt64) -> String {
    let nouns = ["dog", "cat", "child", "horse", "teacher", "king", "bird", "nurse"]
    let verbs = ["sees", "follows", "likes", "finds", "helps"]
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in
        var words: [(form: String, tag: String, head: Int, relation: String)] = []
        func phrase(head: Int?, _ relation: String) {
            let opening = relation == "obl" ? 1 : 0, adjectives = random.below(2), noun = words.count + opening + adjectives + 2
            if opening == 1 { words.append((["near", "behind"][random.below(2)], "ADP", noun, "case")) }
            words.append((["the", "a"][random.below(2)], "DET", noun, "det"))
            if adjectives == 1 { words.append((["old", "small", "quiet"][random.below(3)], "ADJ", noun, "amod")) }
            words.append((nouns[random.below(nouns.count)], "NOUN", head ?? noun + 1, relation))
        }
        phrase(head: nil, "nsubj")
        words.append((verbs[random.below(verbs.count)], "VERB", 0, "root"))
        let verb = words.count
        phrase(head: verb, "obj")
        if random.below(2) == 1 { phrase(head: verb, "obl") }
        return words.enumerated().map { "\($0 + 1)\t\($1.form)\t_\t\($1.tag)\t_\t_\t\($1.head)\t\($1.relation)\t_\t_\n" }.joined()
    }.joined(separator: "\n")
}

do {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard [1, 4].contains(arguments.count) else {
        throw DataError(.usage, "usage: ExampleProbe MODEL [train.conllu dev.conllu test.conllu]")
    }
    var files = Array(arguments.dropFirst())
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("probe-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    if files.isEmpty {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let treebanks = [(count: 100, seed: 1), (30, 2), (30, 3)].map { toyTreebank(count: $0.count, seed: $0.seed) }
        for (name, text) in zip(["train", "dev", "test"], treebanks) {
            files.append(folder.appendingPathComponent("\(name).conllu").path)
            try text.write(toFile: files[files.count - 1], atomically: true, encoding: .utf8)
        }
    }
    let encoder = try SentenceEncoder(model: arguments[0])
    let layers = try Array(0...encoder.layerCount)  // 0 is the embeddings
    let embedder = try WordEmbedder(encoder, layers: layers)
    let sets = try files.map { file in
        let treebank = try Treebank(path: file), corpus = try ProbeCorpus(treebank), size = embedder.hiddenSize
        let sentences = try embedder.embed(treebank.sentences.map { $0.written() }, name: { treebank.name(of: $0) }).sentences
        // A sentence's vectors are (layers, words, hiddenSize); a probe reads one layer of all sentences, (words, hiddenSize).
        let vectors = layers.map { layer in
            let rows = sentences.flatMap { sentence in
                let count = sentence.vectors.count / layers.count
                return sentence.vectors[layer * count..<(layer + 1) * count]
            }
            return Tensor(rows, shape: [corpus.wordCount, size])
        }
        return ProbeSweep.DataSet(corpus: corpus, vectors: vectors)
    }
    // Trained on the first set, stopped by the second, scored on the third.
    var sweep = ProbeSweep(layers: layers, ranks: [16], training: { ProbeTraining.improved($0, rank: $1) })
    sweep.kinds = [.distance]
    print("layer\tUUAS (edges found) on \(sets[2].corpus.sentences.count) test sentences")
    for result in try sweep.run(train: sets[0], dev: sets[1], test: sets[2]) {
        print("\(result.setting.layer)\t\(String(format: "%.3f", result.evaluation.value(.uuas)))")
    }
    // Words that stand side by side are joined by many edges, so a score means something only next to this one.
    let adjacent = try ProbeSweep.evaluate(.adjacentWords, sets[2].corpus).value(.uuas)
    print("adjacent words\t\(String(format: "%.3f", adjacent))")
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? DataError)?.kind.rawValue ?? 1)
}
