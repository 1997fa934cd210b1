// Trains a tiny sentence encoder from scratch on pairs of English captions of one scene:
//
//     swift run -c release ExampleTraining Datasets/captions.tsv FOLDER
//
// It learns its few dozen pairs by heart and hardly anything beyond them, as the two figures show: hence the held-out pairs.
// docs/training.md describes the configuration.
import Foundation
import Kotonoha

do {
    guard CommandLine.arguments.count == 3 else { throw DataError(.usage, "usage: ExampleTraining captions.tsv FOLDER") }
    let folder = URL(fileURLWithPath: CommandLine.arguments[2])
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    // The first two English captions of each scene are a pair. Every fourth scene is held out.
    let table = try Table(path: CommandLine.arguments[1])
    let scenes = try table.column("scene").factor(), texts = try table.column("text").texts
    let languages = try table.column("language").texts
    var pairs: [[String]] = []
    for scene in scenes.levels {
        let english = try scenes.rows(of: scene).filter { languages[$0] == "en" }.map { texts[$0] }
        if english.count >= 2 { pairs.append(Array(english.prefix(2))) }
    }
    let learned = pairs.enumerated().filter { $0.offset % 4 != 3 }.map(\.element)
    let heldOut = pairs.enumerated().filter { $0.offset % 4 == 3 }.map(\.element)
    for (name, rows) in [("train.tsv", learned), ("dev.tsv", heldOut)] {
        let output = try TableWriter(path: path(name), columns: ["first", "second"])
        for row in rows { try output.write(row.map { .text($0) }) }
        try output.finish()
    }

    // The vocabulary, as a tokenizer.json that Hugging Face's tokenizers can read too.
    var vocabulary = VocabularyTrainer.Options()
    vocabulary.lowercases = true
    let tokenizer = try VocabularyTrainer.train(texts: learned.joined(), kind: .wordPiece, size: 800, options: vocabulary)
    try Data(tokenizer.serialized().utf8).write(to: folder.appendingPathComponent("tokenizer.json"))

    // Paths are relative to the configuration, whether or not it is on disk.
    let json = try JSON(
        parsing: """
            {"tokenizer": "tokenizer.json", "max_length": 48, "steps": 60, "seed": 1, "evaluate_every": 20,
             "optimizer": {"learning_rate": 0.003},
             "model": {"hidden_size": 64, "layers": 1, "heads": 4, "intermediate_size": 128},
             "tasks": [{"objective": "infonce", "files": ["train.tsv"], "columns": ["first", "second"], "batch_size": 32}],
             "development": [{"name": "held out", "measure": "retrieval", "file": "dev.tsv", "columns": ["first", "second"]},
                             {"name": "learned", "measure": "retrieval", "file": "train.tsv", "columns": ["first", "second"], "weight": 0}]}
            """)
    let configuration = try SentenceTrainingConfiguration(json: json, file: path("config.json"))
    let trainer = try SentenceTrainer(configuration)
    print("\(learned.count) pairs to learn from, \(heldOut.count) held out; the share of sentences whose partner is nearest:")
    let run = folder.appendingPathComponent("run")
    try trainer.run(
        in: run, resumes: false,
        watch: { event in
            guard case .evaluated(let step, let figures, _, _) = event else { return }
            print("step \(step)", figures.map { "\($0.name) \(String(format: "%.3f", $0.value))" }.joined(separator: ", "), separator: ": ")
        })
    // The weights of the best evaluation, as a folder that `kotonoha embed --model` and sentence-transformers read.
    try trainer.takeFinalWeights(from: run)
    try SentenceModelWriter(configuration).write(trainer, to: folder.appendingPathComponent("model"))
    let vectors = try SentenceEncoder(model: path("model")).encode(heldOut[0])
    print("\(path("model")): vectors of \(vectors.columns) numbers")
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? DataError)?.kind.rawValue ?? 1)
}
