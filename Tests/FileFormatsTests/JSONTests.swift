import FileFormats
import Foundation
import Testing

@Suite struct JSONTests {
    @Test func parsesEveryKindOfValueAndKeepsTheOrder() throws {
        let json = try JSON(parsing: #" {"b": [1, -2.5, 1e3, true, false, null], "a": {"x": "あ\n\u3042\ud83d\ude00"}, "e": [], "o": {}} "#)
        #expect(
            json
                == .object([
                    ("b", .array([.integer(1), .number(-2.5), .number(1000), .bool(true), .bool(false), .null])),
                    ("a", .object([("x", .string("あ\nあ😀"))])), ("e", .array([])), ("o", .object([])),
                ]))
        #expect(json.object?.map(\.key) == ["b", "a", "e", "o"])
        #expect(try JSON(parsing: "3").int == 3)
        #expect(try JSON(parsing: "\u{FEFF}\"x\"").string == "x")
    }

    @Test func lastOfEqualKeysCounts() throws {
        let json = try JSON(parsing: #"{"a": 1, "a": 2}"#)
        #expect(json["a"]?.int == 2)
        #expect(json.dictionary?["a"]?.int == 2)
    }

    @Test func readsTheNumbersThatPythonWrites() throws {
        let text =
            #"{"m": 1000000000000000019884624838656, "s": "1000000000000000019884624838656 NaN", "n": NaN, "i": [-Infinity, Infinity], "u": 18446744073709551615, "d": 12345678901234567890123.5e-3, "k": -9223372036854775808}"#
        let json = try JSON(parsing: text)
        #expect(json["m"] == .number(1e30))
        #expect(json["s"]?.string == "1000000000000000019884624838656 NaN")
        #expect(json["n"]?.isNull == true)
        #expect(json["i"] == .array([.null, .null]))
        #expect(json["u"] == .number(18446744073709551616))
        #expect(json["d"] == .number(12345678901234567890.1235))
        #expect(json["k"] == .integer(.min))
    }

    @Test(arguments: [
        ("", 1, "empty"), ("{\"a\": 1,\n \"b\" 2}", 2, "':'"), ("[1,\n2\n,]", 3, "a value"), ("[1 2]", 1, "',' or ']'"),
        ("{\"a\":\n\"x", 2, "does not end"),
        ("[01]", 1, "begin with 0"), ("\"a\tb\"", 1, "control character"), ("[\"\\ud800\"]", 1, "surrogate"), ("tru", 1, "a value"),
        ("{} x", 1, "end after"),
        ("[1e999]", 1, "too large"), ("{\"a\": [1, {\"b\": ", 1, "found the end"), (String(repeating: "[", count: 600), 1, "deeper"),
        (String(repeating: "[", count: 600) + String(repeating: "]", count: 600), 1, "deeper"), ("[1.]", 1, "digit"),
        ("\"\\x\"", 1, "escape"),
    ])
    func saysWhereAndWhy(text: String, line: Int, message: String) throws {
        let error = try failure { _ = try JSON(parsing: text, file: "f.json") }
        #expect(error.kind == .badData && error.file == "f.json" && error.line == line)
        #expect(error.message.contains(message), "\(error)")
    }

    @Test func refusesInvalidUTF8() throws {
        let bytes: [UInt8] = Array("[\n\"a".utf8) + [0xFF] + Array("\"]".utf8)
        let error = try failure { try bytes.withUnsafeBytes { _ = try JSON(parsing: $0) } }
        #expect(error.line == 2 && error.message.contains("UTF-8"))
    }

    @Test func numbersAndTextsRoundTrip() throws {
        var random = SeededRandom(state: 1)
        for _ in 0..<20000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            #expect(try JSON(parsing: JSON.number(value).serialized()).double?.bitPattern == value.bitPattern)
        }
        let value = JSON.object([
            ("k\"\\\u{1}\u{7F}", .array([.string("</script>\u{2028}&あ"), .integer(.max), .null])), ("a", .bool(false)), ("e", .object([])),
        ])
        for style: JSON.Style in [[], .pretty, .safeInHTML, [.pretty, .safeInHTML]] {
            #expect(try JSON(parsing: value.serialized(style)) == value)
        }
        #expect(!value.serialized(.safeInHTML).contains("<") && !value.serialized(.safeInHTML).contains("\u{2028}"))
        #expect(value.serialized(.sortedKeys).hasPrefix("{\"a\""))
        #expect(JSON.array([.integer(1), .object([("x", .number(.nan))])]).serialized(.pretty) == "[\n  1,\n  {\n    \"x\": null\n  }\n]")
    }

    @Test func parsesAVocabularyQuickly() throws {
        let members = (0..<30000).map { (key: "wordpiece\($0)", value: JSON.integer($0)) }
        let text = JSON.object([("vocab", .object(members))]).serialized(.pretty)
        let clock = ContinuousClock()
        var best = Duration.seconds(9)
        for _ in 0..<5 {
            let start = clock.now
            let count = try JSON(parsing: text)["vocab"]?.object?.count
            best = min(best, clock.now - start)
            #expect(count == 30000)
        }
        print("a vocabulary of 30,000 entries, \(text.utf8.count) bytes, in \(best)")
        #expect(best < .seconds(1), "\(best)")
    }
}
