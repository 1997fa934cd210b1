import ArgumentParser
import FileFormats
import Training

/// Which columns of a table hold texts and their labels.
struct LabelledTableOptions: ParsableArguments {
    @Option(help: "Column of the texts, by name or number from 1.")
    var column: String?

    @Option(help: "Column of the second texts, for pairs.")
    var secondColumn: String?

    @Option(help: "Column of the labels.")
    var label: String?

    @Option(help: "Column of groups that are never split between folds and are resampled together: speakers, items, images.")
    var groupColumn: String?

    @Option(help: "Rows without a label: exclude (counted) or error.")
    var missingLabels = MissingLabels.exclude

    enum MissingLabels: String, CaseIterable, ExpressibleByArgument { case exclude, error }

    /// - Throws: the parser's own words where a column that every table needs is missing.
    func columns() throws -> LabelledTexts.Columns {
        guard let column else { throw ValidationError("Missing expected argument '--column <column>'") }
        guard let label else { throw ValidationError("Missing expected argument '--label <label>'") }
        return .init(text: column, second: secondColumn, label: label, group: groupColumn)
    }

    /// Reads a table, and reports what was left out and how labels were read.
    ///
    /// - Parameter columns: instead of those of the options.
    func read(
        _ path: String, _ table: TableArguments, columns chosen: LabelledTexts.Columns? = nil, task: ClassificationTask,
        known: [String]? = nil, needsVariety: Bool = true,
        isQuiet: Bool
    ) throws -> LabelledTexts {
        let columns = try chosen ?? columns(), wanted = [columns.text, columns.label] + [columns.second, columns.group].compactMap(\.self)
        let data = try LabelledTexts(
            Table(path: path, options: table.options(isQuiet: isQuiet), wanted: wanted), columns: columns, task: task, known: known,
            needsVariety: needsVariety)
        func listed(_ lines: [Int]) -> String {
            "line\(lines.count == 1 ? "" : "s") \(lines.prefix(10).map(String.init).joined(separator: ", "))\(lines.count > 10 ? ", …" : "")"
        }
        if missingLabels == .error, let first = data.unlabelled.first {
            throw DataError(
                .badData,
                "\(Console.counted(data.unlabelled.count, "row")) without a label in the column \(columns.label) (\(listed(data.unlabelled))); "
                    + "--missing-labels exclude leaves out such rows", file: path, line: first)
        }
        if !isQuiet {
            if !data.unlabelled.isEmpty {
                Console.say("note: \(Console.counted(data.unlabelled.count, "row")) without a label left out (\(listed(data.unlabelled)))")
            }
            if !data.empty.isEmpty {
                Console.say("note: \(Console.counted(data.empty.count, "row")) without a text left out (\(listed(data.empty)))")
            }
            for note in data.notes { Console.say("note: " + note) }
        }
        return data
    }
}

extension ClassificationTask: ExpressibleByArgument {}
extension FineTuning.Head: ExpressibleByArgument {}
