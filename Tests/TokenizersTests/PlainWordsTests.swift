import FileFormats
import Foundation
import Testing
import Tokenizers

@Suite struct PlainWordsTests {
    private static let hasDictionary = FileManager.default.fileExists(atPath: "/var/lib/mecab/dic/ipadic-utf8/sys.dic")

    private func words(_ text: TreebankText) -> [String] { text.ranges.map { String(decoding: Array(text.text.utf8)[$0], as: UTF8.self) } }

    @Test(.enabled(if: hasDictionary, "needs Debian's mecab-ipadic-utf8")) func unspacedJapaneseIsCutByMeCab() throws {
        let text = try #require(try PlainWords.japanese("犬が雪の中を走る。"))
        #expect(text.text == "犬が雪の中を走る。" && words(text) == ["犬", "が", "雪", "の", "中", "を", "走る", "。"])
        let spaced = try #require(try PlainWords.japanese("犬が雪の中を走る。", spaced: true))
        #expect(spaced.text == "犬 が 雪 の 中 を 走る 。")
    }

    /// Spaces are the typist's own cuts, and without kana the sentence may be Chinese.
    @Test func otherSentencesAreLeftAlone() throws {
        for sentence in ["犬 が 走る", "two dogs play", "snow", "我愛北京", ""] { #expect(try PlainWords.japanese(sentence)?.ranges == nil) }
        #expect(throws: DataError.self) { try PlainWords.japanese("犬が走る", dictionary: URL(fileURLWithPath: "/nowhere")) }
    }
}
