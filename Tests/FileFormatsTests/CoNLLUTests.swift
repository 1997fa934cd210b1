import FileFormats
import Foundation
import TestTools
import Testing

@Suite struct CoNLLUTests {
    let scratch = Scratch()

    private func sentence(_ heads: [String], id: String = "s1") -> String {
        "# sent_id = \(id)\n# text = x\n"
            + heads.enumerated().map { "\($0 + 1)\tw\($0 + 1)\t_\tNOUN\tNN\t_\t\($1)\t_\t_\t_" }.joined(separator: "\n") + "\n\n"
    }

    @Test func readsTokensNodesAndRemarks() throws {
        let text = """
            # newdoc
            # sent_id = a-1
            # text = Zum Haus.
            1-2\tZum\t_\t_\t_\t_\t_\t_\t_\t_
            1\tzu\tzu\tADP\tAPPR\t_\t3\tcase\t_\t_
            2\tdem\tder\tDET\tART\tCase=Dat|Number=Sing\t3\tdet\t_\t_
            3\tHaus\tHaus\tNOUN\tNN\t_\t0\troot\t_\tSpaceAfter=No|BunsetuBILabel=B
            3.1\tgeht\tgehen\tVERB\t_\t_\t_\t_\t0:root\t_
            4\t.\t.\tPUNCT\t$.\t_\t3\tpunct\t_\t_


            # a comment alone

            1\tx\t_\t_\t_\t_\t0\t_\t_\t_
            """
        let sentences = try CoNLLUReader.read(try scratch.write(text))
        #expect(sentences.count == 2)
        let first = sentences[0]
        #expect(first.id == "a-1" && first.text == "Zum Haus." && first.comments.count == 3 && first.line == 1)
        #expect(first.words.map(\.head) == [3, 3, 0, 3] && first.words.map(\.line) == [5, 6, 7, 9])
        #expect(first.multiwordTokens.map(\.words) == [1...2] && first.emptyNodes.map(\.after) == [3])
        #expect(first.words[1].feature("Case") == "Dat" && first.words[1].feature("Gender") == nil)
        #expect(first.words[2].remark("BunsetuBILabel") == "B" && !first.words[2].hasSpaceAfter)
        #expect(first.writtenForm == "Zum Haus.")
        #expect(sentences[1].id == nil && sentences[1].words.count == 1)
    }

    @Test(arguments: [
        (["2", "0", "0"], 5, "words 2 and 3 are roots"), (["2", "1"], 1, "no word is the root"), (["2", "3", "1", "0"], 3, "cycle"),
        (["0", "7"], 4, "is 7, but there are 2"),
        (["0", "_"], 4, "has no head"), (["0", "-1"], 4, "is -1"), (["0", "2"], 4, "cycle"),
    ])
    func refusesWhatIsNoTree(heads: [String], line: Int, message: String) throws {
        let path = try scratch.write(sentence(["0"], id: "good") + sentence(heads, id: "bad"))
        let error = try failure { _ = try CoNLLUReader.read(path) }
        #expect(error.line == line + 4 && error.message.contains("sentence bad") && error.message.contains(message), "\(error)")
        #expect(try CoNLLUReader.read(path, requiresTree: false).count == 2)
    }

    @Test(arguments: [
        "1\tx\t_\t_\n", "2\tx\t_\t_\t_\t_\t0\t_\t_\t_\n", "1\t\t_\t_\t_\t_\t0\t_\t_\t_\n",
        "1-9\tx\t_\t_\t_\t_\t_\t_\t_\t_\n1\tx\t_\t_\t_\t_\t0\t_\t_\t_\n",
        "x\tx\t_\t_\t_\t_\t0\t_\t_\t_\n", "0.x\tx\t_\t_\t_\t_\t0\t_\t_\t_\n", "99999999999999999999\tx\t_\t_\t_\t_\t0\t_\t_\t_\n",
    ])
    func refusesWhatIsNotTheFormat(text: String) throws {
        let error = try failure { _ = try CoNLLUReader.read(try scratch.write(text)) }
        #expect(error.kind == .badData && error.line == 1)
    }

    @Test(.enabled(if: SharedData.path("ud") != nil, "needs ../shared/data/ud")) func readsTheTreebanks() throws {
        for (name, count) in [
            ("en_ewt-ud-dev", 2001), ("en_ewt-ud-test", 2077), ("en_ewt-ud-train", 12544), ("ja_gsd-ud-dev", 507), ("ja_gsd-ud-test", 543),
        ] {
            let path = try #require(SharedData.path("ud/\(name).conllu"))
            let sentences = try CoNLLUReader.read(path)
            #expect(sentences.count == count, "\(name)")
            #expect(sentences.allSatisfy { $0.id != nil && $0.text != nil })
            let differing = sentences.filter { $0.writtenForm != $0.text }
            #expect(
                differing.count * 100 <= sentences.count,
                "\(name): \(differing.count) \(differing.first?.writtenForm ?? "") | \(differing.first?.text ?? "")")
        }
    }
}
