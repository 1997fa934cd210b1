/// A sentence of a treebank in CoNLL-U (https://universaldependencies.org/format.html) or CoNLL-X.
public struct TreebankSentence: Sendable, Equatable {
    /// A syntactic word.
    public struct Word: Sendable, Equatable {
        public var form: String
        public var lemma: String
        /// Universal part of speech (CoNLL-X: coarse tag).
        public var upos: String
        /// The language's own tag, as PTB's `NNS` or UniDic's `補助記号-句点`.
        public var xpos: String
        public var features: String
        /// The word it depends on, from 1; 0 for the root of the sentence.
        public var head: Int
        public var relation: String
        public var dependencies: String
        public var miscellaneous: String

        /// The value of `key=value` in the last column.
        public func miscellaneous(_ key: String) -> Substring? {
            miscellaneous.split(separator: "|").first { $0.hasPrefix(key) && $0.dropFirst(key.count).hasPrefix("=") }?.dropFirst(key.count + 1)
        }
    }

    /// A written token that is several words: `3-4  don't`.
    public struct MultiwordToken: Sendable, Equatable {
        /// Indices into `words`, from 0.
        public var words: Range<Int>
        public var form: String
        public var miscellaneous: String
    }

    /// A word that is not there, of the enhanced graph: `8.1`. It is kept and has no place in the tree.
    public struct EmptyNode: Sendable, Equatable {
        public var id: String
        /// All columns after the first.
        public var columns: [String]
    }

    /// `# sent_id`, else the sentence's number in the file, as `#17`.
    public var id: String
    /// `# text`, where there is one.
    public var text: String?
    /// Every comment line, with its `#`.
    public var comments: [String]
    public var words: [Word]
    public var multiwordTokens: [MultiwordToken]
    public var emptyNodes: [EmptyNode]
    /// The line of its first word, from 1.
    public var line: Int

    public init(
        id: String, text: String? = nil, comments: [String] = [], words: [Word], multiwordTokens: [MultiwordToken] = [],
        emptyNodes: [EmptyNode] = [], line: Int = 1
    ) {
        (self.id, self.text, self.comments, self.words) = (id, text, comments, words)
        (self.multiwordTokens, self.emptyNodes, self.line) = (multiwordTokens, emptyNodes, line)
    }
}

/// The sentences of a treebank file, every one of them a tree.
public struct Treebank: Sendable, Equatable {
    /// The file as the user named it.
    public var file: String
    public var sentences: [TreebankSentence]

    public init(file: String, sentences: [TreebankSentence]) { (self.file, self.sentences) = (file, sentences) }

    /// Words of all sentences.
    public var wordCount: Int { sentences.reduce(0) { $0 + $1.words.count } }

    /// Reads CoNLL-U or CoNLL-X.
    /// - Throws: `DataError` with the line and the sentence's id where a line has the wrong columns, words are misnumbered, a head is
    ///   missing or outside the sentence, a sentence has several roots or none, or heads run in a circle; where there is no sentence.
    public init(path: String, encoding: TextEncoding? = nil) throws {
        let input = try TextInput(path: path, encoding: encoding, isLossy: false)
        let lines = LineReader(input: input, isLossy: false)
        file = input.name
        sentences = []
        var reader = SentenceReader(file: file)
        while let line = try lines.next() {
            if let sentence = try reader.take(line.bytes, number: line.number, count: sentences.count) { sentences.append(sentence) }
        }
        if let sentence = try reader.finish(count: sentences.count) { sentences.append(sentence) }
        guard !sentences.isEmpty else {
            throw DataError(.badData, "there is no sentence in it; a treebank in CoNLL-U (ten columns with tabs between them) was expected", file: file)
        }
    }
}

/// Gathers the lines of one sentence and checks that they are a tree.
private struct SentenceReader {
    let file: String
    private var sentence = TreebankSentence(id: "", words: [])
    private var wordLines: [Int] = []
    private var hasID = false

    init(file: String) { self.file = file }

    mutating func take(_ bytes: UnsafeRawBufferPointer, number: Int, count: Int) throws -> TreebankSentence? {
        if bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { return try finish(count: count) }
        if bytes[0] == UInt8(ascii: "#") && sentence.words.isEmpty && sentence.multiwordTokens.isEmpty {
            comment(String(decoding: bytes, as: UTF8.self))
            return nil
        }
        if !hasID { sentence.id = "#\(count + 1)" }
        let columns = bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard columns.count == 10 else {
            throw fault("\(columns.count) columns with tabs between them, expected the 10 of CoNLL-U", line: number)
        }
        func column(_ index: Int) -> String { String(decoding: columns[index], as: UTF8.self) }
        let id = column(0)
        if id.utf8.contains(UInt8(ascii: "-")) {
            try multiwordToken(id, form: column(1), miscellaneous: column(9), line: number)
        } else if id.utf8.contains(UInt8(ascii: ".")) {
            let parts = id.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, Int(parts[0]) == sentence.words.count, Int(parts[1]) != nil else {
                throw fault("the empty node \(id) was expected to be numbered \(sentence.words.count).1 and on", line: number)
            }
            sentence.emptyNodes.append(.init(id: id, columns: (1..<10).map(column)))
        } else {
            guard let index = Int(id), index == sentence.words.count + 1 else {
                throw fault("the word is numbered \(id), expected \(sentence.words.count + 1)", line: number)
            }
            guard let head = Int(column(6)), head >= 0 else {
                throw fault("word \(id) (\(column(1))) has the head \(column(6)); the number of a word was expected, or 0 for the root", line: number)
            }
            guard !columns[1].isEmpty else { throw fault("word \(id) has no form", line: number) }
            if sentence.words.isEmpty { sentence.line = number }
            wordLines.append(number)
            sentence.words.append(.init(
                form: column(1), lemma: column(2), upos: column(3), xpos: column(4), features: column(5), head: head,
                relation: column(7), dependencies: column(8), miscellaneous: column(9)))
        }
        return nil
    }

    /// Ends the sentence, if one has begun.
    mutating func finish(count: Int) throws -> TreebankSentence? {
        guard !sentence.words.isEmpty else {
            guard sentence.multiwordTokens.isEmpty, sentence.emptyNodes.isEmpty else { throw fault("a sentence without words", line: nil) }
            (sentence.comments, sentence.text, hasID) = ([], nil, false)
            return nil
        }
        try checkTree()
        if let last = sentence.multiwordTokens.last, last.words.upperBound > sentence.words.count {
            throw fault("the token \(last.form) ends with word \(last.words.upperBound), the sentence with word \(sentence.words.count)", line: nil)
        }
        let finished = sentence
        sentence = TreebankSentence(id: "", words: [])
        wordLines = []
        hasID = false
        return finished
    }

    private mutating func comment(_ line: String) {
        sentence.comments.append(line)
        guard let equals = line.firstIndex(of: "=") else { return }
        let value = line[line.index(after: equals)...].drop { $0 == " " }
        switch line[..<equals].dropFirst().filter({ $0 != " " }) {
        case "sent_id":
            sentence.id = String(value)
            hasID = true
        case "text": sentence.text = String(value)
        default: break
        }
    }

    private mutating func multiwordToken(_ id: String, form: String, miscellaneous: String, line: Int) throws {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let first = parts[0], let last = parts[1], first == sentence.words.count + 1, last >= first, last < Int.max,
              sentence.multiwordTokens.last.map({ $0.words.upperBound < first }) ?? true
        else {
            throw fault("the token \(id) was expected to span words from \(sentence.words.count + 1) on", line: line)
        }
        sentence.multiwordTokens.append(.init(words: first - 1..<last, form: form, miscellaneous: miscellaneous))
    }

    private func checkTree() throws {
        let heads = sentence.words.map(\.head)
        if let word = heads.firstIndex(where: { $0 > heads.count }) {
            throw fault("word \(word + 1) (\(sentence.words[word].form)) depends on word \(heads[word]), the sentence has \(heads.count) words", line: wordLines[word])
        }
        let roots = heads.indices.filter { heads[$0] == 0 }
        guard roots.count <= 1 else {
            throw fault("it has \(roots.count) roots, words \(roots.map { String($0 + 1) }.joined(separator: ", ")); a tree has one", line: wordLines[roots[1]])
        }
        // Words whose way up is known to end at the root; a way that meets itself is a circle.
        var reachesRoot = heads.map { $0 == 0 }
        for start in heads.indices where !reachesRoot[start] {
            var way: [Int] = []
            var word = start
            while !reachesRoot[word] {
                guard way.count <= heads.count else {
                    throw fault("word \(start + 1) (\(sentence.words[start].form)) never reaches a root: its heads run in a circle", line: wordLines[start])
                }
                way.append(word)
                word = heads[word] - 1
            }
            for word in way { reachesRoot[word] = true }
        }
    }

    private func fault(_ message: String, line: Int?) -> DataError {
        DataError(.badData, "sentence \(sentence.id): \(message)", file: file, line: line ?? wordLines.first)
    }
}
