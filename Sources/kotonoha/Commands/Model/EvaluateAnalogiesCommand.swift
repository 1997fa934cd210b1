import Analysis
import ArgumentParser
import FileFormats
import Foundation
import Statistics
import Tensors
import WordVectors

struct EvaluateAnalogiesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analogies", abstract: "Analogies: a is to b as c is to …?",
        discussion: """
            kotonoha evaluate analogies questions-words.txt --model words.h5

            QUESTIONS has lines of four words, and lines ": section". The answer is the
            word with the highest score except the three given ones: 3CosAdd, or 3CosMul
            with --method mul. Sections whose names begin with gram count as syntactic.
            Questions with a word that has no vector are skipped.
            """)

    @Argument(help: "The questions.")
    var questions: String

    @Option(help: "A file of word vectors.")
    var model: String

    @Option(help: "add (3CosAdd) or mul (3CosMul).")
    var method: ArithmeticMethod = .add

    @Option(help: "Search only the first N words of the file.")
    var limit: Int?

    @Flag(help: "Distinguish upper and lower case; otherwise the first word in the file is used for both.")
    var caseSensitive = false

    @Option(name: .shortAndLong, help: "A table of every question with its answer (.tsv, .csv or .xlsx).")
    var output: String?

    @Option(help: "Number of threads; results do not depend on it.")
    var threads = Parallel.availableThreads

    @OptionGroup(title: "Table") var tableOutput: TableOutputOptions
    @OptionGroup(title: "Output") var writing: OutputOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if threads < 1 { throw ValidationError("--threads should be at least 1, not \(threads)") }
        if let limit, limit < 1 { throw ValidationError("--limit should be at least 1, not \(limit)") }
    }

    func run() throws {
        try writing.check(inputs: [self.questions, model], files: [output])
        let questions = try AnalogyQuestions(path: questions)
        let table = try WordFile.read(model, limit: limit, threads: threads)
        if !report.quiet { for sentence in table.remarks.sentences { Console.say("note: \(sentence)") } }
        let evaluation = try AnalogyEvaluation(
            questions, words: table.words.strings, vectors: table.vectors, method: method, isCaseSensitive: caseSensitive, threads: threads)
        if let output { try write(questions, evaluation, table, to: output) }
        let totals: [(name: String, correct: Int, asked: Int, skipped: Int)] = [("semantic", false), ("syntactic", true), ("total", nil)]
            .map { name, isSyntactic in
                let sum = evaluation.total(syntactic: isSyntactic)
                return (name, sum.correct, sum.asked, sum.skipped)
            }
        if report.json {
            func json(_ name: String, _ correct: Int, _ asked: Int, _ skipped: Int) throws -> JSON {
                let interval = asked > 0 ? try Proportion(correct, of: asked).clopperPearson().interval : nil
                return .object([
                    ("section", .string(name)), ("correct", .integer(correct)), ("asked", .integer(asked)), ("skipped", .integer(skipped)),
                    ("accuracy", asked > 0 ? .number(Double(correct) / Double(asked)) : .null),
                    ("accuracy_95", interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null),
                ])
            }
            return try Console.print(
                JSON.object([
                    ("file", .string(URL(fileURLWithPath: self.questions).lastPathComponent)), ("model", .string(table.name)),
                    ("words", .integer(table.count)),
                    ("method", .string(method.rawValue)),
                    ("sections", .array(try evaluation.sections.map { try json($0.name, $0.correct, $0.asked, $0.skipped) })),
                    ("totals", .array(try totals.map { try json($0.name, $0.correct, $0.asked, $0.skipped) })),
                ]).serialized(.pretty))
        }
        func line(_ name: String, _ correct: Int, _ asked: Int, _ skipped: Int) throws -> String {
            guard asked > 0 else { return "\(name)\tNA\t0/0\tskipped \(skipped)" }
            let interval = try Proportion(correct, of: asked).clopperPearson().interval ?? 0...1
            return "\(name)\t\(Console.fixed(Double(correct) / Double(asked), 4))\t\(correct)/\(asked)\t"
                + "95 % \(Console.fixed(interval.lowerBound, 4)) … \(Console.fixed(interval.upperBound, 4))\tskipped \(skipped)"
        }
        for section in evaluation.sections { try Console.print(line(section.name, section.correct, section.asked, section.skipped)) }
        for total in totals { try Console.print(line(total.name, total.correct, total.asked, total.skipped)) }
    }

    private func write(_ questions: AnalogyQuestions, _ evaluation: AnalogyEvaluation, _ table: WordTable, to output: String) throws {
        var record = provenance()
        record.inputs = try [self.questions, model].map { try .init(hashing: $0) }
        let total = evaluation.total()
        record.settings = [
            ("method", .string("analogies")), ("scoring", .string(method.rawValue)), ("asked", .integer(total.asked)),
            ("skipped", .integer(total.skipped)),
        ]
        try ResultTable(["line", "section", "a", "b", "c", "d", "answer", "correct"], tableOutput).write(to: output, provenance: record) {
            append in
            var next = 0
            for section in questions.sections {
                for question in section.questions {
                    try append(
                        [.integer(question.line)] + [section.name, question.a, question.b, question.c, question.d].cells
                            + [
                                Cell(evaluation.answers[next].map { table.words[$0] }),
                                evaluation.solved[next].map(Cell.boolean) ?? .missing,
                            ])
                    next += 1
                }
            }
        }
    }
}

extension ArithmeticMethod: ExpressibleByArgument {}
