import FileFormats
import Foundation
import Testing

/// Damages files in the ways in which they are damaged: flipped bits, lost and doubled stretches, strange bytes and numbers.
struct Mutator {
    var random: SeededRandom

    mutating func mutate(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return [UInt8.random(in: 0...255, using: &random)] }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
            switch Int.random(in: 0..<9, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.removeSubrange(place...)
            case 5:
                bytes.replaceSubrange(
                    place..<place + 1, with: "\"\n\r\t,;{}[]:\\\0<>&-".utf8.randomElement(using: &random).map { [$0] } ?? [])
            case 6:
                bytes.replaceSubrange(
                    place..<end,
                    with: ["-1", "18446744073709551616", "9223372036854775807", "1e999", "null", "[", "NaN"].randomElement(using: &random)?
                        .utf8.map { $0 } ?? [])
            case 7: for index in place..<end { bytes[index] = [0, 0xFF, 0x80, 0x7F][Int.random(in: 0..<4, using: &random)] }
            default:
                let other = Int.random(in: 0..<bytes.count, using: &random)
                bytes.swapAt(place, other)
            }
        }
        return bytes
    }
}

/// Whatever is read, the worst that happens is a `DataError`.
@Suite struct FuzzTests {
    // In memory where there is such a folder: the disk would be the slowest part.
    let scratch = Scratch(root: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil)

    private func fuzz(_ name: String, seed: UInt64, count: Int, _ originals: [[UInt8]], _ read: (String) throws -> Void) throws {
        var mutator = Mutator(random: SeededRandom(state: seed))
        let path = scratch.path("fuzz-" + name)
        var refused = 0
        for round in 0..<count {
            let bytes = mutator.mutate(originals[round % originals.count])
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            close(file)
            let start = ContinuousClock.now
            do { try read(path) } catch is DataError { refused += 1 }
            #expect(ContinuousClock.now - start < .seconds(5), "\(name), round \(round)")
        }
        #expect(refused > 0 && refused < count, "\(name): \(refused) of \(count) were refused")
    }

    @Test func safetensors() throws {
        var writer = SafetensorsWriter()
        for name in ["embeddings.weight", "b", "c"] {
            writer.add(name, shape: [2, 3], values: [1, 2, 3, 4, 5, 6], precision: name == "b" ? .bf16 : .f32)
        }
        try writer.write(to: scratch.path("m"))
        try fuzz("safetensors", seed: 1, count: 8000, [bytes(of: scratch.path("m")), bytes(of: fixture("reference.safetensors"))]) { path in
            let file = try SafetensorsFile(path: path)
            for name in file.names {
                if [.f32, .f16, .bf16, .f64].contains(file[name]?.dtype) { _ = try file.floats(name) } else { _ = try file.integers(name) }
            }
        }
    }

    @Test func json() throws {
        let text =
            ###"{"model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "##ing": 1, "\u3042\ud83d\ude00": 2}}, "x": [1.5, -2e-3, true, null, 1000000000000000019884624838656, []], "n": NaN}"###
        try fuzz("json", seed: 2, count: 15000, [Array(text.utf8)]) { path in
            let json = try JSON(contentsOf: path)
            // What was read can be written, and read again.
            let again = try JSON(parsing: json.serialized())
            #expect(again == json)
        }
    }

    @Test func tables() throws {
        let originals = [
            "id,text,freq\r\n7,\"a, \"\"b\"\"\r\nc\",1\r\n8,,2\r\n", "scene\tlanguage\ttext\nbeach\ten\tA \"nice\" beach\nbeach\tja\t浜辺\n",
            "one\ntwo\r\n\nあい\u{2028}う\n",
            "{\"id\": 1, \"text\": \"あ\", \"n\": 0.5}\n{\"text\": \"b\", \"id\": \"2\", \"y\": [1]}\n",
            "[{\"caption\": \"a\"},\n {\"caption\": \"b\"}]",
            "{\"images\": [], \"annotations\": [{\"image_id\": 5, \"id\": 71, \"caption\": \"犬\"}, {\"image_id\": 5, \"id\": 72, \"caption\": \"白い犬\"}]}",
        ].map { Array($0.utf8) }
        try fuzz("tables", seed: 3, count: 12000, originals) { path in
            for isLossy in [false, true] {
                var options = TableOptions()
                options.isLossy = isLossy
                let source = try CaptionSource(path: path, options: options)
                while try !source.next(batch: 2).isEmpty {}
            }
        }
    }

    @Test func pairs() throws {
        let originals = [
            "a,b,5.0\r\nc,\"d, e\",4.75\r\n",
            "{\"sentence1\": \"a\", \"sentence2\": \"b\", \"label\": 0.0}\n{\"sentence1\": \"c\", \"sentence2\": \"d\", \"label\": 1}\n",
        ]
        try fuzz("pairs", seed: 4, count: 4000, originals.map { Array($0.utf8) }) { _ = try SentencePairSource(path: $0).all() }
    }

    @Test func encodings() throws {
        let originals: [[UInt8]] = [
            [0xFF, 0xFE] + Array("犬が\n走る".utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] },
            [0x94, 0x92, 0x82, 0xA2, 0x8C, 0xA2, 0x82, 0xAA, 0x0A, 0x91, 0x96, 0x82, 0xE9, 0x0A],
            [0xC7, 0xF2, 0xA4, 0xA4, 0xB8, 0xA4, 0xA4, 0xAC, 0x0A, 0xC1, 0xF6, 0xA4, 0xEB],
            Array("\u{1B}$B".utf8) + [0x46, 0x7C, 0x4B, 0x5C] + Array("\u{1B}(B\nabc".utf8),
        ]
        try fuzz("encodings", seed: 5, count: 2000, originals) { path in
            for encoding in [nil] + TextEncoding.allCases.map(Optional.some) {
                var options = TableOptions()
                options.format = .txt
                options.encoding = encoding
                options.isLossy = true
                let source = try CaptionSource(path: path, options: options)
                while try !source.next(batch: 2).isEmpty {}
            }
            _ = try CaptionSource(path: path).next(batch: 10)
        }
    }

    @Test func spreadsheets() throws {
        let whole = try [fixture("openpyxl.xlsx"), fixture("furigana.xlsx")].map { try bytes(of: $0) }
        try fuzz("xlsx", seed: 6, count: 4000, whole) { path in
            var options = TableOptions()
            options.format = .xlsx
            _ = try CaptionSource(path: path, options: options).next(batch: 100)
        }
    }

    @Test func arraysAndTreebanks() throws {
        let arrays = try ["f4.npy", "f8-fortran.npy", "f2.npy", "v2.npy"].map { try bytes(of: fixture($0)) }
        try fuzz("npy", seed: 7, count: 5000, arrays) { _ = try NPYFile(path: $0).floats() }
        let text =
            "# sent_id = a\n# text = Zum Haus\n1-2\tZum\t_\t_\t_\t_\t_\t_\t_\t_\n1\tzu\t_\tADP\t_\t_\t3\tcase\t_\t_\n2\tdem\t_\tDET\t_\tCase=Dat\t3\tdet\t_\t_\n3\tHaus\t_\tNOUN\t_\t_\t0\troot\t_\tSpaceAfter=No\n3.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
        try fuzz("conllu", seed: 8, count: 8000, [Array(text.utf8)]) {
            for sentence in try CoNLLUReader.read($0) { _ = sentence.writtenForm }
        }
    }
}
