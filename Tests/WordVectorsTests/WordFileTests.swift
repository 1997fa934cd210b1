import FileFormats
import Foundation
import Tensors
import Testing
import VectorStore

@testable import WordVectors

@Suite struct WordFileTests {
    let scratch = Scratch()

    private func table() -> WordTable {
        var words = WordList()
        for word in ["the", "犬", "naïve", "zebra"] { words.insert(word) }
        return WordTable(
            name: "t", words: words, counts: [90, 40, 7, 2],
            vectors: Tensor([0.1, -2.5e-8, 3, 1, 1.0000001, -7, 0, 0, 0.25, 123456.79, -1e30, 5], shape: [4, 3]))
    }

    @Test func textBinaryAndModelGiveBackWhatWasWritten() throws {
        let table = table()
        for format in WordFile.Format.allCases {
            let path = scratch.path(format.rawValue)
            try WordFile.write(table, to: path, as: format)
            let back = try WordFile.read(path)
            #expect(back.words.strings == table.words.strings)
            #expect(back.vectors.elements == table.vectors.elements, "\(format)")
            #expect(back.remarks.sentences.isEmpty)
            #expect((format == .fastText ? table.counts : nil) == back.counts)
            let two = try WordFile.read(path, limit: 2)
            #expect(two.words.strings == ["the", "犬"] && two.vectors.elements == Array(table.vectors.elements[..<6]))
            #expect(two.remarks.leftOut == 2)
        }
        let path = scratch.path("words.h5")
        try WordFile.writeVectors(table, to: path, model: "m", modelSHA256: "0", createdBy: "k", source: "s", sourceSHA256: "1")
        let back = try WordFile.read(path)
        #expect(back.words.strings == table.words.strings && back.counts == table.counts && back.vectors.elements == table.vectors.elements)
    }

    @Test func readsGloVeWithoutHeaderAndWithSpacesInWords() throws {
        let path = try scratch.write("the 0.1 0.2 -3e-1\n. . . 1 2 3\n\nat name@x.com 4 5 6\r\nlast 7 8 9")
        let table = try WordFile.read(path)
        #expect(table.words.strings == ["the", ". . .", "at name@x.com", "last"])
        #expect(table.row(0) == [0.1, 0.2, -0.3] && table.row(2) == [4, 5, 6] && table.row(3) == [7, 8, 9])
        #expect(table.remarks.spacedWords == 2 && table.remarks.firstSpaced?.place == 2)
        // White space ends a word in word2vec's formats, so such a word is named and not written.
        let error = try failure { try WordFile.write(table, to: scratch.path("out.vec"), as: .word2vecText) }
        #expect(error.description.contains("\". . .\"") && scratch.contents == ["input"])
    }

    @Test func readsBinaryWithAndWithoutLineEnds() throws {
        for end in [[UInt8(0x0A)], []] {
            var bytes = Array("2 3\n".utf8)
            // The first number's bytes spell a space and a line end.
            bytes += Array("a ".utf8) + littleEndian([Float(bitPattern: 0x0A20_0A20), 1, 2]) + end
            bytes += Array("日本 ".utf8) + littleEndian([3, 4, 5]) + end
            let table = try WordFile.read(scratch.write(bytes))
            #expect(table.words.strings == ["a", "日本"] && table.row(1) == [3, 4, 5] && table.row(0)[0].bitPattern == 0x0A20_0A20)
        }
    }

    @Test func readsGzipOfSeveralMembers() throws {
        let path = try scratch.write("2 2\nx 1 2\n", "a.vec"), other = try scratch.write("y 3 4\n", "b.vec")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "gzip -c '\(path)' > '\(scratch.path("w.gz"))'; gzip -c '\(other)' >> '\(scratch.path("w.gz"))'"]
        try process.run()
        process.waitUntilExit()
        let table = try WordFile.read(scratch.path("w.gz"))
        #expect(table.words.strings == ["x", "y"] && table.row(1) == [3, 4])
        let whole = try bytes(of: scratch.path("w.gz"))
        let cut = try failure { _ = try WordFile.read(scratch.write(Array(whole.dropLast(6)), "cut.gz")) }
        #expect(cut.kind == .badData && cut.description.contains("gzip"))
    }

    @Test func keepsBrokenBytes() throws {
        let path = try scratch.write(Array("2 1\n".utf8) + [0xE6, 0x97] + Array(" 1\nok 2\n".utf8))
        let table = try WordFile.read(path)
        #expect(Array(table.words.bytes(of: 0)) == [0xE6, 0x97] && table.remarks.brokenWords == 1 && table.remarks.firstBroken == 2)
        try WordFile.write(table, to: scratch.path("again.vec"), as: .word2vecText)
        #expect(try bytes(of: scratch.path("again.vec")).starts(with: Array("2 1\n".utf8) + [0xE6, 0x97, 0x20]))
        let error = try failure {
            try WordFile.writeVectors(
                table, to: scratch.path("w.h5"), model: "m", modelSHA256: "0", createdBy: "k", source: "s", sourceSHA256: "1")
        }
        #expect(error.description.contains("word 1") && error.description.contains("`lossy`"))
    }

    @Test func readsArraysWithTheirWords() throws {
        let writer = try NPYWriter(path: scratch.path("w.npy"), shape: [2, 2])
        try writer.append([1, 2, 3, 4])
        try writer.finish()
        #expect(try failure { _ = try WordFile.read(scratch.path("w.npy")) }.description.contains("`vocabulary`"))
        _ = try scratch.write("犬\n猫\n", "w.vocab")
        let table = try WordFile.read(scratch.path("w.npy"))
        #expect(table.words.strings == ["犬", "猫"] && table.row(1) == [3, 4])
        _ = try scratch.write("犬\n", "short.txt")
        #expect(
            try failure { _ = try WordFile.read(scratch.path("w.npy"), vocabulary: scratch.path("short.txt")) }.description.contains(
                "1 words"))
    }

    @Test(arguments: [
        ("3 2\na 1 2\nb 3 4\n", "3 words, but the file has 2"), ("1 2\na 1 2\nb 3 4\n", "1 words, but the file has 2"),
        ("2 3\na 1 2 3\nb 3 4\n", "input:3: 2 components"),
        ("2 2\na 1 2\nb 3 x\n", "component 2 of \"b\""), ("2 2\na 1 2\nb nan 1\n", "input:3: the vector of \"b\" contains NaN"),
        ("2 2\na 1 2\nb 1e60 1\n", "\"b\" contains NaN or infinity"), ("0 5\n", "0 words of dimension 5"),
        ("9999999999999 1\na 1\n", "9999999999999 words"),
        ("", "no words"), ("\n\n", "no words"), ("just words here\n", "a word and numbers"),
        ("a 1 2\nb 1\n", "1 components, where the first line has 2"),
    ])
    func namesWhatIsWrongInText(_ text: String, _ message: String) throws {
        let error = try failure { _ = try WordFile.read(scratch.write(text)) }
        #expect(error.kind == .badData && error.description.contains(message), "\(error)")
    }

    @Test func reportsDuplicates() throws {
        let table = try WordFile.read(scratch.write("3 1\na 1\nb 2\na 3\n"))
        #expect(
            table.count == 2 && table.row(0) == [1]
                && table.remarks.sentences == ["1 word occurs more than once (first \"a\" at 4); the first vector of each is kept"])
    }

    @Test func namesWhatIsWrongInBinary() throws {
        let good =
            Array("2 2\n".utf8) + Array("a ".utf8) + littleEndian([1, 2]) + [0x0A] + Array("b ".utf8) + littleEndian([3, 4]) + [0x0A]
        #expect(try WordFile.read(scratch.write(good)).count == 2)
        #expect(try failure { _ = try WordFile.read(scratch.write(Array(good.dropLast(3)))) }.description.contains("ends in word 2"))
        #expect(try failure { _ = try WordFile.read(scratch.write(good + Array("c ".utf8))) }.description.contains("more follows"))
        let nan = Array("1 2\n".utf8) + Array("a ".utf8) + littleEndian([1, .nan])
        #expect(try failure { _ = try WordFile.read(scratch.write(nan)) }.description.contains("\"a\" contains NaN"))
    }

    @Test func numbersAreRoundedAsTheLibraryDoes() {
        for text in [
            "0.1", "-2.5e-8", "1e-45", "3.4028235e38", "123456.79", "0.000000000000000000000000000001", "16777217",
            "1.00000005960464477539", "-0",
            "7.0064923216240854e-46", "5e", "1e5x", ".5", "5.", ".", "-", "+1", "1e99999", "0x10", "1_000", "００１",
        ] {
            let found = Array(text.utf8).withUnsafeBytes { DecimalText.float($0) }
            let expected: Float? = text == "5." ? 5 : Float(text)
            if text == "0x10" { continue }
            #expect(found?.bitPattern == expected?.bitPattern, "\(text): \(String(describing: found))")
        }
    }
}

@Suite struct SubwordTests {
    @Test func hashesAsFastText() {
        #expect(Subwords.hash("日本".utf8) == 4_164_387_409)
        #expect(Subwords.hash("<wh".utf8) == 1_048_167_652)
    }

    @Test func cutsAtCharacters() {
        let rule = Subwords(minimum: 1, maximum: 2, buckets: 10)
        #expect(rule.strings(of: "日本") == ["<日", "日", "日本", "本", "本>"])
        #expect(rule.strings(of: "") == ["<>"])
        #expect(Subwords(minimum: 3, maximum: 0, buckets: 10).strings(of: "word").isEmpty)
    }

    @Test(.enabled(if: hasSharedData, "needs ../shared/data/words"))
    func agreesWithFastTextsOwnNgrams() throws {
        // What `fasttext print-ngrams` said: a word, itself once more, then its n-grams.
        let lines = try String(contentsOfFile: shared("words/fasttext_fixtures/fb-ngrams.txt"), encoding: .utf8).split(separator: "\n").map(
            String.init)
        var checked = 0, at = 0
        while let start = lines[at...].firstIndex(of: "<start>"), let end = lines[start...].firstIndex(of: "<end>") {
            let word = lines[start + 1]
            let grams = lines[start + 2..<end].compactMap { line -> String? in
                let fields = line.split(separator: " ", omittingEmptySubsequences: true)
                return line.hasPrefix(word + " ") && fields.dropFirst(word.split(separator: " ").count).allSatisfy { $0 == "0" }
                    ? nil : fields.dropLast(5).joined(separator: " ")
            }
            if !word.contains(" ") {
                #expect(Subwords(minimum: 3, maximum: 6, buckets: 1).strings(of: word).sorted() == grams.sorted(), "\(word)")
                checked += 1
            }
            at = end
        }
        #expect(checked > 0)
    }
}

/// Files that others wrote. They stay outside the project.
@Suite(.enabled(if: hasSharedData, "needs ../shared/data/words")) struct ReferenceFileTests {
    let folder = "words/fasttext_fixtures/"

    @Test(arguments: ["lee-skipgram-ns", "lee-cbow-hs"])
    func wordsAndUnknownWordsAsFastTextGivesThem(_ name: String) throws {
        let table = try WordFile.read(shared(folder + name + ".bin"))
        let lines = try String(contentsOfFile: shared(folder + name + ".expected.tsv"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 6)
        var largest: Float = 0
        for line in lines {
            let cells = line.split(separator: "\t").map(String.init)
            let vector = try #require(table.vector(of: cells[0]))
            for (value, text) in zip(vector, cells.dropFirst()) { largest = max(largest, abs(value - (Float(text) ?? .nan))) }
            #expect(vector.count == cells.count - 1)
        }
        #expect(largest < 1e-6, "\(largest)")
        #expect(table.words.index(of: "policeman") == nil && table.words.index(of: "日本") == nil)
    }

    @Test func modelAndTextHoldTheSameVectors() throws {
        let name = "crime-and-punishment"
        let model = try WordFile.read(shared(folder + name + ".bin")), text = try WordFile.read(shared(folder + name + ".vec"))
        #expect(model.words.strings == text.words.strings && model.count > 100)
        // The text has five digits.
        for (a, b) in zip(model.vectors.elements, text.vectors.elements) { #expect(abs(a - b) <= 1e-4 * max(1, abs(b))) }
    }

    @Test func modelsComeBackFromOurWriterByteForByte() throws {
        let scratch = Scratch()
        for (name, version) in [("lee-skipgram-ns", 12), ("lee-cbow-hs", 12), ("lee_fasttext_new", 11), ("crime-and-punishment", 12)] {
            let model = try FastTextModel(path: shared(folder + name + ".bin"))
            try model.write(to: scratch.path("m.bin"))
            var expected = try bytes(of: shared(folder + name + ".bin"))
            #expect(Int(model.version) == version && Int(expected[4]) == version, "\(name)")
            // Version 12 is written whatever was read; of models that are not supervised it differs from 11 in its number only.
            expected[4] = 12
            #expect(try bytes(of: scratch.path("m.bin")) == expected, "\(name)")
        }
    }

    @Test(arguments: ["cp852_fasttext", "non_ascii_fasttext", "lee_fasttext"])
    func modelsOfOldFormatsAreRefusedByName(_ name: String) throws {
        let error = try failure { _ = try WordFile.read(shared(folder + name + ".bin")) }
        #expect(error.kind == .badData && error.description.contains("before format 11"), "\(error)")
    }

    @Test func numbersOfManyDigits() throws {
        let text = try WordFile.read(shared(folder + "high_precision.kv.txt")),
            binary = try WordFile.read(shared(folder + "high_precision.kv.bin"))
        #expect(text.words.strings == binary.words.strings && text.words.strings == ["kangaroo.n.01", "horse.n.01"])
        #expect(text.vectors.elements == [-0.0007369244245224787, -8.269973595356034e-05, -0.0008546282343595379, 0.0007694142576316829])
        // The binary file holds the same numbers rounded to half precision before they were written as single.
        #expect(binary.vectors.elements == text.vectors.elements.map { Float(Float16($0)) })
    }

    @Test func otherFilesOfThatKind() throws {
        let glove = try WordFile.read(shared("words/glove50_20k/glove.6B.50d.20k.bin"))
        #expect(glove.count == 20_079 && glove.dimension == 50)
        let chive = try WordFile.read(shared("words/chive_ginza/chive-ginza-subset.bin"))
        #expect(chive.count == 819 && chive.dimension == 300)
        let tlpa = try WordFile.read(shared("words/tlpa/tlpa.vec"))
        #expect(tlpa.count == 200 && tlpa.dimension == 200)
    }
}

/// Whatever is read, the worst that happens is a `DataError`.
@Suite struct WordFileFuzzTests {
    let scratch = Scratch()

    @Test(arguments: ["text", "glove", "binary", "model"])
    func damagedFilesAreRefused(_ kind: String) throws {
        var words = WordList()
        for word in ["the", "of", "犬", "and"] { words.insert(word) }
        let vectors = Tensor((0..<12).map { Float($0) / 7 - 1 }, shape: [4, 3])
        let table = WordTable(name: "t", words: words, counts: [9, 5, 3, 1], vectors: vectors)
        let path = scratch.path("good")
        switch kind {
        case "text": try WordFile.write(table, to: path, as: .word2vecText)
        case "glove": _ = try scratch.write("the 1 2 3\nof 4 5 6\n犬 -1e-3 2 2.5\n", "good")
        case "binary": try WordFile.write(table, to: path, as: .word2vecBinary)
        default:
            let arguments = FastTextModel.Arguments(
                dimension: 3, window: 5, epochs: 1, minimumCount: 1, negatives: 5, wordNgrams: 1, loss: .negativeSampling,
                architecture: .skipGram,
                buckets: 5, minimumN: 2, maximumN: 3, learningRateUpdate: 100, subsample: 1e-4)
            let input = Tensor((0..<27).map { Float($0) / 9 }, shape: [9, 3])
            try FastTextModel(arguments: arguments, words: words, counts: [9, 5, 3, 1], tokens: 18, input: input, output: vectors).write(
                to: path)
            let back = try WordFile.read(path)
            #expect(back.vector(of: "unknown") != nil && back.words.strings == words.strings)
        }
        let good = try bytes(of: path)
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var refused = 0
        for _ in 0..<1500 {
            var damaged = good
            for _ in 0...random(3) {
                let place = random(max(1, damaged.count))
                switch random(6) {
                case 0 where !damaged.isEmpty: damaged[place] ^= 1 << UInt8(random(8))
                case 1 where !damaged.isEmpty: damaged.removeSubrange(place..<min(damaged.count, place + 1 + random(20)))
                case 2:
                    damaged.insert(
                        contentsOf: Array("9223372036854775807 -1 nan \n".utf8.prefix(1 + random(24))), at: min(place, damaged.count))
                case 3: damaged.removeSubrange(min(place, damaged.count)...)
                case 4 where damaged.count > 8:
                    for i in 0..<4 where place + i < damaged.count { damaged[place + i] = [0, 0xFF, 0x7F, 0x80][random(4)] }
                default: damaged.append(UInt8(random(256)))
                }
            }
            do { _ = try WordFile.read(scratch.write(damaged)) } catch is DataError { refused += 1 }
        }
        #expect(refused > 300 && refused < 1500, "\(refused)")
    }
}
