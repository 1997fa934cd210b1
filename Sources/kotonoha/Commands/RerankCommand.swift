import ArgumentParser
import FileFormats
import Foundation
import SentenceEmbedding

struct RerankCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerank", abstract: "Order texts by how well they answer a query, reading each together with it (cross-encoder).",
        discussion: """
            kotonoha rerank "two dogs play in snow" candidates.txt --model cross-encoder/ms-marco-MiniLM-L6-v2

            Prints score, row and text, the best first. Slower than rank, which compares vectors: let rank find the candidates.
            """)

    @Argument(help: "What is looked for.")
    var query: String

    @Argument(help: "A file with the candidates; - is standard input.")
    var input: String

    @Option(help: "Column of the candidates, by name or number from 1.")
    var column: String?

    @Option(help: "How many to print; all if not given.")
    var top: Int?

    @OptionGroup(title: "Input") var table: TableArguments
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Report") var report: ReportOptions

    func validate() throws {
        if let top, top < 1 { throw ValidationError("--top should be at least 1, not \(top)") }
        if model.model == nil { throw ValidationError("--model should name a reranker; models of sentence vectors are none") }
    }

    func run() throws {
        let encoder = try CrossEncoder(model: model.model ?? "", options: model.encoderOptions)
        let source = try CaptionSource(path: input, options: table.options(), columns: CaptionColumns(text: column))
        var texts: [(row: Int, text: String)] = [], row = 0
        while case let rows = try source.next(batch: 4096), !rows.isEmpty {
            for caption in rows {
                row += 1
                if !caption.text.isEmpty { texts.append((row, caption.text)) }
            }
        }
        let scores = try encoder.scores(texts.map { (query, $0.text) })
        let order = texts.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }.prefix(top ?? texts.count)
        if report.json {
            return Console.print(JSON.array(order.map { index in
                .object([("score", .number(scores[index])), ("row", .integer(texts[index].row)), ("text", .string(texts[index].text))])
            }).serialized(.pretty))
        }
        for index in order { Console.print("\(Console.fixed(scores[index], 4))\t\(texts[index].row)\t\(texts[index].text)") }
    }
}
