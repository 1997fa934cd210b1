import FileFormats
import Tokenizers

/// How long texts become several rows.
package enum TextSplit: Sendable, Equatable {
    /// One row for each sentence.
    case sentences
    /// Stretches of whole sentences with at most this many tokens; longer sentences are split between words.
    case tokens(Int)

    /// As on the command line: `sentences`, or a number of tokens.
    package init?(_ text: String) {
        if text == "sentences" {
            self = .sentences
        } else if let count = Int(text), (8...1_000_000).contains(count) {
            self = .tokens(count)
        } else {
            return nil
        }
    }

    package var name: String {
        switch self {
        case .sentences: "sentences"
        case .tokens(let count): String(count)
        }
    }

    /// The parts of a text in their order; an empty text has one part, which is empty.
    func parts(of text: String, tokenizer: Tokenizer?) throws -> [String] {
        let sentences = SentenceSplitter.split(text)
        guard !sentences.isEmpty else { return [text] }
        guard case .tokens(let limit) = self else { return sentences.map(String.init) }
        guard let tokenizer else {
            throw DataError(.usage, "word vectors have no tokens to count; \(Setting.split) sentences works with them")
        }
        var parts: [String] = []
        var open: (text: Range<String.Index>, tokens: Int)?
        func close() {
            if let open { parts.append(String(text[open.text])) }
            open = nil
        }
        for sentence in sentences {
            let encoding = try tokenizer.encode(String(sentence), addSpecialTokens: false)
            if encoding.count > limit {
                close()
                parts += Self.cut(String(sentence), encoding, limit: limit)
                continue
            }
            if let last = open, last.tokens + encoding.count <= limit {
                open = (last.text.lowerBound..<sentence.endIndex, last.tokens + encoding.count)
            } else {
                close()
                open = (sentence.startIndex..<sentence.endIndex, encoding.count)
            }
        }
        close()
        return parts
    }

    /// Cuts a sentence that is too long, at the beginning of a word if there is one.
    private static func cut(_ sentence: String, _ encoding: Encoding, limit: Int) -> [String] {
        let bytes = Array(sentence.utf8)
        var parts: [String] = [], first = 0, start = 0
        while first < encoding.count {
            var last = min(first + limit, encoding.count)
            if last < encoding.count {
                var word = last
                while word > first + 1, encoding.wordIDs[word] == encoding.wordIDs[word - 1] { word -= 1 }
                if word > first + 1 { last = word }
            }
            var end = last < encoding.count ? max(encoding.offsets[last].lowerBound, start) : bytes.count
            // A token may begin inside of a character; a part never does.
            while end > start, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            let part = String(decoding: bytes[start..<end], as: UTF8.self)
            let trimmed = String(String(part.drop(while: \.isWhitespace)).reversed().drop(while: \.isWhitespace).reversed())
            if !trimmed.isEmpty { parts.append(trimmed) }
            (first, start) = (last, end)
        }
        return parts
    }
}

/// The rows of an input, each text cut into its parts: a row for each part, with the columns `document` (the text's row in the input, from
/// 1) and `part` (from 1) behind the others.
final class PartSource {
    static let columns = ["document", "part"]

    let source: CaptionSource
    private let split: TextSplit?
    private let tokenizer: Tokenizer?
    private var pending: ArraySlice<CaptionRow> = []
    /// The texts as they stood, for the file of documents.
    private(set) var documents: [String] = []

    init(_ source: CaptionSource, split: TextSplit?, tokenizer: Tokenizer?) {
        (self.source, self.split, self.tokenizer) = (source, split, tokenizer)
    }

    /// The next rows, at most `count`; none at the end.
    func next(batch count: Int) throws -> [CaptionRow] {
        guard let split else { return try source.next(batch: count) }
        while pending.count < count {
            let rows = try source.next(batch: 256)
            if rows.isEmpty { break }
            for row in rows {
                documents.append(row.text)
                for (part, text) in try split.parts(of: row.text, tokenizer: tokenizer).enumerated() {
                    var piece = row
                    piece.text = text
                    piece.others += [String(documents.count), String(part + 1)]
                    pending.append(piece)
                }
            }
        }
        defer { pending = pending.dropFirst(count) }
        return Array(pending.prefix(count))
    }
}
