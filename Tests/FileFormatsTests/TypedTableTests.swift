import FileFormats
import Foundation
import Testing

@Suite struct TypedTableTests {
    let scratch = Scratch()

    @Test func columnsHaveTypes() throws {
        let path = try scratch.write("番号\t文\t条件\t反応時間\t正答\n007\t犬が走る\t適切\t512\tTRUE\n008\t犬が泳ぐ\t不適切\tNA\tfalse\n009\t\t適切\t640.5\t\n")
        let table = try Table(path: path)
        #expect(table.rowCount == 3 && table.columnNames == ["番号", "文", "条件", "反応時間", "正答"] && table.lines == [2, 3, 4])
        #expect(table.columns.map(\.kind) == [.text, .text, .text, .number, .boolean])
        #expect(try table.column("反応時間").cells == [.number(512), .missing, .number(640.5)])
        #expect(try table.column("反応時間").optionalNumbers() == [512, nil, 640.5])
        #expect(try table.column("5").cells == [.boolean(true), .boolean(false), .missing])
        #expect(try table.column("文").cells[2] == .missing && table.column("番号").numbers() == [7, 8, 9])
        let missing = try failure { _ = try table.column("反応時間").numbers() }
        #expect(missing.line == 3 && missing.message.contains("反応時間"), "\(missing)")
        let word = try failure { _ = try table.column("文").numbers() }
        #expect(word.line == 2 && word.kind == .badData && word.message.contains("犬が走る"), "\(word)")
        let unknown = try failure { _ = try table.column("群") }
        #expect(unknown.kind == .usage && unknown.message.contains("1 番号, 2 文, 3 条件"), "\(unknown)")
        #expect(table.sha256 == SHA256.hex(of: try String(decoding: bytes(of: path), as: UTF8.self)))
    }

    @Test func factorsKeepTheOrderOfAppearance() throws {
        let factor = Factor(name: "条件", values: ["適切", "不適切", nil, "適切", ""])
        #expect(factor.levels == ["適切", "不適切"] && factor.codes == [0, 1, nil, 0, nil] && factor.counts == [2, 1])
        #expect(try factor.rows(of: "適切") == [0, 3] && factor[1] == "不適切" && factor[2] == nil)
        let error = try failure { _ = try factor.index(of: "中立") }
        #expect(error.kind == .usage && error.message.contains("適切, 不適切"), "\(error)")
    }

    @Test func wordsAreNoNumbers() throws {
        let table = try Table(path: try scratch.write("word\tn\nnan\t1\ninf\t2\n0x1F\t3\n"))
        #expect(try table.column("word").kind == .text && table.column("n").kind == .integer)
    }
}
