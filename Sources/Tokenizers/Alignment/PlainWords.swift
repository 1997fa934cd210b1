import FileFormats
import Foundation

/// Words of a sentence that somebody typed.
package enum PlainWords {
    /// Cuts at white space, and punctuation off the ends of words.
    ///
    /// Between two words of Japanese or Chinese writing the space is only the typist's: the text has none there, unless `spaced`.
    package static func split(_ sentence: String, spaced: Bool = false) -> TreebankText {
        var text = "", ranges: [Range<Int>] = []
        for chunk in sentence.split(whereSeparator: \.isWhitespace) {
            if let last = text.last, let first = chunk.first, spaced || !(isUnspaced(last) && isUnspaced(first)) { text += " " }
            let head = chunk.prefix { $0.isPunctuation }
            let tail = chunk.dropFirst(head.count).reversed().prefix { $0.isPunctuation }
            var parts = head.map(String.init)
            let core = String(chunk.dropFirst(head.count).dropLast(tail.count))
            if !core.isEmpty { parts.append(core) }
            parts += tail.reversed().map(String.init)
            for part in parts {
                if spaced, !text.isEmpty, text.last != " " { text += " " }
                let start = text.utf8.count
                text += part
                ranges.append(start..<text.utf8.count)
            }
        }
        return TreebankText(text: text, ranges: ranges, sharedWords: 0, isOriginal: true)
    }

    /// Cuts a Japanese sentence that was typed without spaces into words, by MeCab; nil if there are spaces (the typist's own cuts) or no
    /// kana.
    ///
    /// - Parameter dictionary: a folder with a compiled dictionary; nil for that of KOTONOHA_MECAB_DIC, else Debian's.
    /// - Throws: `DataError` if there is no such dictionary.
    package static func japanese(_ sentence: String, spaced: Bool = false, dictionary: URL? = nil) throws -> TreebankText? {
        let whole = sentence.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !whole.contains(where: \.isWhitespace), whole.unicodeScalars.contains(where: { (0x3041...0x30FF).contains($0.value) }) else {
            return nil
        }
        let place = ProcessInfo.processInfo.environment["KOTONOHA_MECAB_DIC"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
        let model = try MeCabModel(dictionary: dictionary ?? place ?? URL(fileURLWithPath: MeCabModel.defaultDictionary))
        let bytes = Array(whole.utf8)
        var ranges: [Range<Int>] = [], lattice: MeCabLattice?
        bytes.withUnsafeBufferPointer { model.forEachWord(in: $0, lattice: &lattice) { ranges.append($0..<$1) } }
        guard spaced else { return TreebankText(text: whole, ranges: ranges, sharedWords: 0, isOriginal: true) }
        return split(ranges.map { String(decoding: bytes[$0], as: UTF8.self) }.joined(separator: " "), spaced: true)
    }

    /// Kana, han, and the punctuation and full-width forms that go with them.
    private static func isUnspaced(_ character: Character) -> Bool {
        guard let value = character.unicodeScalars.first?.value else { return false }
        return (0x3000...0x30FF).contains(value) || (0x3400...0x9FFF).contains(value) || (0xF900...0xFAFF).contains(value)
            || (0xFF00...0xFFEF).contains(value) || (0x20000...0x3FFFF).contains(value)
    }
}
