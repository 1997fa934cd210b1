import Analysis
import ArgumentParser
import Figures
import FileFormats
import Foundation
import Interpretation
import SentenceEmbedding
import Tensors
import Tokenizers

struct ProbeParseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse", abstract: "Print the dependency tree that a probe predicts for a sentence.",
        discussion: """
            Words are separated by spaces, with punctuation split off. Japanese without
            spaces is split by MeCab; with spaces it is split there, and the encoder reads
            the sentence without them. With --treebank the sentence comes from a treebank,
            and pictures also show its gold tree.
            """)

    @Argument(help: "The probe's file.")
    var probe: String

    @Argument(help: "The sentence.")
    var sentence: String?

    @Option(help: "A treebank to take the sentence from.")
    var treebank: String?

    @Option(help: "Its sent_id, or its number from 1.")
    var id: String?

    @Option(help: ArgumentHelp("Picture of the arcs (.svg, .pdf, .png).", valueName: "file"))
    var figure: String?

    @Option(help: ArgumentHelp("Picture of the predicted distances as a heat map.", valueName: "file"))
    var heatmap: String?

    @Option(help: ArgumentHelp("Picture of the probed space on its first two principal components, with the tree.", valueName: "file"))
    var space: String?

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        guard (sentence == nil) == (treebank != nil), (treebank == nil) == (id == nil) else {
            throw ValidationError("give a sentence, or --treebank and --id")
        }
    }

    func run() throws {
        try writing.check(inputs: [probe, treebank, model.inputFolder], files: [figure, heatmap, space])
        let probes = try ProbeFile(path: probe)
        guard let distance = probes.distance else { throw DataError(.badData, "it has no distance probe; a tree needs one", file: probe) }
        let chosen = try self.chosen(WordText(rawValue: probes.text) ?? .written)
        let encoder = try model.encoder(orElse: probes.model.isEmpty ? nil : probes.model, isQuiet: report.quiet)
        let hash = probes.modelSHA256.isEmpty ? "" : try encoder.directory.sha256()
        try probes.require(
            model: encoder.directory.name, modelSHA256: hash, dimension: encoder.encoder.hiddenSize,
            of: encoder.directory.folder.lastPathComponent, path: probe)
        let layers = try encoder.encoder.layerCount
        guard (0...layers).contains(probes.layer) else {
            throw DataError(
                .badData, "it reads layer \(probes.layer), but \(encoder.directory.name) has layers 0 to \(layers)", file: probe)
        }
        let embedder = WordEmbedder(
            encoder: try encoder.encoder, tokenizer: encoder.tokenizer, layers: [probes.layer],
            merging: PieceMerging(rawValue: probes.pieces) ?? .mean, threads: 1)
        let embedded = try embedder.embed([chosen.text]) { _ in "given" }.sentences[0]
        let vectors = Tensor(embedded.vectors, shape: [chosen.words.count, distance.dimension])
        let members = chosen.members.isEmpty ? Array(chosen.words.indices) : chosen.members
        let parse = SentenceParse(words: chosen.words, members: members, prediction: probes.predict(vectors))
        let others = chosen.words.indices.filter { !members.contains($0) }
        if !report.quiet && !others.isEmpty {
            Console.say("left out as punctuation: \(others.map { chosen.words[$0] }.joined(separator: " "))")
        }
        if !report.quiet && probes.depth == nil {
            Console.say("note: without a depth probe the most central word is the root; only the edges are predicted")
        }
        try draw(parse, chosen, distance.project(vectors))
        try Console.print(report.json ? json(parse).serialized(.pretty) : parse.outline)
    }

    private struct Chosen {
        var words: [String]
        var text: TreebankText
        /// Words that are not punctuation.
        var members: [Int]
        var gold: [TreebankWord]
    }

    private func chosen(_ reading: WordText) throws -> Chosen {
        if let treebank, let id {
            let bank = try Treebank(path: treebank)
            let index = bank.sentences.firstIndex { $0.id == id } ?? Int(id).map { $0 - 1 }
            guard let index, bank.sentences.indices.contains(index) else {
                throw DataError(.usage, "no sentence \(id) among the \(bank.sentences.count)", file: treebank)
            }
            let sentence = bank.sentences[index], rule = PunctuationRule(fitting: bank)
            return Chosen(
                words: sentence.words.map(\.form), text: reading.text(of: sentence),
                members: sentence.words.indices.filter { !rule.isPunctuation(sentence.words[$0]) }, gold: sentence.words)
        }
        let text = try cut(sentence ?? "", spaced: reading == .spaced)
        let words = text.ranges.map { String(decoding: Array(text.text.utf8)[$0], as: UTF8.self) }
        guard !words.isEmpty else { throw DataError(.usage, "the sentence has no words") }
        return Chosen(words: words, text: text, members: words.indices.filter { !words[$0].allSatisfy(\.isPunctuation) }, gold: [])
    }

    /// The words of a sentence that was typed.
    private func cut(_ sentence: String, spaced: Bool) throws -> TreebankText {
        do {
            guard
                let text = try PlainWords.japanese(sentence, spaced: spaced, dictionary: model.dictionary.map { URL(fileURLWithPath: $0) })
            else {
                return PlainWords.split(sentence, spaced: spaced)
            }
            let words = text.ranges.map { String(decoding: Array(text.text.utf8)[$0], as: UTF8.self) }
            if !report.quiet {
                Console.say("note: split into words by MeCab: \(words.joined(separator: " ")) (insert spaces to split it differently)")
            }
            return text
        } catch let error as DataError {
            throw DataError(
                error.kind, error.message + "; or separate the words of the sentence by spaces", file: error.file, line: error.line)
        }
    }

    private func draw(_ parse: SentenceParse, _ chosen: Chosen, _ projected: Tensor<Float>) throws {
        let language = SessionLanguage.files.figures
        if let figure {
            let gold = chosen.gold.enumerated().map { TreeDiagram.Arc(head: $1.head, dependent: $0 + 1, relation: $1.deprel) }
            let predicted = parse.heads.enumerated().filter { $1 >= 0 || $0 == parse.root }.map {
                TreeDiagram.Arc(head: $1 + 1, dependent: $0 + 1)
            }
            var options = TreeDiagram.Options()
            options.page.language = language
            try TreeDiagram(
                words: parse.words, gold: gold, predicted: predicted, predictedIsDirected: parse.depths != nil, options: options
            )
            .write(to: URL(fileURLWithPath: figure))
        }
        let count = parse.words.count
        if let heatmap {
            let values = (0..<count).map { i in (0..<count).map { Double(parse.distances[i * count + $0]) } }
            var options = Heatmap.Options()
            options.page.language = language
            options.valueTitle = language.says("predicted distance", "予測した距離")
            try Heatmap(values, rowLabels: parse.words, columnLabels: parse.words, options: options).write(
                to: URL(fileURLWithPath: heatmap))
        }
        if let space {
            let gold = chosen.gold.enumerated().filter { $1.head > 0 }.map { ($0, $1.head - 1) }
            var options = TreeSpace.Options()
            options.page.language = language
            try TreeSpace(
                words: parse.words, points: SentenceParse.plane(projected), gold: gold,
                predicted: parse.edges.map { ($0.first, $0.second) }, options: options
            )
            .write(to: URL(fileURLWithPath: space))
        }
    }

    private func json(_ parse: SentenceParse) -> JSON {
        let count = parse.words.count
        var members: [(key: String, value: JSON)] = [
            ("words", .array(parse.words.map(JSON.string))), ("root", .integer(parse.root + 1)),
            ("heads", .array(parse.heads.map { .integer($0 + 1) })),
            ("distances", .array((0..<count).map { i in .array((0..<count).map { .number(Double(parse.distances[i * count + $0])) }) })),
        ]
        if let depths = parse.depths { members.append(("depths", .array(depths.map { .number(Double($0)) }))) }
        return .object(members)
    }
}
