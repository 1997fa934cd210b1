import FileFormats
import Foundation

/// The tasks of a multi-task run, as a JSON file lists them; the list may also stand alone. Paths are relative to that file.
///
/// ```json
/// {"tasks": [
///     {"name": "mood", "table": "mood.tsv", "columns": "text", "label": "label"},
///     {"name": "rating", "table": "ratings.xlsx", "columns": ["first", "second"], "label": "score", "task": "regression",
///      "development": "dev.xlsx", "group": "speaker", "weight": 0.5, "head": "linear"}
/// ]}
/// ```
package struct ClassifierTaskFile: Sendable {
    /// What the file says of one task.
    package struct Entry: Sendable, Equatable {
        /// That of its model's folder.
        package var name: String
        package var table: String
        /// Rows to score it on; a tenth of the table's rows where nil.
        package var development: String?
        package var text: String
        /// Of pairs.
        package var second: String?
        package var label: String
        package var group: String?
        package var task: ClassificationTask
        /// Multiplies the loss.
        package var weight: Double
        package var head: FineTuning.Head

        package var columns: LabelledTexts.Columns { .init(text: text, second: second, label: label, group: group) }

        /// Puts the task's name before the message of an error that its data causes.
        package func naming<Result>(_ body: () throws -> Result) throws -> Result {
            do { return try body() } catch let error as DataError {
                throw DataError(error.kind, "task '\(name)': \(error.message)", file: error.file, line: error.line)
            }
        }
    }

    package let path: String
    package let sha256: String
    package let tasks: [Entry]

    /// Files that a run reads.
    package var inputs: [String] { [path] + tasks.flatMap { [$0.table] + [$0.development].compactMap(\.self) } }

    /// - Parameter head: that of tasks that name none.
    /// - Throws: `DataError` that names file, task and key, what was expected and what was found; of kind `noInput` for a table that is
    ///   not there, of kind `usage` where `head` does not fit a task.
    package init(path: String, head usual: FineTuning.Head = .mlp) throws {
        self.path = path
        sha256 = try SHA256.hex(ofFile: path)
        let base = URL(fileURLWithPath: path).deletingLastPathComponent()
        func located(_ name: String) -> String { name.hasPrefix("/") ? name : base.appendingPathComponent(name).standardizedFileURL.path }
        let json = try JSON(contentsOf: path)
        let reader = ConfigurationObject(json.array == nil ? json : .object([("tasks", json)]), path: "", file: path)
        try reader.allow(["tasks", "comment"])
        var found: [Entry] = []
        for place in try reader.objects("tasks") {
            let name = try place.text("name")
            guard !name.isEmpty, name.utf8.count <= 200, !name.hasPrefix("."), !name.contains(where: { "/\0\n".contains($0) }) else {
                throw place.fail("'name' becomes the name of a folder, without / and not beginning with a dot; '\(name)' cannot be one")
            }
            let settings = ConfigurationObject(place.json, path: "task '\(name)'", file: path)
            guard !found.contains(where: { $0.name == name }) else {
                throw settings.fail("two tasks have this name; give each its own name")
            }
            try settings.allow(["name", "table", "development", "columns", "label", "group", "task", "weight", "head", "comment"])
            let columns = try settings.texts("columns")
            guard (1...2).contains(columns.count) else {
                throw settings.fail("'columns' names the column of the texts, or the two columns of pairs, not \(columns.count) columns")
            }
            let weight = try settings.number("weight", Bounds(above: 0, through: 1e6), default: 1)
            let head = try settings.choice("head", FineTuning.Head.self, default: usual)
            let entry = Entry(
                name: name, table: located(try settings.text("table")), development: try settings.optionalText("development").map(located),
                text: columns[0],
                second: columns.count > 1 ? columns[1] : nil, label: try settings.text("label"), group: try settings.optionalText("group"),
                task: try settings.choice("task", ClassificationTask.self, default: .classification), weight: weight, head: head)
            for (key, file) in [("table", entry.table), ("development", entry.development)] {
                if let file, !FileManager.default.fileExists(atPath: file) {
                    throw DataError(
                        .noInput, "task '\(name)': '\(key)' names \(file), which does not exist; paths are relative to this file",
                        file: path)
                }
            }
            guard head != .linear || entry.second == nil else {
                throw DataError(
                    place.json["head"] == nil ? .usage : .badData,
                    "task '\(name)': a linear head on pairs cannot be saved in a format that other programs load; take \"head\": \"mlp\"",
                    file: path)
            }
            found.append(entry)
        }
        guard !found.isEmpty else { throw reader.fail("'tasks' is empty: there is nothing to learn") }
        tasks = found
    }
}
