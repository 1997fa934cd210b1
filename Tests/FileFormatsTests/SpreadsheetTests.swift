import FileFormats
import Foundation
import TestTools
import Testing

/// All rows of a table.
func allRows(_ path: String, _ options: TableOptions = TableOptions()) throws -> (columns: [String], rows: [[String]], lines: [Int]) {
    let table = try TextTable(path: path, options: options)
    var rows: [[String]] = [], lines: [Int] = [], cells: [String] = []
    while let line = try table.next(into: &cells) {
        rows.append(cells)
        lines.append(line)
    }
    return (table.columns, rows, lines)
}

@Suite struct SpreadsheetTests {
    let scratch = Scratch()

    @Test func readsWhatPeopleSend() throws {
        let (columns, rows, lines) = try allRows(fixture("openpyxl.xlsx"))
        #expect(columns == ["id", "text", "frequency", "date", "flag"])
        #expect(
            rows == [
                ["1", "白い犬が走る。", "0.3", "2024-02-29", "TRUE"],
                ["2", "two\nlines & <tags>", "12345678.5", "2001-12-31 23:59:59", "FALSE"],
                ["", "", "", "", ""],
                ["4", " spaces ", "-3", "09:30:00", ""],
            ])
        #expect(lines == [2, 3, 4, 5])
        let source = try CaptionSource(path: fixture("openpyxl.xlsx"))
        #expect(source.textColumn == "text" && source.hasIDs && source.otherColumns == ["frequency", "date", "flag"])
    }

    @Test func leavesFuriganaOut() throws {
        let (_, rows, lines) = try allRows(fixture("furigana.xlsx"))
        #expect(rows == [["東京へ行く"], ["赤い 花"], [""], ["中に"], ["line\rend _x000D_"]])
        #expect(lines == [1, 2, 3, 4, 5])
    }

    @Test func findsSheets() throws {
        var options = TableOptions()
        options.sheet = "3"
        #expect(try allRows(fixture("openpyxl.xlsx"), options).rows.count == 5)
        options.sheet = "hidden"
        #expect(try allRows(fixture("openpyxl.xlsx"), options).rows == [["no"]])
        options.sheet = "None"
        let error = try failure { _ = try allRows(fixture("openpyxl.xlsx"), options) }
        #expect(error.kind == .usage && error.message.contains("1 hidden, 2 文, 3 third"), "\(error)")
    }

    @Test func writesWhatItReads() throws {
        let path = scratch.path("out.xlsx")
        func write() throws {
            let writer = try SpreadsheetWriter(path: path, columns: ["text", "cosine", "row"])
            try writer.write([.text("犬 & \"猫\" _x0041_"), .number(0.9871234567890123), .integer(1)])
            try writer.write([.text(""), .missing, .integer(2)])
            try writer.write([.text("a\nb"), .number(.nan), .number(3)])
            try writer.finish(parameters: [("model", .text("mini")), ("seed", .number(7))])
        }
        try write()
        let (columns, rows, _) = try allRows(path)
        #expect(columns == ["text", "cosine", "row"])
        #expect(rows == [["犬 & \"猫\" _x0041_", "0.987123456789012", "1"], ["", "", "2"], ["a\nb", "NaN", "3"]])
        var options = TableOptions()
        options.sheet = "parameters"
        options.hasHeader = false
        #expect(try allRows(path, options).rows == [["model", "mini"], ["seed", "7"]])
        let first = try bytes(of: path)
        Thread.sleep(forTimeInterval: 2.1)
        try write()
        #expect(try bytes(of: path) == first)
        #expect(scratch.contents == ["out.xlsx"])
    }

    @Test func writesNothingOnFailure() throws {
        do {
            let writer = try SpreadsheetWriter(path: scratch.path("out.xlsx"), columns: ["a"])
            let error = try failure { try writer.write([.text(String(repeating: "x", count: 32_768))]) }
            #expect(error.message.contains("CSV"))
        }
        #expect(scratch.contents == [])
        #expect(try failure { _ = try SpreadsheetWriter(path: scratch.path("no/out.xlsx"), columns: []) }.kind == .cannotCreate)
    }

    @Test(.enabled(if: TestTool.python3.isExpected, "needs python3 to make a zip bomb")) func refusesWhatUnpacksToTooMuch() throws {
        let path = scratch.path("bomb.xlsx")
        let script = """
            import sys, zipfile
            source = zipfile.ZipFile(sys.argv[1])
            with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as target:
                for name in source.namelist():
                    data = source.read(name)
                    if name.endswith("sheet1.xml"): data = data.replace(b"</sheetData>", b"<row/>" * 15_000_000 + b"</sheetData>")
                    target.writestr(name, data)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestTool.python3.required())
        process.arguments = ["-c", script, fixture("furigana.xlsx"), path]
        try process.run()
        process.waitUntilExit()
        #expect(try failure { _ = try allRows(path) }.kind == .badData)
    }

    @Test func refusesOtherZipsAndOffice() throws {
        let path = try scratch.write([0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 100))
        #expect(try failure { _ = try allRows(path) }.kind == .badData)
        let old = try scratch.write([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1])
        #expect(try failure { _ = try allRows(old) }.message.contains("xlsx"))
    }
}

@Suite struct WriterTests {
    let scratch = Scratch()

    private func write(
        _ name: String, _ columns: [TableColumn], _ rows: [[Cell]], _ options: TableWriterOptions = TableWriterOptions()
    ) throws -> String {
        let writer = try TableWriter(path: scratch.path(name), columns: columns, options: options)
        for row in rows { try writer.write(row) }
        try writer.finish()
        return try String(decoding: bytes(of: scratch.path(name)), as: UTF8.self)
    }

    @Test func csvReadsBack() throws {
        let rows = [["a, \"b\"\nc", ""], ["", ""], [" x ", "あ;\r\n"], ["\t", "1"]]
        var options = TableWriterOptions()
        options.hasByteOrderMark = true
        _ = try write("x.csv", [.carried("text"), .carried("group")], rows.map { $0.map(Cell.text) }, options)
        #expect(try bytes(of: scratch.path("x.csv")).prefix(3) == [0xEF, 0xBB, 0xBF])
        let (columns, read, _) = try allRows(scratch.path("x.csv"))
        #expect(columns == ["text", "group"] && read == rows)
    }

    @Test func everyFormatHasTypedCells() throws {
        let columns: [TableColumn] = [TableColumn("cosine", decimals: 3), "row", "x", "hit", .carried("番号"), .carried("点"), .carried("点")]
        let rows: [[Cell]] = [
            [.number(0.98765), .integer(7), .number(0.1), .boolean(true), .text("007"), .text("0.50"), .text("a\tb\nc")],
            [.missing, .integer(8), .number(.nan), .boolean(false), .text("12"), .text(""), .text("-1E5")],
        ]
        #expect(
            try write("t.tsv", columns, rows)
                == "cosine\trow\tx\thit\t番号\t点\t点_2\n0.988\t7\t0.1\tTRUE\t007\t0.50\ta b c\n\t8\tNaN\tFALSE\t12\t\t-1E5\n")
        #expect(
            try write("t.jsonl", columns, rows) == """
                {"cosine":0.98765,"row":7,"x":0.1,"hit":true,"番号":"007","点":0.5,"点_2":"a\\tb\\nc"}
                {"cosine":null,"row":8,"x":null,"hit":false,"番号":12,"点":null,"点_2":"-1E5"}

                """)
        #expect(try JSON(parsing: try write("t.json", columns, rows)).array?.count == 2)
        #expect(try JSON(parsing: try write("none.json", columns, [])).array?.isEmpty == true)
        _ = try write("t.xlsx", columns, rows)
        let read = try Table(path: scratch.path("t.xlsx"))
        #expect(read.columnNames == ["cosine", "row", "x", "hit", "番号", "点", "点_2"])
        #expect(try read.column("cosine").cells == [.number(0.98765), .missing] && read.column("番号").texts == ["007", "12"])
        #expect(try read.column("hit").cells == [.boolean(true), .boolean(false)] && read.column("点").optionalNumbers() == [0.5, nil])
        #expect(try failure { _ = try TableWriter(path: scratch.path("t.doc"), columns: columns) }.kind == .usage)
        #expect(
            try failure { _ = try TableWriter(path: scratch.path("t"), columns: columns) }.message.contains(
                ".tsv, .csv, .xlsx, .jsonl or .json"))
    }

    @Test func formulasAreDefused() throws {
        var options = TableWriterOptions()
        options.isSafeCSV = true
        let rows: [[Cell]] = [
            [.text("=cmd|' /C calc'!A0"), .number(-0.5)], [.text("@x"), .text("-3")], [.text("+81 3"), .text("-a")],
            [.text("＝1"), .missing],
        ]
        #expect(
            try write("s.csv", [.carried("a"), .carried("b")], rows, options) == "a,b\n'=cmd|' /C calc'!A0,-0.5\n'@x,-3\n'+81 3,'-a\n'＝1,\n"
        )
        #expect(try write("p.csv", [.carried("a"), .carried("b")], rows).contains("\n=cmd"))
    }

    @Test func projectorLinesAreNeverBlank() throws {
        let path = scratch.path("x.tsv")
        let writer = try ProjectorWriter(path: path)
        for row in [["a\tb\nc"], [""], [" "], ["d"]] { try writer.write(row) }
        try writer.finish()
        #expect(try String(decoding: bytes(of: path), as: UTF8.self) == "a b c\n-\n-\nd\n")
    }

    @Test func wordVectorsHaveKeysWithoutSpaces() throws {
        let path = scratch.path("x.vec")
        let writer = try WordVectorWriter(path: path, count: 2, dimension: 2)
        try writer.write("a b\u{3000}c", [0.1, -1])
        try writer.write("", [1e-7, 2])
        try writer.finish()
        #expect(try String(decoding: bytes(of: path), as: UTF8.self) == "2 2\na_b_c 0.1 -1.0\n2 1e-07 2.0\n")
    }

    @Test func readsNumPyArrays() throws {
        let expected = (0..<24).map { Float($0) / 8 - 1.25 }
        for name in ["f4.npy", "f8-fortran.npy", "f2.npy", "v2.npy"] {
            let file = try NPYFile(path: fixture(name))
            #expect(file.shape == [2, 3, 4], "\(name)")
            #expect(try file.floats() == expected, "\(name)")
        }
        let path = scratch.path("w.npy")
        let writer = try NPYWriter(path: path, shape: [2, 3, 4])
        try writer.append(Array(expected[..<10]))
        try writer.append(Array(expected[10...]))
        try writer.finish()
        #expect(try bytes(of: path) == bytes(of: fixture("f4.npy")))
    }

    @Test func refusesOtherArrays() throws {
        func npy(_ header: String, data: Int = 8) throws -> String {
            try scratch.write(
                [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + [UInt8](repeating: 0, count: data)
            )
        }
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
        #expect(try NPYFile(path: try npy(good)).count == 2)
        for (header, data) in [
            (good, 7), (good, 9), ("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", 8),
            ("{'descr': '<f4', 'fortran_order': False}", 8),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 8),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 8), ("", 8), ("{", 8),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8),
        ] {
            #expect(try failure { _ = try NPYFile(path: try npy(header, data: data)) }.kind == .badData, "\(header)")
        }
    }
}
