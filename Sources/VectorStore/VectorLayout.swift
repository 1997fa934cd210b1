import FileFormats

/// Which columns a vector file has, what they mean and what the input calls them, and how long its vectors are.
public struct VectorLayout: Sendable, Equatable {
    /// Components of a vector.
    public var dimension: Int
    /// Whether every row has a group, such as the scene that a caption describes.
    package var hasGroups: Bool
    /// Whether every row has an id.
    package var hasIDs: Bool
    /// The input's other columns.
    package var columnNames: [String]
    /// What the input calls its columns of texts, groups and ids; nil if it names none, as in files of earlier versions.
    package var textName: String?
    /// What the input calls its column of groups.
    package var groupName: String?
    /// What the input calls its column of ids.
    package var idName: String?

    /// A layout of texts, with groups, ids and other columns if stated.
    public init(
        dimension: Int, hasGroups: Bool = false, hasIDs: Bool = false, columnNames: [String] = [], textName: String? = nil,
        groupName: String? = nil,
        idName: String? = nil
    ) {
        (self.dimension, self.hasGroups, self.hasIDs, self.columnNames) = (dimension, hasGroups, hasIDs, columnNames)
        (self.textName, self.groupName, self.idName) = (textName, groupName, idName)
    }

    /// What a column means.
    public enum Role: Sendable, Equatable {
        case id, group, text
        /// One of the input's other columns, by its place in `columnNames`.
        case other(Int)
    }

    /// A column of the input.
    public struct Column: Sendable, Equatable {
        /// What the input calls it.
        public var name: String
        /// What it means.
        public var role: Role
    }

    /// All columns as a table of results carries them along: ids, groups, texts, then the others, under the input's names. What has no
    /// name there is called `id`, `group` and `text`; names are told apart where that repeats one (`text_2`).
    public var columns: [Column] {
        var columns: [Column] = []
        if hasIDs { columns.append(Column(name: idName ?? "id", role: .id)) }
        if hasGroups { columns.append(Column(name: groupName ?? "group", role: .group)) }
        columns.append(Column(name: textName ?? "text", role: .text))
        columns += columnNames.enumerated().map { Column(name: $1, role: .other($0)) }
        // The others keep their names; Kotonoha's own names give way.
        var taken = Set(columnNames)
        for index in columns.indices {
            if case .other = columns[index].role { continue }
            var name = columns[index].name, count = 2
            while !taken.insert(name).inserted {
                name = "\(columns[index].name)_\(count)"
                count += 1
            }
            columns[index].name = name
        }
        return columns
    }

    /// The column of a name: the input's own names first, then `id`, `group` and `text` for what means that.
    public func column(named name: String) -> Column? {
        let columns = columns
        if let found = columns.first(where: { $0.name == name }) { return found }
        let roles: [String: Role] = ["id": .id, "group": .group, "text": .text]
        return roles[name].flatMap { role in columns.first { $0.role == role } }
    }

    /// The column of a name.
    /// - Throws: `DataError` of kind `usage` that lists the columns.
    public func requiredColumn(named name: String, file: String) throws -> Column {
        if let column = column(named: name) { return column }
        throw DataError(.usage, "no column '\(name)'; the file has \(columns.map(\.name).joined(separator: ", "))", file: file)
    }

    /// The same columns with the same meaning, whatever the input calls them.
    func matches(_ other: VectorLayout) -> Bool {
        dimension == other.dimension && hasGroups == other.hasGroups && hasIDs == other.hasIDs && columnNames == other.columnNames
    }
}
