import FileFormats
import Foundation
import Statistics

/// What a classifier predicts.
package enum ClassificationTask: String, Sendable, CaseIterable {
    /// One of several classes.
    case classification
    /// A number.
    case regression
    /// Any number of labels, which a cell lists with ; or | between them.
    case multilabel

    /// As transformers' `config.json` calls it.
    package var problemType: String {
        switch self {
        case .classification: "single_label_classification"
        case .regression: "regression"
        case .multilabel: "multi_label_classification"
        }
    }
}

/// Texts, or pairs of texts, with what people said of them.
package struct LabelledTexts: Sendable {
    /// Which columns of a table mean what, by name or number.
    package struct Columns: Sendable {
        package var text: String
        package var second: String?
        package var label: String
        package var group: String?

        package init(text: String, second: String? = nil, label: String, group: String? = nil) {
            (self.text, self.second, self.label, self.group) = (text, second, label, group)
        }
    }

    package let task: ClassificationTask
    /// Names of the classes in the order of their numbers; of regression the label column's name alone.
    package let labels: [String]
    package private(set) var texts: [String] = []
    /// Second texts of pairs.
    package private(set) var seconds: [String]?
    /// The class of each row, of `classification`.
    package private(set) var codes: [Int] = []
    /// The number of each row, of `regression`.
    package private(set) var numbers: [Double] = []
    /// Whether each row has each label, of `multilabel`.
    package private(set) var sets: [[Bool]] = []
    /// The group of each row, numbered by first appearance, and its name.
    package private(set) var groups: [Int]?
    package private(set) var groupNames: [String] = []
    /// Place of each row in its file, and the number of its file.
    package private(set) var lines: [Int] = []
    package private(set) var files: [Int] = []
    package private(set) var fileNames: [String] = []
    package private(set) var sha256: [String] = []
    /// Lines without a label, or without a text.
    package private(set) var unlabelled: [Int] = []
    package private(set) var empty: [Int] = []
    /// What the user should know about how the labels were read.
    package private(set) var notes: [String] = []
    package var count: Int { texts.count }

    /// Rows of a table.
    ///
    /// - Parameters:
    ///   - known: the labels of a model; nil takes those of the table, numbers in their order and others by their letters.
    ///   - needsVariety: whether one class alone is an error, as it is for learning.
    /// - Throws: `DataError` if columns are missing, there is one class only, labels look like ids, or a label is not among the known ones.
    package init(_ table: Table, columns: Columns, task: ClassificationTask, known: [String]? = nil, needsVariety: Bool = true) throws {
        self.task = task
        let texts = try table.column(columns.text), second = try columns.second.map(table.column), cells = try table.column(columns.label)
        let group = try columns.group.map(table.column)
        func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespacesAndNewlines) }
        let values = cells.texts.map(trimmed)
        if zip(values, cells.texts).contains(where: { !$0.isEmpty && $0 != $1 }) {
            notes.append("spaces around labels in the column \(cells.name) were left out")
        }
        var kept: [Int] = []
        for row in 0..<table.rowCount {
            if trimmed(texts.texts[row]).isEmpty || second.map({ trimmed($0.texts[row]).isEmpty }) == true {
                empty.append(table.lines[row])
            } else if values[row].isEmpty || task != .classification && PlainNumber.missingMarks.contains(values[row]) {
                unlabelled.append(table.lines[row])
            } else {
                kept.append(row)
            }
        }
        guard !kept.isEmpty else {
            throw DataError(.badData, "no row has both a text (column \(texts.name)) and a label (column \(cells.name))", file: table.name)
        }
        func names(of cell: String) -> [String] {
            cell.split(whereSeparator: { ";|；｜".contains($0) }).map { trimmed(String($0)) }.filter { !$0.isEmpty }
        }
        switch task {
        case .regression:
            labels = [cells.name]
            numbers = try kept.map { row in
                guard let number = PlainNumber.value(of: values[row]), number.isFinite else {
                    throw DataError(
                        .badData,
                        "\"\(values[row].prefix(40))\" in the column \(cells.name) is not a number, which \(Setting.task) regression needs",
                        file: table.name, line: table.lines[row])
                }
                return number
            }
            if needsVariety, Set(numbers).count < 2 {
                throw DataError(
                    .badData, "all \(kept.count) labels in the column \(cells.name) are \(numbers[0]); there is nothing to learn",
                    file: table.name)
            }
        case .classification, .multilabel:
            let found = Self.inOrder(Set(kept.flatMap { task == .multilabel ? names(of: values[$0]) : [values[$0]] }))
            if let known {
                let strangers = found.filter { !known.contains($0) }
                guard strangers.isEmpty else {
                    let row = kept.first { row in (task == .multilabel ? names(of: values[row]) : [values[row]]).contains(strangers[0]) }
                    throw DataError(
                        .badData,
                        "label \(Self.list(strangers)) of the column \(cells.name) is unknown to the classifier, whose labels are \(Self.list(known))",
                        file: table.name, line: row.map { table.lines[$0] })
                }
            }
            labels = known ?? found
            if needsVariety, known == nil, task == .classification {
                guard found.count > 1 else {
                    throw DataError(
                        .badData, "the column \(cells.name) has only one class, \(Self.list(found)); a classifier needs at least two",
                        file: table.name)
                }
                if found.count > max(20, kept.count / 2) {
                    throw DataError(
                        .badData,
                        "the column \(cells.name) has \(found.count) different values in \(kept.count) rows, which looks like ids rather than classes; "
                            + "\(Setting.label) names another column, \(Setting.task) regression reads numbers", file: table.name)
                }
            }
            let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
            if task == .classification {
                codes = kept.compactMap { places[values[$0]] }
            } else {
                sets = kept.map { row in
                    var set = [Bool](repeating: false, count: labels.count)
                    for name in names(of: values[row]) { if let place = places[name] { set[place] = true } }
                    return set
                }
            }
        }
        self.texts = kept.map { texts.texts[$0] }
        seconds = second.map { column in kept.map { column.texts[$0] } }
        if let group {
            let factor = Factor(name: group.name, values: kept.map { group.texts[$0] })
            if let bare = factor.codes.firstIndex(of: nil) {
                throw DataError(
                    .badData, "the group is missing in the column \(group.name); every row needs one", file: table.name,
                    line: table.lines[kept[bare]])
            }
            groups = factor.codes.compactMap { $0 }
            groupNames = factor.levels
        }
        lines = kept.map { table.lines[$0] }
        files = kept.map { _ in 0 }
        (fileNames, sha256) = ([table.name], [table.sha256])
        let marked = self.texts.count { $0.hasPrefix("\"") }
        if marked > 0 {
            notes.append("\(marked) texts begin with a quotation mark: the file was read as one without quoting, as GLUE's are")
        }
    }

    /// These rows and then those of another table, whose groups of the same name are the same groups.
    package func appending(_ other: LabelledTexts) throws -> LabelledTexts {
        guard other.task == task, other.labels == labels || task == .regression, (other.seconds == nil) == (seconds == nil),
            (other.groups == nil) == (groups == nil)
        else {
            throw DataError(
                .badData, "the tables do not fit together: their labels, second texts or groups differ", file: other.fileNames.first)
        }
        var all = self
        all.texts += other.texts
        if let more = other.seconds { all.seconds = (seconds ?? []) + more }
        all.codes += other.codes
        all.numbers += other.numbers
        all.sets += other.sets
        if let more = other.groups {
            var places = Dictionary(uniqueKeysWithValues: groupNames.enumerated().map { ($1, $0) })
            for name in other.groupNames where places[name] == nil {
                places[name] = all.groupNames.count
                all.groupNames.append(name)
            }
            all.groups = (groups ?? []) + more.map { places[other.groupNames[$0]] ?? 0 }
        }
        all.lines += other.lines
        all.files += other.files.map { $0 + fileNames.count }
        all.fileNames += other.fileNames
        all.sha256 += other.sha256
        all.unlabelled += other.unlabelled
        all.empty += other.empty
        all.notes += other.notes
        return all
    }

    /// Rows of each class, or with each label; empty for regression.
    package var supports: [Int] {
        switch task {
        case .classification: labels.indices.map { k in codes.count { $0 == k } }
        case .multilabel: labels.indices.map { k in sets.count { $0[k] } }
        case .regression: []
        }
    }

    /// The label of a row as the table has it.
    package func label(_ row: Int) -> String {
        switch task {
        case .classification: labels[codes[row]]
        case .multilabel: labels.indices.filter { sets[row][$0] }.map { labels[$0] }.joined(separator: ";")
        case .regression: "\(numbers[row])"
        }
    }

    /// Folds of all rows, or of some; where a class would be missing from what a fold learns from, an error says so.
    package func folds(_ count: Int, of rows: [Int]? = nil, stratified: Bool, seed: UInt64) throws -> Folds {
        let rows = rows ?? Array(0..<self.count)
        let folds = try Folds(
            rows: rows, count: count, groups: groups, strata: stratified && task == .classification ? codes : nil, seed: seed)
        guard task == .classification else { return folds }
        for part in 0..<count {
            let present = Set(folds.training(part, of: rows).map { codes[$0] })
            if let missing = labels.indices.first(where: { !present.contains($0) }) {
                let why =
                    groups == nil ? "it has \(codes.count { $0 == missing }) rows in all" : "all its rows belong to groups of this fold"
                throw DataError(
                    .badData,
                    "fold \(part + 1) of \(count) has no row of the class \(labels[missing]) to learn from: \(why). "
                        + (stratified
                            ? "Take fewer folds, or leave the class out"
                            : "\(Setting.stratify) spreads classes over the folds; or take fewer folds"))
            }
        }
        return folds
    }

    private static func inOrder(_ names: Set<String>) -> [String] {
        let all = names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        let numbers = all.map { PlainNumber.value(of: $0) }
        guard numbers.allSatisfy({ $0 != nil }) else { return all }
        return zip(all, numbers).sorted { ($0.1 ?? 0, $0.0) < ($1.1 ?? 0, $1.0) }.map(\.0)
    }

    static func list(_ names: [String]) -> String {
        names.prefix(10).map { "'\($0)'" }.joined(separator: ", ") + (names.count > 10 ? ", … (\(names.count) in all)" : "")
    }
}
