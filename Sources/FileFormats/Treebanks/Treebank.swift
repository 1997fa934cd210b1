/// The sentences of a treebank file, every one of them a tree.
public struct Treebank: Sendable, Equatable {
    /// The file as the user named it.
    package var file: String
    /// The sentences, in the file's order.
    public var sentences: [TreebankSentence]
    /// SHA-256 of the bytes that the sentences were read from; empty if they come from elsewhere.
    package var sha256 = ""

    /// A treebank of sentences that are already in memory.
    package init(file: String, sentences: [TreebankSentence]) { (self.file, self.sentences) = (file, sentences) }

    /// Reads CoNLL-U or CoNLL-X.
    /// - Throws: `DataError` as `CoNLLUReader` does, and if there is no sentence.
    public init(path: String) throws {
        let reader = try CoNLLUReader(path: path)
        var sentences: [TreebankSentence] = []
        while let sentence = try reader.next() { sentences.append(sentence) }
        self.init(file: path, sentences: sentences)
        sha256 = try reader.sha256()
        guard !sentences.isEmpty else {
            throw DataError(.badData, "no sentences found; expected a treebank in CoNLL-U (ten tab-separated columns)", file: path)
        }
    }

    /// Words of all sentences.
    package var wordCount: Int { sentences.reduce(0) { $0 + $1.words.count } }

    /// What messages call a sentence: its `sent_id`, else its number in the file, as `#17`.
    public func name(of sentence: Int) -> String { sentences[sentence].id ?? "#\(sentence + 1)" }
}
