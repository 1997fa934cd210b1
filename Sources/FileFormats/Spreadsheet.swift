/// The rows of one sheet of an xlsx file.
struct Spreadsheet {
    struct Row {
        var number: Int
        var cells: [String]
    }
    var rows: [Row]

    init(path: String, sheet: String?) throws {
        throw DataError(.badData, "spreadsheets are not read yet", file: path)
    }
}
