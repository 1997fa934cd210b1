import ArgumentParser
import Figures
import FileFormats
import Foundation
import Interpretation
import ModelFolders
import Networks
import SentenceEmbedding
import Tensors
import Tokenizers

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show which words make two sentences similar, or determine a classifier's score.",
        discussion: """
            kotonoha explain MODEL "犬が雪で遊ぶ。" "二匹の犬が雪の上にいる。" --figure map.pdf -o map.csv
            kotonoha explain RERANKER "query" "a text"

            For a sentence-embedding model, the cosine is decomposed over word pairs by
            integrated Jacobians of both sides (Moeller, Nikolaev & Padó 2023, 2024); the
            parts add up to the cosine relative to references with padding instead of
            words, and both sums are printed. For a classifier or reranker, the score is
            decomposed over words by integrated gradients. --method gradient-input is
            gradient times input at the text itself. --untrained-seed shows what the
            architecture alone would give: if that map looks the same, it explains nothing
            about training.
            """)

    @Argument(help: "The model: a folder or a name.") var model: String
    @Argument(help: "The first sentence.") var first: String
    @Argument(help: "The second sentence; not needed for a classifier of single texts.") var second: String?

    @Option(help: "integrated or gradient-input.") var method = AttributionMethod.integrated
    @Option(help: "Unit of the map: word (in Japanese, MeCab words) or token.") var unit = Unit.word
    @Option(in: Bounds(1...1000), help: "Number of points between the reference and the text at which the derivative is taken.") var steps =
        24
    @Option(help: "For a classifier: the label to explain, by name or number from 0; by default the one with the highest score.") var label:
        String?
    @Option(in: .seed, help: ArgumentHelp("Use a network of the same architecture with random weights, as a control.", valueName: "seed"))
    var untrainedSeed: UInt64?
    @Option(
        name: .shortAndLong,
        help: "A table of the map (.tsv, .csv, .xlsx, .jsonl, .json); standard output if neither -o nor --figure is given.") var output:
        String?
    @Option(help: ArgumentHelp("A picture of the map (.svg, .pdf, .png); may be given several times.", valueName: "file")) var figure:
        [String] = []
    @Option(help: "Width of the picture, such as 120mm.") var width = "120mm"
    @Option(help: "Language of the picture: en or ja.") var language = SessionLanguage.files.rawValue
    @Option(help: "How to split words: auto, spaces or mecab.") var words = WordCutter.Rule.auto
    @Option(help: ArgumentHelp("MeCab dictionary (by default KOTONOHA_MECAB_DIC, or else Debian's).", valueName: "dir")) var dictionary:
        String?
    @Option(in: .threads, help: "Number of threads; results do not depend on it.") var threads = Parallel.availableThreads

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    enum Unit: String, CaseIterable, ExpressibleByArgument { case word, token }

    func validate() throws {
        try OutputName.requireTable(output)
        for file in figure { try OutputName.require(file, OutputName.figures, "a picture is written") }
        if FigureLanguage(rawValue: language) == nil { throw ValidationError("--language is en or ja, not '\(language)'") }
        if method == .gradientInput && steps != 24 {
            throw ValidationError("--steps needs a reference, which --method gradient-input does not use")
        }
    }

    func run() throws {
        try writing.check(inputs: [LanguageModelOptions.folder(model)], files: figure + [output])
        let directory = try ModelDirectory(folder: ModelLocation.folder(for: model)), cutter = WordCutter(words, dictionary: dictionary)
        if ExplainedClassifier.isOne(directory) { return try explainScore(directory, cutter) }
        try refuse([("--label", label != nil)], "is for classifiers; this model makes vectors")
        guard let second else { throw ValidationError("a sentence-embedding model needs two sentences; the second is missing") }
        var options = SentenceEncoder.Options()
        (options.dictionary, options.threads) = (dictionary, threads)
        let encoder = try SentenceEncoder(directory: directory, options: options)
        let control = try untrainedSeed.map { try encoder.encoder.untrained(seed: $0) }
        let found = try SimilarityAttribution(
            encoder, encoder: control, first, second, method: method, nodes: steps, cutter: cutter, threads: threads)
        let map: (first: [String], second: [String], matrix: [[Double]]) =
            unit == .word ? found.words() : (found.first.tokens, found.second.tokens, found.matrix)
        let checks: [(key: String, value: JSON)] = [
            ("score", .number(found.score)), ("sum", .number(found.sum)), ("expected", found.expected.map(JSON.number) ?? .null),
            ("score_first_blank", .number(found.referenceScores.first)), ("score_second_blank", .number(found.referenceScores.second)),
            ("score_both_blank", .number(found.referenceScores.both)),
        ]
        let record = try record(directory, "similarity attribution", checks)
        for file in figure { try draw(map.matrix, map.first, map.second, to: file, record) }
        if output != nil || (figure.isEmpty && !report.json) {
            let columns: [TableColumn] = ["first_position", "first", "second_position", "second", TableColumn("attribution", decimals: 6)]
            try ResultTable(columns, tableOutput).write(to: output, provenance: record) { append in
                for (i, row) in map.matrix.enumerated() {
                    for (j, value) in row.enumerated() {
                        try append([.integer(i + 1), .text(map.first[i]), .integer(j + 1), .text(map.second[j]), .number(value)])
                    }
                }
            }
        }
        if report.json {
            return try Console.print(
                JSON.object(
                    checks + [
                        ("first", .array(map.first.map(JSON.string))), ("second", .array(map.second.map(JSON.string))),
                        ("attributions", .array(map.matrix.map { .array($0.map(JSON.number)) })),
                    ]
                ).serialized(.pretty))
        }
        guard !report.quiet else { return }
        Console.say(
            "cosine \(Console.fixed(found.score, 4)); with padding for the first text \(Console.fixed(found.referenceScores.first, 4)), the second "
                + "\(Console.fixed(found.referenceScores.second, 4)), both \(Console.fixed(found.referenceScores.both, 4))")
        sayCheck(found.sum, found.expected, "the cosine against these references")
    }

    private func explainScore(_ directory: ModelDirectory, _ cutter: WordCutter) throws {
        let model = try ExplainedClassifier(directory: directory, dictionary: dictionary)
        if let untrainedSeed { model.network.encoder.initialize(seed: untrainedSeed) }
        let chosen = try label.map { label in
            guard let place = model.labels.firstIndex(of: label) ?? Int(label).flatMap({ model.labels.indices.contains($0) ? $0 : nil })
            else {
                throw DataError(
                    .usage,
                    "no label '\(label)'; the labels of \(directory.name) are "
                        + "\(model.labels.enumerated().map { "\($0) \($1)" }.joined(separator: ", "))")
            }
            return place
        }
        let found = try ScoreAttribution(model, first, second, label: chosen, method: method, nodes: steps, cutter: cutter)
        let rows: [(text: String, sentence: Int?, value: Double)] =
            unit == .word
            ? found.words()
            : found.text.tokens.indices.map { (found.text.tokens[$0], found.text.unitSentences[found.text.owners[$0]], found.values[$0]) }
        let name = model.labels[found.label]
        let checks: [(key: String, value: JSON)] = [
            ("label", .string(name)), ("score", .number(found.score)), ("reference_score", .number(found.reference)),
            ("sum", .number(found.sum)),
            ("expected", found.expected.map(JSON.number) ?? .null),
        ]
        let record = try record(directory, "score attribution", checks)
        for file in figure { try draw(rows.map { [$0.value] }, rows.map(\.text), [name], to: file, record) }
        if output != nil || (figure.isEmpty && !report.json) {
            try ResultTable(
                ["position", "sentence", unit == .word ? "word" : "token", TableColumn("attribution", decimals: 6)], tableOutput
            ).write(to: output, provenance: record) { append in
                for (place, row) in rows.enumerated() {
                    try append([
                        .integer(place + 1), row.sentence.map { .integer($0 + 1) } ?? .missing, .text(row.text), .number(row.value),
                    ])
                }
            }
        }
        if report.json {
            return try Console.print(
                JSON.object(
                    checks + [
                        (
                            "attributions",
                            .array(
                                rows.map { row in
                                    .object([
                                        ("text", .string(row.text)), ("sentence", row.sentence.map { .integer($0 + 1) } ?? .null),
                                        ("attribution", .number(row.value)),
                                    ])
                                })
                        )
                    ]
                ).serialized(.pretty))
        }
        guard !report.quiet else { return }
        Console.say("score of \(name) \(Console.fixed(found.score, 4)); with padding instead of words \(Console.fixed(found.reference, 4))")
        sayCheck(found.sum, found.expected, "the difference")
    }

    private func sayCheck(_ sum: Double, _ expected: Double?, _ what: String) {
        guard let expected else {
            return Console.say("the attributions sum to \(Console.fixed(sum, 4)); with this method they need not equal the score")
        }
        let error = abs(sum - expected)
        Console.say(
            "check: the attributions sum to \(Console.fixed(sum, 5)), \(what) is \(Console.fixed(expected, 5)) (off by \(Console.fixed(error, 5)))"
        )
        if error > 0.01 * max(abs(expected), 0.1) {
            Console.say("warning: the sum is off by more than 1 %; --steps \(min(1000, steps * 4)) is more accurate")
        }
    }

    private func record(_ directory: ModelDirectory, _ name: String, _ checks: [(key: String, value: JSON)]) throws -> Provenance {
        var record = provenance(seed: untrainedSeed)
        record.model = .init(path: directory.name, sha256: try directory.sha256())
        record.settings =
            [
                ("method", .string(name)), ("attribution", .string(method.rawValue)), ("unit", .string(unit.rawValue)),
                ("steps", .integer(steps)),
                ("untrained", .bool(untrainedSeed != nil)),
            ] + checks
        return record
    }

    private func draw(_ matrix: [[Double]], _ rows: [String], _ columns: [String], to file: String, _ record: Provenance) throws {
        var options = Heatmap.Options()
        options.scale = .diverging
        options.valueTitle = language == "ja" ? "寄与" : "attribution"
        options.page.width = try Length(parsing: width)
        options.page.language = FigureLanguage(rawValue: language) ?? .english
        try Heatmap(matrix, rowLabels: rows, columnLabels: columns, options: options).write(to: URL(fileURLWithPath: file))
        try record.write(beside: file)
    }
}

extension AttributionMethod: ExpressibleByArgument {}
