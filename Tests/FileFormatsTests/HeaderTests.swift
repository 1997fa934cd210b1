import FileFormats
import Foundation
import Synchronization
import Testing

/// What a reader said while it opened a table.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func options(_ change: (inout TableOptions) -> Void = { _ in }) -> TableOptions {
        var options = TableOptions()
        options.note = { line in self.lines.withLock { $0.append(line) } }
        change(&options)
        return options
    }
}

@Suite struct HeaderTests {
    let scratch = Scratch()

    private func judge(_ text: String, wanted: [String] = [], name: String = "t.tsv") throws -> (isHeader: Bool, notes: [String]) {
        let notes = Notes()
        let table = try TextTable(path: try scratch.write(text, name), options: notes.options(), wanted: wanted)
        return (table.hasHeader, notes.all)
    }

    @Test func knownNamesAreAHeader() throws {
        for head in [
            "ja\ten", "upper\tlower", "sentence1\tsentence2", "番号\t文\t条件", "source\ttarget", "上の句\t下の句", "Text\tLabel",
            "scene\tlanguage\ttext", "ID\tWord",
        ] {
            let width = head.split(separator: "\t").count
            let rows = ["犬が走る", "猫が鳴く", "A dog runs"].map { text in (0..<width).map { "\(text) \($0)" }.joined(separator: "\t") }
            let (isHeader, notes) = try judge(([head] + rows).joined(separator: "\n") + "\n")
            #expect(isHeader && notes.isEmpty, "\(head): \(notes)")
        }
    }

    @Test func wantedNamesAreAHeader() throws {
        #expect(try judge("left\tright\ndog\tcat\n", wanted: ["right"]) == (true, []))
        #expect(try judge("left\tright\ndog\tcat\n", wanted: ["2"]).isHeader == false)
    }

    @Test func dataStaysData() throws {
        // A language that comes again, a word list whose first words happen to be names, numbers, one row alone.
        #expect(try judge("ja\t犬が走る\nja\t猫が鳴く\nen\tA dog runs\n") == (false, []))
        #expect(try judge("date\tday\ncat\tdog\nhouse\thome\n").isHeader == false)
        #expect(try judge("犬\t3\n猫\t4\n") == (false, []))
        #expect(try judge("text\tlabel\n").isHeader == false)
        #expect(try judge("two dogs\tdogs play\na cat\tcats\n") == (false, []))
        #expect(try judge("A dog.\nA cat.\n", name: "t.txt") == (false, []))
    }

    @Test func whatMightBeTheOtherThingIsSaid() throws {
        // Unknown names above sentences: data, with a warning.
        let (isHeader, warnings) = try judge(
            "erster\tzweiter\nDer Hund läuft durch den Schnee\tEin Hund rennt im Schnee\nDie Katze schläft im Haus\tEine Katze schläft drinnen\n"
        )
        #expect(
            !isHeader && warnings.count == 1 && warnings[0].contains("erster, zweiter") && warnings[0].contains("`header`"), "\(warnings)")
        // One known word beside an unknown one: read as names, never in silence.
        let (isTaken, notes) = try judge("caption\tmood\nA dog runs\thappy\nA cat sleeps\tcalm\n")
        #expect(isTaken && notes.count == 1 && notes[0].contains("`no-header`"), "\(notes)")
        // A word above numbers.
        let (isName, said) = try judge("a\tb\nx\t1\ny\t2\n")
        #expect(isName && said.count == 1, "\(said)")
        // A single column of text.
        #expect(try judge("文\n太陽が水平線に沈みかけている\n夕焼けの海岸を歩く\n", name: "t.txt").isHeader)
        #expect(try judge("text\nmean\nword\n", name: "t.txt").isHeader == false)
    }

    @Test func headerRowsAreChosen() throws {
        let title = try scratch.write("Pilot study, 2026\nid\ttext\n1\tA dog\n2\tA cat\n", "title.tsv")
        let options = Notes().options { $0.headerRows = 2...2 }
        let table = try Table(path: title, options: options)
        #expect(table.columnNames == ["id", "text"] && table.rowCount == 2 && table.lines == [3, 4])
        let two = try scratch.write(",rating,,note\nid,before,after,\n1,4,5,x\n", "two.csv")
        let joined = try Table(path: two, options: Notes().options { $0.headerRows = 1...2 })
        #expect(joined.columnNames == ["id", "rating before", "rating after", "note"] && joined.texts(row: 0) == ["1", "4", "5", "x"])
        let beyond = try failure { _ = try Table(path: two, options: Notes().options { $0.headerRows = 9...9 }) }
        #expect(beyond.kind == .usage && beyond.message.contains("9"), "\(beyond)")
    }

    @Test func spreadsheetsTellTheirTraps() throws {
        let notes = Notes()
        let table = try Table(path: fixture("traps.xlsx"), options: notes.options { $0.headerRows = 1...2 })
        #expect(table.columnNames == ["番号", "文", "容認度 前", "容認度 後"])
        #expect(try table.column("容認度 前").numbers() == [4, 2, 5] && table.column("容認度 後").texts == ["", "", "#N/A"])
        #expect(notes.all.contains { $0.contains("2 formulas have no stored result") && $0.contains("D3") }, "\(notes.all)")
        #expect(
            notes.all.contains { $0.contains("予備調査") && $0.contains("`sheet`") }
                && notes.all.contains { $0.contains("1 cell has an error") && $0.contains("D5") }, "\(notes.all)")
        let plain = Notes()
        _ = try Table(path: fixture("traps.xlsx"), options: plain.options())
        #expect(plain.all.contains { $0.contains("`header-row` 1-2") }, "\(plain.all)")
        let second = try Table(path: fixture("traps.xlsx"), options: Notes().options { ($0.sheet, $0.headerRows) = ("予備調査", 2...2) })
        #expect(second.columnNames == ["番号", "文"] && second.rowCount == 1)
        #expect(try Spreadsheet.sheets(path: fixture("traps.xlsx")).map(\.name) == ["実験", "予備調査"])
    }

    @Test func treebanksAreNoTables() throws {
        let bank =
            "# sent_id = 1\n# text = Dogs run\n1\tDogs\tdog\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n2\trun\trun\tVERB\tVBP\t_\t0\troot\t_\t_\n\n"
        for name in ["t.conllu", "t.txt"] {
            let error = try failure { _ = try CaptionSource(path: try scratch.write(bank, name)) }
            #expect(error.kind == .usage && error.message.contains("embed \(name) `tokens`"), "\(error)")
        }
    }
}

@Suite struct PipeTests {
    let scratch = Scratch()

    /// Writes bytes into a pipe as slowly as a program does, in pieces.
    private func pipe(_ bytes: [UInt8], pieces: Int = 4096) throws -> String {
        let path = scratch.path("pipe-\(UUID().uuidString)")
        guard mkfifo(path, 0o600) == 0 else { throw DataError(.cannotCreate, "no pipe", file: path) }
        Thread.detachNewThread {
            guard let file = FileHandle(forWritingAtPath: path) else { return }
            var start = 0
            while start < bytes.count {
                let end = min(start + pieces, bytes.count)
                guard (try? file.write(contentsOf: bytes[start..<end])) != nil else { return }
                start = end
            }
            try? file.close()
        }
        return path
    }

    @Test func everyRowOfAPipeArrives() throws {
        let text = "id\ttext\n" + (1...50_000).map { "\($0)\t二匹の犬が雪の中を走る \($0)" }.joined(separator: "\n") + "\n"
        let table = try Table(path: try pipe(Array(text.utf8)))
        #expect(table.rowCount == 50_000 && table.lines.last == 50_001)
        #expect(table.sha256 == SHA256.hex(of: text), "the hash is that of the bytes that were read")
    }

    @Test func spreadsheetsComeThroughPipes() throws {
        let bytes = try bytes(of: fixture("openpyxl.xlsx"))
        let table = try Table(path: try pipe(bytes, pieces: 100))
        #expect(table.columnNames == ["id", "text", "frequency", "date", "flag"] && table.rowCount == 4)
        #expect(try table.sha256 == SHA256.hex(ofFile: fixture("openpyxl.xlsx")))
    }

    @Test func otherEncodingsComeThroughPipes() throws {
        let lines = (0..<3000).map { "日本語の文 \($0)" }
        let encoded = try #require(lines.joined(separator: "\r\n").data(using: .shiftJIS))
        let table = try Table(path: try pipe([UInt8](encoded)))
        #expect(table.rowCount == 3000 && table.texts(row: 2999) == ["日本語の文 2999"])
    }

    @Test func theFileThatWasOpenedIsTheOneThatIsRead() throws {
        let path = try scratch.write((0..<400_000).map { "line \($0)" }.joined(separator: "\n"), "a.txt")
        let hash = try SHA256.hex(ofFile: path)
        let table = try TextTable(path: path)
        // Another file takes the name while the first one is being read.
        try FileManager.default.removeItem(atPath: path)
        _ = try scratch.write("something else\n", "a.txt")
        var cells: [String] = [], rows = 0
        while try table.next(into: &cells) != nil { rows += 1 }
        #expect(rows == 400_000)
        #expect(try table.sha256() == hash)
    }
}
