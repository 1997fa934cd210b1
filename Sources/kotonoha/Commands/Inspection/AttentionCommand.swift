import ArgumentParser
import Figures
import FileFormats
import Foundation
import Interpretation
import SentenceEmbedding
import Tensors

struct AttentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attention", abstract: "Show the attention of every head of a model for a sentence.",
        discussion: """
            kotonoha attention MODEL "二匹の犬が雪の上で遊んでいる。" --html heads.html
            kotonoha attention MODEL "The dog ran." "It was fast." --figure layer3.pdf --layer 3
            kotonoha attention MODEL "The dog ran." -o heads.csv

            The page shows thumbnails of all heads and one head enlarged, as lines between
            tokens or as a matrix. The table has one row per head: the entropy of its
            weights, the mean distance, and the proportion of attention to the token
            itself, its neighbours, the first token and special tokens; with --rollout, one
            row per pair of tokens: how much of one reaches the other through all layers
            (Abnar & Zuidema 2020). Attention shows where a head looks, not why the model
            decides as it does.
            """)

    @Argument(help: "The model: a folder or a name.") var model: String
    @Argument(help: "The sentence.") var sentence: String
    @Argument(help: "A second sentence, read together with the first.") var second: String?

    @Option(help: ArgumentHelp("A page with every head, in one file.", valueName: "file")) var html: String?
    @Option(
        help: ArgumentHelp(
            "A picture (.svg, .pdf, .png): layer means, the heads of --layer, or one head with --layer and --head; may be given several times.",
            valueName: "file"))
    var figure: [String] = []
    @Option(name: .shortAndLong, help: "A table of the heads, or of the rollout.") var output: String?
    @Option(in: .layers, help: "Layer of the picture, from 1.") var layer: Int?
    @Option(in: .heads, help: "Head of the picture, from 1.") var head: Int?
    @Flag(help: "Draw and write the rollout of all layers instead of heads.") var rollout = false
    @Option(help: "Language of pictures and page: en or ja; by default the page follows the browser.") var language: String?
    @Option(help: "Width of the picture, such as 180mm.") var width = "180mm"
    @Option(in: .seed, help: ArgumentHelp("Use a network of the same architecture with random weights, as a control.", valueName: "seed"))
    var untrainedSeed: UInt64?
    @Option(help: ArgumentHelp("MeCab dictionary, for models whose tokenizer needs one.", valueName: "dir")) var dictionary: String?

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    private var words: FigureLanguage? { language.flatMap(FigureLanguage.init) ?? (SessionLanguage.files == .japanese ? .japanese : nil) }

    func validate() throws {
        try OutputName.requireTable(output)
        try OutputName.require(html, OutputName.pages, "a page is written")
        for file in figure { try OutputName.require(file, OutputName.figures, "a picture is written") }
        if let language, FigureLanguage(rawValue: language) == nil { throw ValidationError("--language is en or ja, not '\(language)'") }
        if head != nil && layer == nil { throw ValidationError("--head needs --layer: every layer has its own heads") }
        if rollout { try refuse([("--layer", layer != nil), ("--head", head != nil)], "is for heads; --rollout follows all of them") }
    }

    func run() throws {
        try writing.check(inputs: [LanguageModelOptions.folder(model)], files: figure + [html, output])
        var options = SentenceEncoder.Options()
        options.dictionary = dictionary
        let encoder = try SentenceEncoder(model: model, options: options)
        let found = try SentenceAttention(encoder, sentence, pair: second, untrainedSeed: untrainedSeed)
        if let layer, layer > found.layers.count {
            throw DataError(.usage, "no layer \(layer); \(encoder.directory.name) has \(found.layers.count) layers")
        }
        if let head, head > found.heads {
            throw DataError(.usage, "no head \(head); each layer of \(encoder.directory.name) has \(found.heads) heads")
        }
        var record = provenance(seed: untrainedSeed)
        record.model = .init(path: encoder.directory.name, sha256: try encoder.directory.sha256())
        record.settings = [
            ("method", .string(rollout ? "attention rollout" : "attention")), ("layers", .integer(found.layers.count)),
            ("heads", .integer(found.heads)),
            ("tokens", .integer(found.tokens.count)), ("untrained", .bool(untrainedSeed != nil)),
        ]
        if let html {
            try AttentionPage(panels(found), title: [sentence, second].compactMap(\.self).joined(separator: " / "), language: words)
                .write(to: URL(fileURLWithPath: html))
            try record.write(beside: html)
        }
        for file in figure {
            try picture(found, file)
            try record.write(beside: file)
        }
        if output != nil || (html == nil && figure.isEmpty && !report.json) { try write(found, record) }
        if report.json { try Console.print(json(found, encoder.directory.name).serialized(.pretty)) }
    }

    private func panels(_ found: SentenceAttention) -> [AttentionPage.Panel] {
        func panel(_ part: (String, String), _ name: String, _ layer: Int?, _ head: Int?, _ weights: [[Double]]) -> AttentionPage.Panel {
            .init(
                part: part.0, japanesePart: part.1, name: name, layer: layer, head: head, queries: found.tokens, keys: found.tokens,
                weights: weights)
        }
        let heads = found.layers.indices.flatMap { layer in
            (0..<found.heads).map {
                panel(("Heads", "ヘッド"), "layer \(layer + 1), head \($0 + 1)", layer, $0, found.weights(layer: layer, head: $0))
            }
        }
        let means = found.layers.indices.map { panel(("Means of layers", "層ごとの平均"), "layer \($0 + 1)", $0, nil, found.mean(layer: $0)) }
        let rollout = found.rollout().enumerated().map { panel(("Rollout", "ロールアウト"), "layer \($0 + 1)", $0, nil, $1) }
        return heads + means + rollout
    }

    private func picture(_ found: SentenceAttention, _ file: String) throws {
        let language = words ?? .english
        let maps: [(title: String, weights: [[Double]])] =
            if rollout {
                found.rollout().enumerated().map { (language.layer($0 + 1), $1) }
            } else if let layer, let head {
                [(language.layer(layer, head: head), found.weights(layer: layer - 1, head: head - 1))]
            } else if let layer {
                (0..<found.heads).map { (language.layer(layer, head: $0 + 1), found.weights(layer: layer - 1, head: $0)) }
            } else {
                found.layers.indices.map { (language.layer($0 + 1), found.mean(layer: $0)) }
            }
        let columns = maps.count == 1 ? 1 : min(maps.count, found.tokens.count > 16 ? 2 : 3)
        let figures = try maps.map { map in
            var options = Heatmap.Options()
            options.title = map.title
            options.range = 0...1
            options.hasColorBar = maps.count == 1
            options.page.width = FigureGrid.columnWidth(of: try Length(parsing: width), columns: columns)
            return try Heatmap(map.weights, rowLabels: found.tokens, columnLabels: found.tokens, options: options)
        }
        try FigureGrid(figures, columns: columns).write(to: URL(fileURLWithPath: file))
    }

    private func write(_ found: SentenceAttention, _ record: Provenance) throws {
        func number(_ name: String) -> TableColumn { TableColumn(name, decimals: 4) }
        if rollout {
            let last = found.rollout().last ?? []
            return try ResultTable(["position", "token", "from_position", "from_token", TableColumn("rollout", decimals: 6)], tableOutput)
                .write(to: output, provenance: record) { append in
                    for (i, row) in last.enumerated() {
                        for (j, weight) in row.enumerated() {
                            try append([.integer(i + 1), .text(found.tokens[i]), .integer(j + 1), .text(found.tokens[j]), .number(weight)])
                        }
                    }
                }
        }
        let columns: [TableColumn] = [
            "layer", "head", number("entropy"), number("distance"), number("to_self"), number("to_previous"), number("to_next"),
            number("to_first"), number("to_special"),
        ]
        try ResultTable(columns, tableOutput).write(to: output, provenance: record) { append in
            for one in found.measures() {
                try append([
                    .integer(one.layer + 1), .integer(one.head + 1), .number(one.entropy), .number(one.distance), .number(one.toSelf),
                    .number(one.toPrevious),
                    .number(one.toNext), .number(one.toFirst), .number(one.toSpecial),
                ])
            }
        }
    }

    private func json(_ found: SentenceAttention, _ model: String) -> JSON {
        .object([
            ("model", .string(model)), ("tokens", .array(found.tokens.map(JSON.string))), ("layers", .integer(found.layers.count)),
            ("heads", .integer(found.heads)),
            (
                "measures",
                .array(
                    found.measures().map { one in
                        .object([
                            ("layer", .integer(one.layer + 1)), ("head", .integer(one.head + 1)), ("entropy", .number(one.entropy)),
                            ("distance", .number(one.distance)),
                            ("to_self", .number(one.toSelf)), ("to_previous", .number(one.toPrevious)), ("to_next", .number(one.toNext)),
                            ("to_first", .number(one.toFirst)), ("to_special", .number(one.toSpecial)),
                        ])
                    })
            ),
        ])
    }
}
