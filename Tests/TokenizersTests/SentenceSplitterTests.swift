import Testing
import Tokenizers

@Suite struct SentenceSplitterTests {
    @Test func japanese() {
        let cases: [(String, [String])] = [
            ("犬が走る。猫は寝る！雪か？", ["犬が走る。", "猫は寝る！", "雪か？"]),
            ("「はい。」と言った。「いいえ。」彼は黙った。", ["「はい。」と言った。", "「いいえ。」", "彼は黙った。"]),
            ("本当に！？　行こう。\n次の行", ["本当に！？", "行こう。", "次の行"]),
            ("（注。例外）である。終わり", ["（注。例外）である。", "終わり"]),
            ("開いた「ままの行。\n次。", ["開いた「ままの行。", "次。"]),
        ]
        for (text, expected) in cases { #expect(SentenceSplitter.split(text).map(String.init) == expected, "\(text)") }
    }

    @Test func latin() {
        let cases: [(String, [String])] = [
            ("Dr. Smith met J. Doe at 3.14 p.m. in No. 5. They left!", ["Dr. Smith met J. Doe at 3.14 p.m. in No. 5.", "They left!"]),
            ("\"Go.\" She went. e.g. this", ["\"Go.\"", "She went. e.g. this"]),
            ("One\r\n\r\nTwo.  Three", ["One", "Two.", "Three"]),
            ("So he said no. Then he left... and came back.", ["So he said no.", "Then he left... and came back."]),
            ("", []), ("  \n ", []), ("no stop", ["no stop"]),
        ]
        for (text, expected) in cases { #expect(SentenceSplitter.split(text).map(String.init) == expected, "\(text)") }
    }
}
