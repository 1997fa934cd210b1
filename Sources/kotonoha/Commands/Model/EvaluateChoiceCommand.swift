import Analysis
import ArgumentParser
import FileFormats
import Foundation
import LanguageModels
import SentenceEmbedding
import Statistics
import Tensors

struct EvaluateChoiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "choice", abstract: "Forced choice: which option matches the cue, or is the odd one out; minimal pairs.",
        discussion: """
            kotonoha evaluate choice items.xlsx --model words.h5
            kotonoha evaluate choice items.xlsx --cue 刺激 --options 選択肢1,選択肢2 --answer 正答 --template "これは{}です。"

            Each row has a cue, options and optionally the answer (an option or its
            number). The option with the highest cosine to the cue is chosen; ties count as
            wrong. Accuracy has an exact binomial interval (Clopper–Pearson) and is tested
            against guessing. --against compares two models on the same items by McNemar's
            exact test. --template inserts every text at {}; with two {}, the sentence with
            cue and option is compared with the sentence that has the cue twice.

            kotonoha evaluate choice blimp.jsonl --model gpt2 --categories accuracies.csv

            With columns of acceptable and unacceptable sentences, a language model chooses
            the more probable one, by the sum of token log-probabilities and by their mean.
            Ties count as errors. Intervals are Wilson's; the overall one is a bootstrap
            over categories.
            """)

    @Argument(help: "A table with one item per row.")
    var input: String

    @Option(help: "Column of the cues, by name or number.") var cue: String?
    @Option(help: ArgumentHelp("Columns of the options.", valueName: "a,b,…")) var options: String?
    @Option(help: "Column of the answers.") var answer: String?
    @Option(help: "Column with people's choices, or the proportion who chose correctly.") var people: String?
    @Flag(help: "Items without a cue: the option least similar to the others is chosen.") var oddOneOut = false
    @Option(help: "A sentence with {} in place of the text.") var template: String?
    @Option(help: "Another model to compare with.") var against: String?
    @Option(help: "What to do with items whose texts have no vector: exclude or error.") var missing = Missing.exclude
    @Option(name: .shortAndLong, help: "A table of every item with its cosines and choice.") var output: String?

    @OptionGroup(title: "Minimal pairs, by a language model") var pairs: MinimalPairOptions
    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    enum Missing: String, CaseIterable, ExpressibleByArgument { case exclude, error }

    func validate() throws {
        if oddOneOut && cue != nil { throw ValidationError("--odd-one-out items have no --cue") }
        if let template {
            let places = template.components(separatedBy: "{}").count - 1
            guard places == 1 || places == 2 && !oddOneOut else {
                throw ValidationError("--template must contain {} once, or twice for cue and option; '\(template)' has it \(places) times")
            }
        }
    }

    /// Minimal pairs, where the options or the columns say so; standard input is read once, so it must be the options.
    private func minimalPairs() throws -> Table? {
        let isAsked = pairs.good != nil
        guard isAsked || (cue == nil && options == nil && !oddOneOut && input != "-") else { return nil }
        guard
            try isAsked
                || MinimalPairs.columns(
                    in: TextTable(path: input, options: table.options(isQuiet: true), wanted: MinimalPairs.knownColumns).columns) != nil
        else { return nil }
        try refuse(
            [
                ("--cue", cue != nil), ("--options", options != nil), ("--answer", answer != nil), ("--people", people != nil),
                ("--odd-one-out", oddOneOut),
                ("--template", template != nil), ("--against", against != nil),
            ], "is for cues and options; this table has pairs of sentences")
        return try Table(
            path: input, options: table.options(isQuiet: report.quiet),
            wanted: [pairs.good, pairs.bad].compactMap(\.self) + MinimalPairs.knownColumns)
    }

    func run() throws {
        try writing.check(inputs: [input, model.model, against] + pairs.beside, files: [output, pairs.categories])
        if let table = try minimalPairs() {
            return try MinimalPairEvaluation(
                input: input, table: table, options: pairs, model: model, output: output, tableOutput: tableOutput, report: report
            ).run()
        }
        try refuse(pairs.given, "is for pairs of sentences; this table has none (--good, --bad)")
        let items = try ChoiceItems(
            path: input, options: table.options(isQuiet: report.quiet), cue: cue,
            options: options?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) },
            answer: answer, people: people, isOddOneOut: oddOneOut)
        let (name, first) = try choose(items, model)
        var other: (name: String, choice: ForcedChoice)?
        if let against {
            var second = model
            second.model = against
            other = try choose(items, second)
        }
        let lost = items.items.indices.filter { !first.outcomes[$0].missing.isEmpty }
        if let row = lost.first, missing == .error {
            throw DataError(
                .badData,
                "\(first.outcomes[row].missing.map { "\"\($0)\"" }.joined(separator: ", ")) has no vector in "
                    + "\(name); --missing exclude leaves out such items",
                file: input, line: items.items[row].line)
        }
        if let output { try write(items, name, first, other?.choice, to: output) }
        try say(items, name, first, other, lost)
    }

    /// What a model chooses: every different text is embedded once.
    private func choose(_ items: ChoiceItems, _ model: ModelOptions) throws -> (name: String, choice: ForcedChoice) {
        let isDouble = template.map { $0.components(separatedBy: "{}").count == 3 } ?? false
        func filled(_ cue: String, _ option: String) -> String {
            guard let template else { return option }
            let parts = template.components(separatedBy: "{}")
            return parts.count == 3 ? parts[0] + cue + parts[1] + option + parts[2] : parts.joined(separator: option)
        }
        var places: [String: Int] = [:], texts: [String] = []
        func add(_ text: String) {
            if places[text] == nil {
                places[text] = texts.count
                texts.append(text)
            }
        }
        for item in items.items {
            if let cue = item.cue { add(filled(cue, cue)) }
            for option in item.options { add(filled(item.cue ?? "", option)) }
        }
        let encoder = try model.textEncoder(isQuiet: report.quiet) { try $0(texts) }
        let vectors = try encoder.encode(texts), d = encoder.dimension
        let lengths = vectors.withUnsafeElements { base in
            texts.indices.map { Float.dot(base + $0 * d, base + $0 * d, count: d).squareRoot() }
        }
        func cosine(_ a: String, _ b: String) -> Double? {
            guard let i = places[a], let j = places[b], lengths[i] > 0, lengths[j] > 0 else { return nil }
            return vectors.withUnsafeElements { max(-1, min(1, Float.dot($0 + i * d, $0 + j * d, count: d) / (lengths[i] * lengths[j]))) }
        }
        let choice = ForcedChoice(
            items,
            cosine: { first, second in
                isDouble ? cosine(filled(first, first), filled(first, second)) : cosine(filled("", first), filled("", second))
            }, hasVector: { text in isDouble ? true : places[filled("", text)].map { lengths[$0] > 0 } ?? false })
        return (encoder.name, choice)
    }

    private func write(_ items: ChoiceItems, _ name: String, _ first: ForcedChoice, _ other: ForcedChoice?, to output: String) throws {
        let width = items.items.map(\.options.count).max() ?? 0
        var columns: [TableColumn] = ["line", "cue", "answer", "choice", "correct", TableColumn("margin", decimals: 6)]
        for k in 0..<width { columns += [TableColumn("option\(k + 1)"), TableColumn("cosine\(k + 1)", decimals: 6)] }
        if other != nil { columns += ["choice_other", "correct_other"] }
        var record = provenance()
        record.inputs = [try .init(hashing: input)]
        record.settings = [
            ("method", .string("forced choice")), ("chosen_by", .string(name)), ("odd_one_out", .bool(oddOneOut)),
            ("judged", .integer(first.outcomes.count { $0.isCorrect != nil })),
        ]
        try ResultTable(columns + ["missing"], tableOutput).write(to: output, provenance: record) { append in
            for (index, item) in items.items.enumerated() {
                let outcome = first.outcomes[index]
                func option(_ index: Int?) -> Cell { Cell(index.map { item.options[$0] }) }
                func truth(_ value: Bool?) -> Cell { value.map(Cell.boolean) ?? .missing }
                var cells = [
                    .integer(item.line), Cell(item.cue), option(item.answer), option(outcome.choice), truth(outcome.isCorrect),
                    Cell(outcome.margin),
                ]
                for k in 0..<width {
                    cells += k < item.options.count ? [.text(item.options[k]), Cell(outcome.scores[k])] : [.missing, .missing]
                }
                if let other { cells += [option(other.outcomes[index].choice), truth(other.outcomes[index].isCorrect)] }
                try append(cells + [.text(outcome.missing.joined(separator: ", "))])
            }
        }
    }

    private func say(
        _ items: ChoiceItems, _ name: String, _ first: ForcedChoice, _ other: (name: String, choice: ForcedChoice)?, _ lost: [Int]
    ) throws {
        var facts: [(key: String, value: JSON)] = [
            ("file", .string(URL(fileURLWithPath: input).lastPathComponent)), ("model", .string(name)),
            ("items", .integer(items.items.count)), ("items_without_vectors", .integer(lost.count)),
            ("missing", .array(Array(Set(lost.flatMap { first.outcomes[$0].missing })).sorted().map(JSON.string))),
        ]
        var lines = ["items\t\(items.items.count)\t\(lost.count) without vectors"]
        func interval(_ range: ClosedRange<Double>?) -> JSON {
            range.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null
        }
        func shown(_ range: ClosedRange<Double>?) -> String {
            range.map { "95 % \(Console.fixed($0.lowerBound, 4)) … \(Console.fixed($0.upperBound, 4))" } ?? ""
        }
        func accuracy(_ choice: ForcedChoice, _ key: String, _ label: String) throws {
            let judged = items.items.indices.filter { choice.outcomes[$0].isCorrect != nil }
            guard !judged.isEmpty else { return }
            let right = judged.count { choice.outcomes[$0].isCorrect == true }
            let estimate = try Proportion(right, of: judged.count).clopperPearson()
            let chance = judged.reduce(0) { $0 + 1 / Double(items.items[$1].options.count) } / Double(judged.count)
            let p = ForcedChoice.guessing(atLeast: right, options: judged.map { items.items[$0].options.count })
            let margin = judged.reduce(0) { $0 + (choice.outcomes[$1].margin ?? 0) } / Double(judged.count)
            let ties = judged.count { choice.outcomes[$0].choice == nil }
            facts.append(
                (
                    key,
                    .object([
                        ("correct", .integer(right)), ("judged", .integer(judged.count)), ("accuracy", .number(estimate.value)),
                        ("accuracy_95", interval(estimate.interval)),
                        ("chance", .number(chance)), ("p_guessing", .number(p)), ("mean_margin", .number(margin)), ("ties", .integer(ties)),
                    ])
                ))
            lines.append(
                "\(label)\t\(Console.fixed(estimate.value, 4))\t\(right)/\(judged.count)\t\(shown(estimate.interval))\tchance \(Console.fixed(chance, 4)), p \(p < 0.0001 ? "< 0.0001" : Console.fixed(p, 4))"
                    + "\tmean margin \(Console.fixed(margin, 4))\(ties > 0 ? "\t\(ties) ties" : "")")
        }
        try accuracy(first, "result", "accuracy")
        if let other {
            try accuracy(other.choice, "against", other.name)
            let both = items.items.indices.filter { first.outcomes[$0].isCorrect != nil && other.choice.outcomes[$0].isCorrect != nil }
            let test = try McNemar(
                both.map { first.outcomes[$0].isCorrect == true }, both.map { other.choice.outcomes[$0].isCorrect == true })
            facts.append(
                (
                    "mcnemar",
                    .object([
                        ("items", .integer(both.count)), ("only_first", .integer(test.firstOnly)),
                        ("only_second", .integer(test.secondOnly)), ("p_exact", .number(test.exact)),
                    ])
                ))
            lines.append(
                "McNemar\tonly \(name) right \(test.firstOnly), only \(other.name) right \(test.secondOnly)\texact p \(Console.fixed(test.exact, 4))"
            )
        }
        let chosen = items.items.indices.compactMap { index -> Bool? in
            guard case .option(let option)? = items.items[index].people, let choice = first.outcomes[index].choice else { return nil }
            return option == choice
        }
        if !chosen.isEmpty {
            let estimate = try Proportion(chosen.count { $0 }, of: chosen.count).clopperPearson()
            facts.append(
                (
                    "agreement_with_people",
                    .object([
                        ("items", .integer(chosen.count)), ("share", .number(estimate.value)), ("share_95", interval(estimate.interval)),
                    ])
                ))
            lines.append("as people chose\t\(Console.fixed(estimate.value, 4))\t\(shown(estimate.interval))")
        }
        let shares = items.items.indices.compactMap { index -> (Double, Double)? in
            guard case .shareCorrect(let share)? = items.items[index].people, let margin = first.outcomes[index].margin else { return nil }
            return (margin, share)
        }
        if shares.count > 3 {
            let rho = try Correlation.spearman(shares.map(\.0), shares.map(\.1)),
                range = Correlation.spearman.fisherInterval(rho, count: shares.count)
            facts.append(
                (
                    "margin_and_people",
                    .object([("items", .integer(shares.count)), ("spearman", .number(rho)), ("spearman_95", interval(range))])
                ))
            lines.append("margin and people\tspearman \(Console.fixed(rho, 4))\t\(shown(range))")
        }
        if report.json { return try Console.print(JSON.object(facts).serialized(.pretty)) }
        for line in lines { try Console.print(line) }
        if !report.quiet {
            let words = Set(lost.flatMap { first.outcomes[$0].missing }).sorted()
            if !words.isEmpty { Console.say("no vectors for \(words.prefix(20).joined(separator: ", "))\(words.count > 20 ? ", …" : "")") }
            if !items.hasAnswers { Console.say("note: the table has no answers, so accuracy is not computed; -o lists the choices") }
        }
    }
}
