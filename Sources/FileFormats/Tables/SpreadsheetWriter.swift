import CXlsxWriter
import Glibc

/// Writes an xlsx file with the sheets `data` (names of the columns, then rows) and `parameters` (how it was made), row by row in
/// constant memory. The file appears when `finish` returns; equal contents give equal bytes.
package final class SpreadsheetWriter {
    package let path: String
    /// Rows written so far, without the header.
    package private(set) var count = 0

    private let replacement: FileReplacement
    private let workbook: UnsafeMutablePointer<lxw_workbook>
    private let data: UnsafeMutablePointer<lxw_worksheet>
    private let parameters: UnsafeMutablePointer<lxw_worksheet>
    private let bold: UnsafeMutablePointer<lxw_format>?
    private let formats: [UnsafeMutablePointer<lxw_format>?]
    private var isOpen = true

    /// UTF-16 units that a cell may hold.
    private static let maximumText = 32_767

    /// - Throws: `DataError` if the file cannot be created or a column has no room.
    package init(path: String, columns: [TableColumn]) throws {
        self.path = path
        guard columns.count <= Spreadsheet.maximumColumns else {
            throw DataError(
                .cannotCreate,
                "a sheet can have at most \(Spreadsheet.maximumColumns) columns, not "
                    + "\(columns.count)", file: path)
        }
        replacement = try FileReplacement(path: path)
        var options = lxw_workbook_options()
        options.constant_memory = 1
        guard let workbook = workbook_new_opt(replacement.temporary, &options), let data = workbook_add_worksheet(workbook, "data"),
            let parameters = workbook_add_worksheet(workbook, "parameters")
        else { throw DataError(.cannotCreate, "the spreadsheet could not be created", file: path) }
        (self.workbook, self.data, self.parameters) = (workbook, data, parameters)
        bold = workbook_add_format(workbook)
        if let bold { format_set_bold(bold) }
        // A fixed date of making: the time of day would make equal results differ.
        var properties = lxw_doc_properties()
        properties.created = 946_684_800
        workbook_set_properties(workbook, &properties)
        // Numbers are kept whole and shown with as many decimals as asked for.
        formats = columns.map { column in
            guard let decimals = column.decimals, let format = workbook_add_format(workbook) else { return nil }
            format_set_num_format(format, decimals > 0 ? "0." + String(repeating: "0", count: min(decimals, 30)) : "0")
            return format
        }
        for (column, head) in columns.enumerated() { try put(.text(head.name), row: 0, column: column, on: data, format: bold) }
        worksheet_freeze_panes(data, 1, 0)
    }

    deinit { if isOpen { _ = close() } }

    /// Adds a row to the sheet `data`.
    /// - Throws: `DataError` if the sheet is full (1,048,576 rows) or a text is too long for a cell (32,767 characters).
    package func write(_ cells: [Cell]) throws {
        precondition(isOpen, "SpreadsheetWriter is finished")
        guard count + 1 < Spreadsheet.maximumRows, cells.count <= Spreadsheet.maximumColumns else {
            throw DataError(.cannotCreate, "a sheet can have at most \(Spreadsheet.maximumRows) rows; write CSV instead", file: path)
        }
        count += 1
        for (column, cell) in cells.enumerated() {
            try put(cell, row: count, column: column, on: data, format: column < formats.count ? formats[column] : nil)
        }
    }

    /// Writes the parameters, a name and one value per row, and puts the file in its place.
    package func finish(parameters list: [(name: String, value: Cell)]) throws {
        precondition(isOpen, "SpreadsheetWriter is finished")
        for (row, parameter) in list.enumerated() {
            try put(.text(parameter.name), row: row, column: 0, on: parameters, format: bold)
            try put(parameter.value, row: row, column: 1, on: parameters, format: nil)
        }
        let status = close()
        guard status == LXW_NO_ERROR else { throw failure(status) }
        try replacement.commit()
    }

    private func close() -> lxw_error {
        isOpen = false
        return StandardStreams.withSilencedErrors { workbook_close(workbook) }
    }

    private func put(
        _ cell: Cell, row: Int, column: Int, on sheet: UnsafeMutablePointer<lxw_worksheet>, format: UnsafeMutablePointer<lxw_format>?
    ) throws {
        let status: lxw_error
        switch cell {
        case .missing: return
        // A spreadsheet knows no NaN and no infinity.
        case .number(let number) where !number.isFinite:
            return try put(.text(cell.plainText), row: row, column: column, on: sheet, format: format)
        case .number(let number): status = worksheet_write_number(sheet, lxw_row_t(row), lxw_col_t(column), number, format)
        // Fifteen digits are all that a spreadsheet keeps of a number.
        case .integer(let number) where abs(Double(number)) >= 1e15:
            return try put(.text(String(number)), row: row, column: column, on: sheet, format: format)
        case .integer(let number): status = worksheet_write_number(sheet, lxw_row_t(row), lxw_col_t(column), Double(number), nil)
        case .boolean(let value): status = worksheet_write_boolean(sheet, lxw_row_t(row), lxw_col_t(column), value ? 1 : 0, nil)
        case .text(let text):
            if text.isEmpty { return }
            guard text.utf16.count <= Self.maximumText else {
                throw DataError(
                    .cannotCreate,
                    "a text of \(text.utf16.count) characters does not fit in a cell (at most "
                        + "\(Self.maximumText)); write CSV instead", file: path, line: row + 1)
            }
            status = worksheet_write_string(sheet, lxw_row_t(row), lxw_col_t(column), RichText.escaped(text), format)
        }
        guard status == LXW_NO_ERROR else { throw failure(status) }
    }

    private func failure(_ status: lxw_error) -> DataError {
        let reason = lxw_strerror(status).map { String(cString: $0) } ?? "error \(status.rawValue)"
        return errno == ENOSPC
            ? SystemError.cannotWrite(path, ENOSPC) : DataError(.inputOutput, "writing the spreadsheet failed: \(reason)", file: path)
    }
}
