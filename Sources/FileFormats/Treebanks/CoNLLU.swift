/// One word of a treebank: a syntactic word with its place in the tree.
public struct TreebankWord: Sendable, Equatable {
    /// From 1.
    package var id: Int
    /// The word as written.
    public var form: String
    /// The dictionary form; `_` if not annotated.
    package var lemma: String
    /// The universal part of speech; in CoNLL-X the coarse tag.
    public var upos: String
    /// The language's own part of speech.
    package var xpos: String
    /// Features as written, `_` if there are none.
    package var feats: String
    /// The id of the word that this one depends on, 0 for the root.
    public var head: Int
    /// The relation to the head, such as `nsubj`; `root` for the root.
    public var deprel: String
    /// Enhanced dependencies as written; in CoNLL-X the projective head.
    package var deps: String
    /// Remarks as written, `_` if there are none; in CoNLL-X the projective relation.
    package var misc: String
    /// The line in the file.
    package var line: Int

    /// A feature's value.
    package func feature(_ name: String) -> String? { Self.value(of: name, in: feats) }
    /// A remark's value, as `BunsetuBILabel`.
    package func remark(_ name: String) -> String? { Self.value(of: name, in: misc) }
    /// False if the next word follows without a space.
    package var hasSpaceAfter: Bool { remark("SpaceAfter") != "No" }

    private static func value(of name: String, in list: String) -> String? {
        for pair in list.split(separator: "|") {
            guard let equals = pair.firstIndex(of: "=") else { continue }
            if pair[..<equals] == name { return String(pair[pair.index(after: equals)...]) }
        }
        return nil
    }
}

/// Several words written as one, as `im` for `in dem`.
package struct MultiwordToken: Sendable, Equatable {
    /// The ids of its words.
    package var words: ClosedRange<Int>
    package var form: String
    package var misc: String

    package var hasSpaceAfter: Bool { !misc.split(separator: "|").contains("SpaceAfter=No") }
}

/// A word that is not written, as `8.1`; it takes part in the enhanced graph only.
package struct EmptyNode: Sendable, Equatable {
    /// The id of the word that it follows, and its number there.
    package var after: Int
    package var number: Int
    /// The ten columns as written.
    package var columns: [String]
}

/// A sentence of a treebank and its dependency tree.
public struct TreebankSentence: Sendable, Equatable {
    /// The comment `sent_id`.
    package var id: String?
    /// The comment `text`.
    package var text: String?
    /// All comments as written, without `#` and the space behind it.
    package var comments: [String]
    /// The syntactic words, in order.
    public var words: [TreebankWord]
    package var multiwordTokens: [MultiwordToken]
    package var emptyNodes: [EmptyNode]
    /// The line on which it begins.
    package var line: Int

    /// The words as they are written, one after the other: multiword tokens in place of their words, with `SpaceAfter` heeded.
    package var writtenForm: String {
        var result = ""
        var index = 0, token = 0
        while index < words.count {
            if token < multiwordTokens.count, multiwordTokens[token].words.lowerBound == words[index].id {
                result += multiwordTokens[token].form + (multiwordTokens[token].hasSpaceAfter ? " " : "")
                index += multiwordTokens[token].words.count
                token += 1
            } else {
                result += words[index].form + (words[index].hasSpaceAfter ? " " : "")
                index += 1
            }
        }
        return result.hasSuffix(" ") ? String(result.dropLast()) : result
    }
}

/// Reads treebanks in CoNLL-U (https://universaldependencies.org/format.html) and CoNLL-X, a sentence at a time.
///
/// Every sentence that comes out is a tree: one root, every head there, no cycle.
package final class CoNLLUReader {
    private let lines: LineReader
    private let requiresTree: Bool
    private let path: String

    /// Opens a treebank, `-` for standard input.
    /// - Parameter requiresTree: false lets heads be missing and graphs be no trees, for those who want only the words; a missing head is
    ///   −1.
    package init(path: String, requiresTree: Bool = true) throws {
        let input = try TextInput(path: path, encoding: nil, isLossy: false)
        lines = LineReader(input: input, isLossy: false)
        self.requiresTree = requiresTree
        self.path = input.name
    }

    /// All sentences of a file.
    package static func read(_ path: String, requiresTree: Bool = true) throws -> [TreebankSentence] {
        let reader = try CoNLLUReader(path: path, requiresTree: requiresTree)
        var sentences: [TreebankSentence] = []
        while let sentence = try reader.next() { sentences.append(sentence) }
        return sentences
    }

    /// SHA-256 of all bytes of the input; ask when the sentences are read.
    package func sha256() throws -> String { try lines.input.stream.sha256() }

    /// The next sentence, nil at the end.
    /// - Throws: `DataError` with the sentence's id and the line where it is not as the format says or no tree.
    package func next() throws -> TreebankSentence? {
        var sentence: TreebankSentence?
        while let line = try lines.next() {
            let text = String(decoding: line.bytes, as: UTF8.self)
            if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
                if let sentence, !sentence.words.isEmpty { return try checked(sentence) }
                // Comments without words belong to nothing.
                sentence = nil
                continue
            }
            var current =
                sentence
                ?? TreebankSentence(id: nil, text: nil, comments: [], words: [], multiwordTokens: [], emptyNodes: [], line: line.number)
            if text.hasPrefix("#"), current.words.isEmpty, !text.contains("\t") || text.hasPrefix("# ") {
                Self.take(comment: text, into: &current)
            } else {
                try take(row: text, line: line.number, into: &current)
            }
            sentence = current
        }
        guard let sentence, !sentence.words.isEmpty else { return nil }
        return try checked(sentence)
    }

    private static func take(comment text: String, into sentence: inout TreebankSentence) {
        let comment = String(text.dropFirst().drop { $0 == " " })
        sentence.comments.append(comment)
        guard let equals = comment.firstIndex(of: "=") else { return }
        let key = comment[..<equals].split(separator: " ").joined(separator: " ")
        let value = String(comment[comment.index(after: equals)...].drop { $0 == " " })
        if key == "sent_id" { sentence.id = value } else if key == "text" { sentence.text = value }
    }

    private func fault(_ message: String, _ sentence: TreebankSentence, line: Int) -> DataError {
        let name = sentence.id.map { "sentence \($0)" } ?? "the sentence from line \(sentence.line)"
        return DataError(.badData, "\(name): \(message)", file: path, line: line)
    }

    private func take(row text: String, line: Int, into sentence: inout TreebankSentence) throws {
        let columns = text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard columns.count == 10 || columns.count == 8 else {
            throw fault("this line has \(columns.count) columns, expected 10, separated by tabs", sentence, line: line)
        }
        let place = columns[0]
        if let dash = place.firstIndex(of: "-") {
            guard let first = Int(place[..<dash]), let last = Int(place[place.index(after: dash)...]), first == sentence.words.count + 1,
                last >= first,
                last - first < 1000, sentence.multiwordTokens.last.map({ $0.words.upperBound < first }) ?? true
            else { throw fault("the multiword token \(place) does not precede its words", sentence, line: line) }
            sentence.multiwordTokens.append(MultiwordToken(words: first...last, form: columns[1], misc: columns.last ?? "_"))
        } else if let dot = place.firstIndex(of: ".") {
            guard let after = Int(place[..<dot]), let number = Int(place[place.index(after: dot)...]), after == sentence.words.count,
                number > 0
            else {
                throw fault("the empty node \(place) does not follow word \(sentence.words.count)", sentence, line: line)
            }
            sentence.emptyNodes.append(EmptyNode(after: after, number: number, columns: columns))
        } else {
            guard Int(place) == sentence.words.count + 1 else {
                throw fault("expected word \(sentence.words.count + 1) here, found \"\(place.prefix(20))\"", sentence, line: line)
            }
            guard !columns[1].isEmpty else { throw fault("word \(place) has no form", sentence, line: line) }
            let head = Int(columns[6])
            guard !requiresTree || head != nil else {
                throw fault("word \(place) (\(columns[1])) has no head: \"\(columns[6].prefix(20))\" is not a number", sentence, line: line)
            }
            sentence.words.append(
                TreebankWord(
                    id: sentence.words.count + 1, form: columns[1], lemma: columns[2], upos: columns[3], xpos: columns[4],
                    feats: columns[5],
                    head: head ?? -1, deprel: columns[7], deps: columns.count > 8 ? columns[8] : "_",
                    misc: columns.count > 9 ? columns[9] : "_", line: line))
        }
    }

    private func checked(_ sentence: TreebankSentence) throws -> TreebankSentence {
        if let token = sentence.multiwordTokens.last, token.words.upperBound > sentence.words.count {
            throw fault(
                "the multiword token \(token.form) refers to word \(token.words.upperBound), but there are "
                    + "\(sentence.words.count)", sentence, line: sentence.line)
        }
        guard requiresTree else { return sentence }
        let words = sentence.words
        for word in words where word.head < 0 || word.head > words.count {
            throw fault(
                "the head of word \(word.id) (\(word.form)) is \(word.head), but there are \(words.count) words", sentence, line: word.line)
        }
        let roots = words.filter { $0.head == 0 }
        guard roots.count == 1 else {
            let found = roots.isEmpty ? "no word is the root" : "words \(roots.map { String($0.id) }.joined(separator: " and ")) are roots"
            throw fault("expected one root, \(found)", sentence, line: roots.dropFirst().first?.line ?? sentence.line)
        }
        // A word is settled once its way to the root is known to end there.
        var isSettled = [Bool](repeating: false, count: words.count + 1)
        isSettled[0] = true
        for word in words {
            var path: [Int] = []
            var isOnPath: Set<Int> = []
            var place = word.id
            while !isSettled[place] {
                guard isOnPath.insert(place).inserted else {
                    throw fault("the heads of word \(place) (\(words[place - 1].form)) form a cycle", sentence, line: words[place - 1].line)
                }
                path.append(place)
                place = words[place - 1].head
            }
            for place in path { isSettled[place] = true }
        }
        return sentence
    }
}
