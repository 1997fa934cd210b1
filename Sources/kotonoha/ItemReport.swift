import ArgumentParser
import Figures
import FileFormats
import Foundation
import LanguageModels

/// Where the outputs of a generator go beside their targets.
struct ItemReportOptions: ParsableArguments {
    @Option(help: "A page (HTML) with every output next to its target, differences marked.") var html: String?
    @Option(help: "A table (.csv, .tsv, .xlsx) with every output next to its target.") var items: String?
    @Option(help: "Mark differing characters in colour on the terminal: auto, always or never.") var color: ColorChoice = .auto

    enum ColorChoice: String, CaseIterable, ExpressibleByArgument { case auto, always, never }

    func validate() throws {
        try OutputName.requireTable(items)
        try OutputName.require(html, OutputName.pages, "a page is written")
    }

    func isColoured(_ isTerminal: Bool) -> Bool { color == .always || (color == .auto && isTerminal && Console.allowsColour) }

    /// The page and the table that were asked for.
    func write(_ evaluation: FreeRunningEvaluation, title: String, carried: [String], provenance: Provenance) throws {
        if let html {
            try AtomicFile.write(to: html) { try $0.write(evaluation.page(title: title, language: SessionLanguage.files.figures).html) }
            try provenance.write(beside: html)
        }
        if let items {
            let table = ResultTable(FreeRunningEvaluation.Item.columns + carried.map(TableColumn.carried))
            try table.write(to: items, provenance: provenance) { write in
                for item in evaluation.items { try write(item.cells + item.item.others.cells) }
            }
        }
    }
}

extension FreeRunningEvaluation {
    /// The measures in one line.
    var summary: String {
        "free-running: exact \(exactMatches) of \(items.count) (\(Console.fixed(100 * exactMatch, 1)) %), character error rate \(Console.fixed(100 * characterErrorRate, 1)) %, "
            + "tokens \(Console.fixed(100 * tokenAccuracy, 1)) %"
    }

    var measures: [(key: String, value: JSON)] {
        [
            ("exact_match", .number(exactMatch)), ("character_error_rate", .number(characterErrorRate)),
            ("token_accuracy", .number(tokenAccuracy)),
        ]
    }

    /// Every output next to its target.
    func page(title: String, language: FigureLanguage) -> ComparisonPage {
        let exact = Console.fixed(100 * exactMatch, 1), characters = Console.fixed(100 * characterErrorRate, 1),
            tokens = Console.fixed(100 * tokenAccuracy, 1)
        return ComparisonPage(
            title: title,
            summary: language.says(
                "Free-running: exact match \(exactMatches) of \(items.count) (\(exact) %), character error rate \(characters) %, token accuracy \(tokens) %.",
                "自由走行: 完全一致 \(items.count) 件中 \(exactMatches) 件（\(exact) %）、文字誤り率 \(characters) %、トークン正答率 \(tokens) %。"),
            rows: items.map { item in
                .init(
                    line: item.item.line, source: item.item.source, target: item.item.target,
                    output: item.comparison.edits.map { edit in
                        switch edit {
                        case .equal(let unit): .equal(unit)
                        case .substituted(let target, let output): .substituted(target: target, output: output)
                        case .missing(let unit): .missing(unit)
                        case .extra(let unit): .extra(unit)
                        }
                    })
            }, language: language)
    }
}
