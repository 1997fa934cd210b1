import FileFormats
import Foundation
import Testing

@Suite struct TextTests {
    let scratch = Scratch()

    private func texts(_ path: String, _ options: TableOptions = TableOptions()) throws -> [String] {
        let source = try CaptionSource(path: path, options: options)
        var rows: [CaptionRow] = []
        while true {
            let batch = try source.next(batch: 3)
            if batch.isEmpty { return rows.map(\.text) }
            rows += batch
        }
    }

    @Test func onlyLineFeedsEndLines() throws {
        #expect(
            try texts(try scratch.write("a\r\nb\u{2028}c\n\n \r\nd\re\u{85}\u{0B}f")) == ["a", "b\u{2028}c", "", " ", "d\re\u{85}\u{0B}f"])
        #expect(try texts(try scratch.write("")) == [])
        #expect(try texts(try scratch.write("\n")) == [""])
        #expect(try texts(try scratch.write("a")) == ["a"])
        #expect(try texts(try scratch.write("\u{FEFF}a\n")) == ["a"])
    }

    @Test func readsAwkwardLines() throws {
        let awkward = ["", "   ", "👩‍👩‍👧‍👦 family", "ﾊﾝｶｸ", "か\u{3099}", String(repeating: "長い ", count: 33_400), "x\u{2028}y"]
        #expect(try texts(try scratch.write(awkward.joined(separator: "\n"))).map { Array($0.utf8) } == awkward.map { Array($0.utf8) })
        // Lines across the blocks in which files are read.
        let many = (0..<60_000).map { "line \($0) " + String(repeating: "あ", count: $0 % 37) }
        #expect(try texts(try scratch.write(many.joined(separator: "\r\n") + "\r\n")) == many)
        let long = [String(repeating: "か", count: 1_200_000), "x"]
        #expect(try texts(try scratch.write(long.joined(separator: "\n"))) == long)
    }

    @Test func refusesNULWithItsLine() throws {
        let error = try failure { _ = try texts(try scratch.write("a\nb\u{0}c\n")) }
        #expect(error.line == 2 && error.message.contains("NUL"))
    }

    private let japanese = "白い犬が雪の中を走っている。\nテーブルの上に①個のりんごと㈱が置いてある、髙い～\n表示"

    /// The text in another encoding, by the system's own program.
    private func encoded(_ text: String, _ encoding: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/iconv")
        process.arguments = ["-f", "UTF-8", "-t", encoding, "-o", scratch.path(encoding), try scratch.write(text, "plain")]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(encoding)")
        return scratch.path(encoding)
    }

    @Test(arguments: [("cp932", "CP932"), ("euc-jp", "EUC-JP-MS")])
    func readsJapaneseOfOtherMachinesWithoutAWord(name: String, iconv: String) throws {
        let text = "白い犬が雪の中を走っている。\nテーブルの上にりんごが置いてある、高い\nABC表示"
        let path = try encoded(text, iconv)
        let source = try CaptionSource(path: path)
        #expect(source.table.encoding?.rawValue == name && source.table.encodingIsGuess)
        #expect(try source.next(batch: 9).map(\.text) == text.split(separator: "\n").map(String.init))
    }

    @Test func readsEveryNamedEncoding() throws {
        for (name, iconv) in [
            ("utf-8", "UTF-8"), ("utf-16", "UTF-16LE"), ("utf-16be", "UTF-16BE"), ("cp932", "CP932"), ("euc-jp", "EUC-JP-MS"),
            ("Shift_JIS", "CP932"), ("utf-32", "UTF-32LE"),
        ] {
            let path = try encoded(japanese, iconv)
            var options = TableOptions()
            options.encoding = TextEncoding(name: name)
            #expect(options.encoding != nil)
            #expect(try texts(path, options) == japanese.split(separator: "\n").map(String.init), "\(name)")
            if name == "utf-16" {
                let marked = try scratch.write([0xFF, 0xFE] + (try bytes(of: path)), "marked")
                #expect(try texts(marked) == japanese.split(separator: "\n").map(String.init))
                let error = try failure { _ = try texts(path) }
                #expect(error.message.contains("utf-16"), "\(error)")
            }
        }
        let mail: [UInt8] = Array("\u{1B}$B".utf8) + [0x46, 0x7C, 0x4B, 0x5C, 0x38, 0x6C] + Array("\u{1B}(B\nabc".utf8)
        let source = try CaptionSource(path: try scratch.write(mail))
        #expect(source.table.encoding == .iso2022JP)
        #expect(try source.next(batch: 9).map(\.text) == ["日本語", "abc"])
    }

    @Test func namesTheLineAndTheEncodingOfInvalidText() throws {
        // Latin-1: e with acute, which is neither UTF-8 nor Japanese.
        let latin: [UInt8] = Array("one\ntwo\ncaf".utf8) + [0xE9] + Array(" au lait\nna".utf8) + [0xEF] + Array("ve\n".utf8)
        let path = try scratch.write(latin)
        let error = try failure { _ = try texts(path) }
        #expect(error.line == 3 && error.kind == .badData && error.message.contains("latin-1"), "\(error)")
        var options = TableOptions()
        options.isLossy = true
        #expect(try texts(path, options) == ["one", "two", "caf\u{FFFD} au lait", "na\u{FFFD}ve"])
        options.isLossy = false
        options.encoding = .latin1
        #expect(try texts(path, options) == ["one", "two", "café au lait", "naïve"])
        options.encoding = .utf8
        #expect(try failure { _ = try texts(path, options) }.line == 3)
        options.encoding = .cp932
        let wrong = try scratch.write(Array("ok\n".utf8) + [0x81, 0x20] + Array("\n".utf8))
        #expect(try failure { _ = try texts(wrong, options) }.line == 2)
        options.isLossy = true
        #expect(try texts(wrong, options).first == "ok")
        // A character that the file's end cuts off.
        #expect(try failure { _ = try texts(try scratch.write(Array("a\nb".utf8) + [0xE3, 0x81])) }.line == 2)
    }

    @Test func reportsMissingInput() throws {
        #expect(try failure { _ = try texts(scratch.path("none.txt")) }.kind == .noInput)
        #expect(try failure { _ = try texts(scratch.folder) }.kind == .noInput)
    }

    @Test func streamsAMillionLinesInASecond() throws {
        var text: [UInt8] = []
        for index in 0..<1_000_000 { text.append(contentsOf: "Two young men are standing outside near many bushes \(index).\n".utf8) }
        let path = try scratch.write(text)
        let clock = ContinuousClock()
        let time = try clock.measure {
            let source = try CaptionSource(path: path)
            var count = 0
            while true {
                let batch = try source.next(batch: 10_000)
                if batch.isEmpty { break }
                count += batch.count
            }
            #expect(count == 1_000_000)
        }
        print("1,000,000 lines in \(time)")
        // A second on an idle machine; this one may be busy.
        #expect(time < .seconds(15))
    }
}
