import ArgumentParser
import FileFormats
import Foundation
import Interpretation
import ModelFolders
import SentenceEmbedding
import Tensors
import Tokenizers
import Training

struct ClassifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify", abstract: "Label texts with a trained classifier.",
        discussion: """
            kotonoha classify my-classifier new.xlsx --column 文 -o labelled.xlsx

            Takes any …ForSequenceClassification model folder, and those written by `train
            classifier`. All columns of the input are kept; rows without text keep their
            place and get no label.
            """)

    @Argument(help: "The classifier: a folder or a name.")
    var classifier: String

    @Argument(help: "A table of texts; - is standard input.")
    var input: String

    @Option(help: "Column of the texts, by name or number from 1; by default the only or most likely one.")
    var column: String?

    @Option(help: "Column of the second texts, for classifiers of pairs.")
    var secondColumn: String?

    @Flag(help: "Divide logits by the temperature that `train classifier --calibrate` found.")
    var calibrated = false

    @Option(name: .shortAndLong, help: "The table to write (.tsv, .csv, .xlsx, .jsonl); standard output by default.")
    var output: String?

    @Option(
        help: ArgumentHelp(
            "Also write a table of what each word adds to the score of the predicted label (integrated gradients; "
                + "fine-tuned classifiers only).", valueName: "file"))
    var explain: String?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Computation") var computation: ClassifierComputation
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        try OutputName.requireTable(output)
        try OutputName.requireTable(explain)
    }

    func run() throws {
        try writing.check(inputs: [input, computation.folder(of: classifier)], files: [output, explain])
        let model = try computation.open(classifier, isQuiet: report.quiet)
        let temperature = try computation.temperature(of: model, isWanted: calibrated)
        let rows = try Table(path: input, options: table.options(isQuiet: report.quiet), wanted: [column, secondColumn].compactMap(\.self))
        let text = try column.map(rows.index) ?? likelyColumn(rows)
        let texts = rows.column(at: text), seconds = try secondColumn.map(rows.column)
        func isEmpty(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }
        let filled = texts.texts.indices.filter { row in !isEmpty(texts.texts[row]) && !(seconds.map { isEmpty($0.texts[row]) } ?? false) }
        guard !filled.isEmpty else { throw DataError(.badData, "the column \(texts.name) has no texts", file: input) }
        let (logits, truncated) = try model.logits(
            filled.map { texts.texts[$0] }, seconds.map { column in filled.map { column.texts[$0] } })
        computation.report(truncated, of: filled.count, model, isQuiet: report.quiet)
        let task = ClassificationTask(model.task),
            predictions = LabelPredictions(logits, task: task, labels: model.labels, temperature: temperature ?? 1)
        let places = Dictionary(uniqueKeysWithValues: filled.enumerated().map { ($1, $0) })

        var record = provenance()
        record.model = .init(path: model.directory.name, sha256: try model.directory.sha256())
        record.inputs = [.init(path: rows.name, sha256: rows.sha256)]
        record.settings = [
            ("method", .string("classification")), ("task", .string(task.rawValue)), ("labels", .array(model.labels.map(JSON.string))),
            ("rows", .integer(filled.count)),
            ("empty_rows", .integer(rows.rowCount - filled.count)), ("temperature", temperature.map(JSON.number) ?? .null),
        ]
        if let explain {
            try attribute(filled, texts.texts, seconds?.texts, by: model, lines: rows.lines, to: explain, record)
        }
        var columns: [TableColumn] = rows.columnNames.map { .carried($0) } + ["prediction"]
        if task == .classification { columns.append(TableColumn("probability", decimals: 6)) }
        if task != .regression { columns += model.labels.map { TableColumn("p:" + $0, decimals: 6) } }
        if report.json {
            try Console.print(
                JSON.array(
                    texts.texts.indices.map { row in
                        .object(
                            [
                                ("line", .integer(rows.lines[row])), ("text", .string(texts.texts[row])),
                                ("prediction", places[row].map { predictions.cell($0).json } ?? .null),
                            ]
                                + (task == .regression
                                    ? []
                                    : model.labels.enumerated().map { k, name in
                                        ("p:" + name, places[row].map { .number(predictions.probabilities($0)[k]) } ?? .null)
                                    }))
                    }
                ).serialized(.pretty))
        }
        // JSON takes the place of the table on standard output, not in a file.
        if report.json && output == nil { return }
        try ResultTable(columns, tableOutput).write(to: output, provenance: record) { append in
            for row in texts.texts.indices {
                var cells = rows.texts(row: row).map { Cell.text($0) }
                if let place = places[row] {
                    let shares = predictions.probabilities(place)
                    cells.append(predictions.cell(place))
                    if task == .classification { cells.append(.number(shares.max() ?? .nan)) }
                    if task != .regression { cells += shares.map(Cell.number) }
                } else {
                    cells += [Cell](repeating: .missing, count: columns.count - rows.columnNames.count)
                }
                try append(cells)
            }
        }
        if let output, output != "-", !report.quiet {
            Console.say(
                "\(output): \(Console.counted(filled.count, "row")) labelled"
                    + (filled.count < rows.rowCount ? ", \(Console.counted(rows.rowCount - filled.count, "row")) without a text" : ""))
        }
    }

    /// What each word adds to the score of its row's label with the highest score, one row per word.
    private func attribute(
        _ filled: [Int], _ texts: [String], _ seconds: [String]?, by classifier: TextClassifier, lines: [Int], to file: String,
        _ record: Provenance
    ) throws {
        guard ExplainedClassifier.isOne(classifier.directory) else {
            throw DataError(
                .usage,
                "this classifier reads frozen sentence vectors, which no single word determines; --explain needs one that was "
                    + "fine-tuned as a whole", file: classifier.directory.name)
        }
        let model = try ExplainedClassifier(classifier, dictionary: computation.dictionary),
            cutter = WordCutter(dictionary: computation.dictionary)
        let found = try Parallel.map(filled.count, threads: computation.threads) { place, _ in
            let row = filled[place]
            do { return try ScoreAttribution(model, texts[row], seconds.map { $0[row] }, cutter: cutter) } catch var error as DataError {
                (error.file, error.line) = (input, lines[row])
                throw error
            }
        }
        var record = record
        record.settings.append(("attributions", .string("integrated gradients")))
        let number = { TableColumn($0, decimals: 6) }
        let columns: [TableColumn] = [
            "line", "label", "position", "sentence", "word", number("attribution"), number("score"), number("reference_score"),
        ]
        try ResultTable(columns, tableOutput).write(to: file, provenance: record) { append in
            for (row, attribution) in zip(filled, found) {
                for (place, word) in attribution.words().enumerated() {
                    try append([
                        .integer(lines[row]), .text(model.labels[attribution.label]), .integer(place + 1),
                        word.sentence.map { .integer($0 + 1) } ?? .missing, .text(word.text), .number(word.value),
                        .number(attribution.score), .number(attribution.reference),
                    ])
                }
            }
        }
    }

    /// The only column, or the one with a telling name, otherwise an error that asks.
    private func likelyColumn(_ table: Table) throws -> Int {
        if table.columnNames.count == 1 { return 0 }
        for name in ["text", "sentence", "caption", "文", "テキスト"] {
            if let place = table.columnNames.firstIndex(where: { $0.lowercased() == name }) { return place }
        }
        throw DataError(
            .usage,
            "which column has the texts? Name it with --column; the columns are "
                + "\(table.columnNames.joined(separator: ", "))", file: input)
    }
}

/// How a trained classifier computes.
struct ClassifierComputation: ParsableArguments {
    @Option(help: PrecisionChoice.help)
    var precision: PrecisionChoice?

    @Option(
        in: .tokens,
        help: "Maximum length of a text or pair in tokens; longer ones are truncated and counted. By default the model's limit.")
    var maxLength: Int?

    @Option(in: .threads, help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @Option(help: ArgumentHelp("MeCab dictionary, for models whose tokenizer needs one.", valueName: "dir"))
    var dictionary: String?

    func folder(of model: String) -> String? { FileManager.default.fileExists(atPath: model) ? model : nil }

    func open(_ model: String, isQuiet: Bool) throws -> TextClassifier {
        precision?.note(isQuiet: isQuiet)
        var options = SentenceEncoder.Options()
        options.precision = precision?.resolved ?? .f32
        (options.maxLength, options.threads, options.dictionary) = (maxLength, threads, dictionary)
        return try TextClassifier(model: model, options: options)
    }

    func temperature(of model: TextClassifier, isWanted: Bool) throws -> Double? {
        guard isWanted else { return nil }
        guard let temperature = model.temperature else {
            throw DataError(
                .usage, "this classifier was not calibrated; `train classifier --calibrate` finds a temperature", file: model.directory.name
            )
        }
        return temperature
    }

    func report(_ truncated: Int, of count: Int, _ model: TextClassifier, isQuiet: Bool) {
        guard truncated > 0, !isQuiet else { return }
        Console.say(
            "note: \(Console.grouped(truncated)) of \(Console.grouped(count)) texts were longer than \(model.maxLength) tokens "
                + "and were truncated (--max-length)")
    }
}

extension ClassificationTask {
    init(_ task: TextClassifier.Task) {
        self =
            switch task {
            case .classification: .classification
            case .multilabel: .multilabel
            case .regression: .regression
            }
    }
}
