import FileFormats
import Foundation
import TestTools
import Testing

@Suite struct TableTests {
    let scratch = Scratch()

    private func rows(
        _ path: String, _ columns: CaptionColumns = CaptionColumns(), _ options: TableOptions = TableOptions()
    ) throws -> [CaptionRow] {
        let source = try CaptionSource(path: path, options: options, columns: columns)
        var rows: [CaptionRow] = []
        while true {
            let batch = try source.next(batch: 2)
            if batch.isEmpty { return rows }
            rows += batch
        }
    }

    @Test func readsTabsWithAHeader() throws {
        let path = try scratch.write("scene\tlanguage\ttext\nbeach\ten\tA \"nice\" beach, sunny\nbeach\tja\t\"浜辺\n\nkitchen\ten\tA pot")
        let source = try CaptionSource(path: path, columns: CaptionColumns(group: "scene"))
        #expect(
            source.table.format == .tsv && source.textColumn == "text" && source.otherColumns == ["language"] && source.hasGroups
                && !source.hasIDs)
        let rows = try source.next(batch: 9)
        #expect(rows.map(\.text) == ["A \"nice\" beach, sunny", "\"浜辺", "", "A pot"])
        #expect(rows.map(\.group) == ["beach", "beach", "", "kitchen"])
        #expect(rows.map(\.others) == [["en"], ["ja"], [""], ["en"]])
        #expect(rows.map(\.line) == [2, 3, 4, 5])
    }

    @Test func readsQuotedTabsOnlyWhereQuotingExplainsThem() throws {
        #expect(
            try rows(try scratch.write("id\ttext\n1\t\"two\nlines, \"\"quoted\"\"\"\n2\tplain\n")).map(\.text) == [
                "two\nlines, \"quoted\"", "plain",
            ])
        #expect(
            try rows(try scratch.write("id\ttext\n1\t\"Hello,\" she said\n2\t\"Hello\"\n")).map(\.text) == [
                "\"Hello,\" she said", "\"Hello\"",
            ])
    }

    @Test func readsCSVAsTheStandardSays() throws {
        let path = try scratch.write("id,text,freq\r\n7,\"a, \"\"b\"\"\r\nc\",1\r\n8,,2\r\n", "x.csv")
        let source = try CaptionSource(path: path)
        #expect(source.hasIDs && source.otherColumns == ["freq"])
        let rows = try source.next(batch: 9)
        #expect(rows.map(\.text) == ["a, \"b\"\r\nc", ""])
        #expect(rows.map(\.id) == ["7", "8"])
        #expect(rows.map(\.line) == [2, 4])
        let semicolons = try scratch.write("name;text\nx;a, b\ny;c, d\n", "s.csv")
        #expect(try self.rows(semicolons).map(\.text) == ["a, b", "c, d"])
    }

    @Test func tellsBrokenRows() throws {
        func error(_ text: String) throws -> DataError { try failure { _ = try rows(try scratch.write(text, "x.csv")) } }
        #expect(try error("id,text\n1,a\n2,b,c\n").line == 3)
        #expect(try error("id,text\n1,\"a\n2,b\n").line == 2)
        #expect(try error("id,text\n1,\"a\"x\n2,b\n").line == 2)
        #expect(try error("id,text\n1\n").message.contains("first row has 2"))
    }

    @Test func sentencesWithCommasAreNoTable() throws {
        let lines = ["Two young, White males", "A man, in a hat", "A dog, a cat"]
        let source = try CaptionSource(path: try scratch.write(lines.joined(separator: "\n")))
        #expect(source.table.format == .txt)
        #expect(try source.next(batch: 9).map(\.text) == lines)
    }

    @Test func findsColumnsByNameAndNumber() throws {
        let path = try scratch.write("a\tb\nx\t1\ny\t2\n")
        #expect(try rows(path, CaptionColumns(text: "b", group: "a")).map(\.text) == ["1", "2"])
        #expect(try rows(path, CaptionColumns(text: "1")).map(\.text) == ["x", "y"])
        let error = try failure { _ = try rows(path, CaptionColumns(text: "c")) }
        #expect(error.kind == .usage && error.message.contains("1 a, 2 b"), "\(error)")
        #expect(try failure { _ = try rows(path, CaptionColumns(text: "3")) }.kind == .usage)
        #expect(try failure { _ = try rows(path, CaptionColumns(text: "0")) }.kind == .usage)
        let unknown = try failure { _ = try rows(try scratch.write("foo\tbar\nbaz\tqux\n", "other")) }
        #expect(unknown.message.contains("1 (foo), 2 (bar)"), "\(unknown)")
        var options = TableOptions()
        options.hasHeader = true
        #expect(try rows(try scratch.write("foo\tbar\nbaz\tqux\n", "other"), CaptionColumns(text: "bar"), options).map(\.text) == ["qux"])
        options.hasHeader = false
        #expect(try rows(path, CaptionColumns(text: "1"), options).map(\.text) == ["a", "x", "y"])
    }

    @Test func takesGroupsFromAFile() throws {
        let path = try scratch.write("x\ny\n")
        #expect(try rows(path, CaptionColumns(groupFile: try scratch.write("1.jpg\n2.jpg\n", "g"))).map(\.group) == ["1.jpg", "2.jpg"])
        #expect(
            try failure { _ = try rows(path, CaptionColumns(groupFile: try scratch.write("1\n", "g"))) }.message.contains("only 1 lines"))
        #expect(
            try failure { _ = try rows(path, CaptionColumns(groupFile: try scratch.write("1\n2\n3\n", "g"))) }.message.contains(
                "more lines"))
    }

    @Test func readsJSONLines() throws {
        let path = try scratch.write(
            "{\"id\": 1, \"text\": \"あ\", \"n\": 0.5, \"x\": null}\n\n{\"text\": \"b\", \"id\": \"2\", \"y\": [1, {\"k\": true}]}\n")
        let source = try CaptionSource(path: path)
        #expect(source.table.format == .jsonl && source.otherColumns == ["n", "x", "y"])
        let rows = try source.next(batch: 9)
        #expect(rows.map(\.text) == ["あ", "", "b"] && rows.map(\.id) == ["1", "", "2"])
        #expect(rows[2].others == ["", "", "[1,{\"k\":true}]"] && rows[0].others == ["0.5", "", ""])
        let broken = try failure { _ = try self.rows(try scratch.write("{\"text\": \"a\"}\n{\"text\": \"b\"\n")) }
        #expect(broken.line == 2, "\(broken)")
        #expect(
            try failure { _ = try self.rows(try scratch.write("{\"text\": \"a\"}\n{\"text\": \"a\\u0000b\"}\n")) }.message.contains("NUL"))
    }

    @Test func readsArraysAndCaptionFiles() throws {
        #expect(try rows(try scratch.write("[{\"caption\": \"a\"},\n {\"caption\": \"b\"}]")).map(\.text) == ["a", "b"])
        #expect(try rows(try scratch.write("[\"a\", \"b\"]")).map(\.text) == ["a", "b"])
        let coco =
            "{\"images\": [{\"id\": 5}], \"annotations\": [{\"image_id\": 5, \"id\": 71, \"caption\": \"犬\"}, {\"image_id\": 5, \"id\": 72, \"caption\": \"白い犬\"}]}"
        for text in [coco, coco.replacingOccurrences(of: "}, ", with: "},\n")] {
            let rows = try rows(try scratch.write(text))
            #expect(rows.map(\.text) == ["犬", "白い犬"] && rows.map(\.group) == ["5", "5"] && rows.map(\.id) == ["71", "72"])
        }
        #expect(
            try failure { _ = try rows(try scratch.write("{\n\"annotations\": [{\"image_id\": 5}]}")) }.message.contains("annotation 1"))
        #expect(try failure { _ = try rows(try scratch.write("{\n\"x\": 1}")) }.message.contains("annotations"))
        #expect(try rows(try scratch.write("[laughs] hello\n{x}")).map(\.text) == ["[laughs] hello", "{x}"])
    }

    @Test(.enabled(if: SharedData.path("jglue") != nil, "needs ../shared/data")) func readsEveryPairFileAsItIs() throws {
        let expected: [(String, Int, Double?, [String])] = [
            ("jglue/jsts-train-v1.3.json", 12451, 0, ["sentence1", "sentence2", "label"]),
            ("jglue/jsts-valid-v1.3.json", 1457, 0, ["sentence1", "sentence2", "label"]),
            ("jglue/jnli-valid-v1.3.json", 2434, nil, ["sentence1", "sentence2"]),
            ("stsb/stsb-en-dev.csv", 1500, 5, ["1", "2", "3"]), ("stsb/stsb-en-train.csv", 5749, 5, ["1", "2", "3"]),
            ("stsb/stsb-ja-dev.csv", 1500, 5, ["1", "2", "3"]), ("stsb/stsb-ja-train.csv", 5749, 5, ["1", "2", "3"]),
            ("jsick/jsick-train.tsv", 4500, nil, ["sentence_A_Ja", "sentence_B_Ja", "relatedness_score_Ja"]),
            ("jwsd/score_adj.csv", 960, 6.2, ["word1", "word2", "mean"]), ("jwsd/score_adv.csv", 902, 10, ["word1", "word2", "mean"]),
            ("jwsd/score_noun.csv", 1103, 5.8, ["word1", "word2", "mean"]), ("jwsd/score_verb.csv", 1464, 1.7, ["word1", "word2", "mean"]),
        ]
        for (name, count, score, columns) in expected {
            let path = try #require(SharedData.path(name))
            let source = try SentencePairSource(path: path)
            #expect(source.columns == columns, "\(name)")
            let pairs = try source.all()
            #expect(pairs.count == count, "\(name)")
            if let score { #expect(pairs.first?.score == score, "\(name)") }
            #expect(pairs.allSatisfy { !$0.first.isEmpty && !$0.second.isEmpty }, "\(name)")
        }
        if let path = SharedData.path("stsb/stsb-en-dev.csv") {
            let pairs = try SentencePairSource(path: path, columns: ["1", "2", "3"]).all()
            #expect(pairs[0].first == "A man with a hard hat is dancing." && pairs[0].second == "A man wearing a hard hat is dancing.")
        }
        let bad = try failure {
            _ = try SentencePairSource(
                path: try scratch.write("sentence1\tsentence2\tlabel\na\tb\t1\nc\td\tx\n"), columns: ["1", "2", "3"]
            ).all()
        }
        #expect(bad.line == 3 && bad.message.contains("\"x\""))
    }
}
