import Testing

@testable import Tokenizers

@Suite struct RegularExpressionTests {
    private func matches(_ pattern: String, _ text: String) throws -> [String] {
        let expression = try RegularExpression(pattern)
        var text = text
        return text.withUTF8 { text in
            var found: [String] = []
            expression.forEachMatch(in: text) { found.append(String(decoding: text[$0..<$1], as: UTF8.self)) }
            return found
        }
    }

    @Test("Scripts hold what later Unicode releases added to them, as in the reference")
    func scripts() throws {
        // U+2EBF0 is of Unicode 15.1, U+31350 and U+1B132 of 15.0.
        #expect(try matches(#"\p{Han}+"#, "犬\u{2EBF0}\u{31350}a") == ["犬\u{2EBF0}\u{31350}"])
        #expect(try matches(#"\P{han}+"#, "犬\u{2EBF0}ab\u{31350}") == ["ab"])
        #expect(try matches(#"[^\p{Han}]"#, "\u{2EBF0}a") == ["a"])
        #expect(try matches(#"\p{^Han}"#, "\u{2EBF0}a") == ["a"])
        #expect(try matches(#"[\p{Hiragana}\p{Katakana}]+"#, "か\u{1B132}カ\u{1B155}x") == ["か\u{1B132}カ\u{1B155}"])
    }

    @Test("Long names of categories mean the same as the short ones")
    func longNames() throws {
        let text = "a\u{2EBF0}1\u{1D2C0}!$ "
        for (long, short) in [("Letter", "L"), ("number", "N"), ("Punctuation", "P"), ("Symbol", "S"), ("Separator", "Z")] {
            #expect(try matches("\\p{\(long)}", text) == matches("\\p{\(short)}", text), "\(long)")
        }
        #expect(try matches(#"\p{Letter}+"#, text) == ["a\u{2EBF0}"])
    }
}
